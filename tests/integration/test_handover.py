"""Hand-over: the shift's report from the data, signed and kept; and the ward's sheet on paper."""

import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from hospital_ops.clock import SystemClock, iso, to_datetime
from hospital_ops.database import Connection, Database, PostgresError
from hospital_ops.servers.valkey import Valkey
from streams.append import Appender
from streams.pipe import Pipe
from streams.relay import Relay
from tests.integration.streams_help import (
    HALL,
    admitted,
    icu_room,
    living,
    observed,
    storing,
    until,
)
from tests.integration.web_help import BED, UNIT, Running, web_process
from web import wardsheet

NOW = SystemClock().now_us
SPO2, MEAN = "59408-5", "76214-6"
SBAR = {
    "kind": "shift",
    "situation": "stable",
    "background": "",
    "assessment": "improving",
    "recommendation": "wean the oxygen",
}


MEASURED = ((3, SPO2, 81.0), (2, SPO2, 95.0), (2, MEAN, 58.0), (1, MEAN, 77.0))


class Floor:
    """A patient with values and an order, and people who sign."""

    def __init__(self, running: Running, http: httpx2.AsyncClient, stay: str, relay: Relay) -> None:
        self.running, self.http, self.stay, self.relay = running, http, stay, relay
        self.where = f"/api/v1/icu/stays/{stay}/reports"

    async def sign(self, who: str, body: dict[str, str]) -> httpx2.Response:
        """Somebody signs."""
        return await self.http.post(self.where, json=body, headers=self.running.bearer(who))

    async def get(self, who: str, path: str) -> httpx2.Response:
        """Somebody reads."""
        return await self.http.get(path, headers=self.running.bearer(who))

    async def report(self) -> dict[str, Any]:
        """The one that was signed."""
        (one,) = (await self.get("h1-nurse", self.where)).json()
        found: dict[str, Any] = one
        return found


@pytest.fixture
async def floor(
    fresh_valkey: Valkey,
    app: Database,
    writer: Database,
    superuser: Connection,
    two_hospitals: None,
) -> AsyncIterator[Floor]:
    pipe = Pipe(fresh_valkey.url)
    relay = Relay(writer, Appender(pipe), SystemClock(), "Test")
    async with (
        web_process(pipe.url, app) as running,
        living(pipe.url, "one", icu_room),
        storing(pipe.url, writer, shards=(UNIT, HALL)),
        running.client() as http,
    ):
        append = running.web.appender.append
        await append(UNIT, admitted("4711", NOW() - 3_000_000))
        for ago, code, value in MEASURED:
            await append(UNIT, observed(value, NOW() - ago * 100_000, code=code))
        stay = await _stay(running, http)
        order = {"kind": "nursing", "text": "Turn to the left side"}
        doctor = running.bearer("h1-doctor")
        placed = await http.post(f"/api/v1/icu/beds/{BED}/orders", json=order, headers=doctor)
        assert placed.status_code == 200, placed.text
        await relay.step()

        async def measured() -> bool:
            number: int = await superuser.fetchval("select count(*) from measurement")
            return number == len(MEASURED)

        await until(measured, "all is stored")
        yield Floor(running, http, stay, relay)
    await pipe.close()


async def test_a_shift_report_is_made_from_the_data_and_signed_by_those_who_may(
    floor: Floor,
) -> None:
    for who, body, status in (
        ("h2-nurse", SBAR, 404),
        ("h1-wall", SBAR, 404),
        ("h1-nurse", SBAR | {"assessment": " "}, 400),
        ("h1-nurse", {"kind": "death", "diagnosis": "x", "cause": "y"}, 404),
    ):
        answer = await floor.sign(who, body)
        assert answer.status_code == status, (who, answer.text)
    told_of = {"substance": "Penicillin", "reaction": "rash", "told_by": "wife"}
    headers, path = floor.running.bearer("h1-nurse"), f"/api/v1/icu/beds/{BED}/allergies"
    assert (await floor.http.post(path, json=told_of, headers=headers)).status_code == 200
    assert (await floor.sign("h1-nurse", SBAR)).status_code == 201
    one = await floor.report()
    told = one["content"]
    lowest = {row["code"]: row["value"] for row in told["lowest"]}
    assert lowest == {SPO2: 81.0, MEAN: 58.0}
    latest = {row["code"]: row["value"] for row in told["values"]}
    assert latest == {SPO2: 95.0, MEAN: 77.0}
    assert [row["words"] for row in told["orders"]] == ["Turn to the left side"]
    assert (one["signed_by"], one["genuine"]) == ("h1-nurse", True)
    page = await floor.get("h1-nurse", f"/icu/documents/{one['document']}")
    assert "wean the oxygen" in page.text
    assert "Penicillin (rash): told by wife" in page.text
    assert "Turn to the left side" in page.text
    assert (await floor.get("h1-nurse", f"/icu/stays/{floor.stay}/report")).status_code == 200
    assert (await floor.get("h2-nurse", f"/icu/documents/{one['document']}")).status_code == 404


async def test_a_value_that_was_taken_back_stands_nowhere_and_is_taken_back_once(
    floor: Floor, superuser: Connection
) -> None:
    nurse, at = floor.running.bearer("h1-nurse"), NOW() - 1_000_000
    event = str(uuid4())
    fine = to_datetime(at // 1000 * 1000 + 123).isoformat()  # finer than a page tells times
    weight = {"event_id": event, "code": "weight", "value": 170, "determined_at": fine}
    page = f"/icu/beds/{BED}/flowsheet"

    async def post(path: str, body: dict[str, Any], status: int) -> None:
        answer = await floor.http.post(f"/api/v1/icu/beds/{BED}{path}", json=body, headers=nurse)
        assert answer.status_code == status, answer.text

    async def stored(number: int, what: str) -> None:
        async def there() -> bool:
            return bool(await superuser.fetchval(what) == number)

        await until(there, what)

    await post("/chart", {"events": [weight]}, 200)
    await stored(1, "select count(*) from measurement where value = 170")
    back = {"event_id": event, "determined_at": iso(at), "event": None, "reason": "wrong one"}
    await post("/chart/corrections", back, 200)
    await post("/chart/corrections", back, 409)
    await floor.relay.step()
    await stored(1, "select count(*) from correction")
    assert (await floor.sign("h1-nurse", SBAR)).status_code == 201
    latest = {row["code"]: row["value"] for row in (await floor.report())["content"]["values"]}
    assert latest == {SPO2: 95.0, MEAN: 77.0}
    patient = await superuser.fetchval("select patient_id from stay")
    shown = await floor.get("h1-doctor", f"/patients/{patient}")
    assert shown.status_code == 200
    assert "77" in shown.text
    assert "170" not in shown.text

    form = {"form": "f1", "patient": str(patient), "urine": "111", "gcs_e": "4"}
    for sent, status in (
        (form | {"gcs_v": "6", "gcs_m": "5"}, 422), (form, 303), (form, 303),
        (form | {"form": "f2", "urine": "112"}, 303),
    ):  # fmt: skip
        answer = await floor.http.post(page, data=sent, headers=nurse, follow_redirects=False)
        assert answer.status_code == status, answer.text
        if status == 422:
            assert 'value="111"' in answer.text
    await stored(1, "select count(*) from measurement where value = 112")
    await stored(1, "select count(*) from measurement where value = 111")


async def test_what_was_signed_is_not_changed_and_whoever_could_is_seen(
    floor: Floor, app: Database, superuser: Connection
) -> None:
    death = {"kind": "death", "diagnosis": "sepsis", "cause": "shock"}
    assert (await floor.sign("h1-doctor", death)).status_code == 201
    with pytest.raises(PostgresError, match="permission denied"):
        async with app.transaction() as connection:
            await connection.execute("update signed_document set words = '{}'")
    assert (await floor.report())["genuine"] is True
    await superuser.execute("update signed_document set words = '{}'")
    assert (await floor.report())["genuine"] is False


async def test_the_ward_sheet_lies_on_disk_for_the_account_alone_even_without_postgresql(
    fresh_valkey: Valkey, tmp_path: Path
) -> None:
    pipe = Pipe(fresh_valkey.url)
    async with web_process(pipe.url) as running, living(pipe.url, "one", icu_room):
        running.web.database = _Away()  # type: ignore[assignment]
        await running.web.appender.append(UNIT, admitted("4711", NOW()))
        await running.web.appender.append(UNIT, observed(83.0, NOW()))
        feed: Any = running.web.feeds[UNIT]

        async def shown() -> bool:
            return BED in feed.cells and bool(feed.cells[BED].values)

        await until(shown, "the value is on the board")
        reader = wardsheet._reader(running.web, UNIT)
        text = await wardsheet.render(running.web, feed, "en", "paper.css", reader)
        wardsheet._write(tmp_path, UNIT, NOW(), text, "en")
        sheet = tmp_path / wardsheet.FOLDER / UNIT / "latest-en.html"
        kept = sheet.read_text("utf-8")
        assert "Test 4711" in kept
        assert "<b>83</b>" in kept
        assert "the record was away" in kept
        assert stat.S_IMODE(os.stat(sheet).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(tmp_path / wardsheet.FOLDER).st_mode) == 0o700
        for quarter in range(wardsheet.KEPT + 4):
            for language in ("ru", "en"):
                at = NOW() + quarter * 900_000_000
                wardsheet._write(tmp_path, UNIT, at, text, language)
        assert len(list(sheet.parent.glob("2*Z.html"))) == wardsheet.KEPT
        assert len(list(sheet.parent.glob("2*Z-en.html"))) == wardsheet.KEPT
    await pipe.close()


class _Away:
    """A database that does not answer."""

    def transaction(self, *_: object) -> Any:
        from hospital_ops.database import DatabaseGone

        raise DatabaseGone("away")


async def _stay(running: Running, http: httpx2.AsyncClient) -> str:
    async def known() -> str:
        answer = await http.get(f"/api/v1/icu/beds/{BED}/stay", headers=running.bearer("h1-doctor"))
        return str(answer.json()["stay"])

    found = await until(known, "the stay is known")
    assert isinstance(found, str)
    return found
