"""A crew's calls beside values: done once, moved to the right patient, and heard back."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from hospital_ops.access import Scope
from hospital_ops.clock import SystemClock, iso
from hospital_ops.database import Connection, Database
from hospital_ops.ecg import synthetic
from hospital_ops.servers.valkey import Valkey
from streams.cases import Cases
from streams.ecg_intake import key_of
from streams.pipe import Pipe
from streams.tablet_pairing import TabletPairing, Waiting
from tests.integration.ecg_house import ED, House, archived, house
from tests.integration.streams_help import until
from triage.handover import store as handover
from web import store


@pytest.fixture
async def ward(
    fresh_valkey: Valkey, app: Database, writer: Database, two_hospitals: None
) -> AsyncIterator[House]:
    async with house(fresh_valkey.url, app, writer) as made:
        yield made


def value(code: str, number: float, unit: str) -> dict[str, Any]:
    now = iso(SystemClock().now_us())
    return {
        "event_id": str(uuid4()), "code": code, "value": number, "unit": unit,
        "determined_at": now, "mode": "Test",
    }  # fmt: skip


def item(kind: str, **said: Any) -> dict[str, Any]:
    return {"item_id": str(uuid4()), "kind": kind, "at": iso(SystemClock().now_us()), **said}


async def summary(ward: House, case: str, wanted: Any) -> dict[str, Any]:
    """What the crew hears of a case once `wanted` holds of it."""

    async def there() -> dict[str, Any] | None:
        answer = await ward.call("tablet", "GET", f"/api/v1/prearrivals/{case}/summary")
        told: dict[str, Any] = answer.json()
        return told if answer.status_code == 200 and wanted(told) else None

    found: dict[str, Any] = await until(there, "the crew hears it")
    return found


async def test_a_crew_hears_that_its_case_has_ended_also_when_the_board_shows_it_no_more(
    ward: House,
) -> None:
    known, gone, now = Cases(ward.pipe), str(uuid4()), SystemClock().now_us()
    await known.claim_case("h1", gone, ED, "tablet", now)
    await known.case_became("h1", gone, "discharged", now, ended=True)
    answer = await ward.call("tablet", "GET", f"/api/v1/prearrivals/{gone}/summary")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told == {"id": gone, "at": told.get("at"), "step": "discharged", "unit": ED}
    foreign = await ward.call("other tablet", "GET", f"/api/v1/prearrivals/{gone}/summary")
    assert foreign.status_code == 404


async def test_what_a_crew_did_is_kept_once_and_moves_to_the_right_patient_with_an_audit_line(
    ward: House, superuser: Connection, app: Database
) -> None:
    other = str(uuid4())
    opened = await ward.call(
        "tablet", "PUT", f"/api/v1/prearrivals/{other}", json={"destination": ED, "age_years": 20}
    )
    assert opened.json()["stored_at"] <= iso(SystemClock().now_us() + 1_000_000)
    his, hers = value("8867-4", 170, "/min"), value("8867-4", 80, "/min")
    drug, limit = item("treatment", what="aspirin", dose="300 mg"), item("limit", what="no CPR")
    bad = item("treatment")
    for _ in range(2):  # the answer was lost: all of it again
        sent = await ward.call("tablet", "POST", "measurements", json={"events": [his, hers]})
        assert sent.json()["stored"] == [his["event_id"], hers["event_id"]]
        done = await ward.call("tablet", "POST", "items", json={"items": [drug, limit, bad]})
        assert done.json()["stored"] == [drug["item_id"], limit["item_id"]]
        assert done.json()["rejected"][0]["item_id"] == bad["item_id"]
    foreign = await ward.call("other tablet", "POST", "items", json={"items": [drug]})
    assert foreign.status_code == 404
    moved = {"move_id": str(uuid4()), "to": other, "items": [his["event_id"], drug["item_id"]]}
    first = await ward.call("tablet", "POST", "moves", json=moved)
    again = await ward.call("tablet", "POST", "moves", json=moved)
    assert first.status_code == again.status_code == 200
    told = await summary(ward, other, lambda told: told["proposed"] == "red")
    assert told["decided"] is None
    assert told["seen"] is None
    page = await ward.call("physician", "GET", f"/ed/cases/{other}")
    assert "aspirin, 300 mg" in page.text
    told = await summary(ward, other, lambda told: told["seen"] is not None)
    assert told["seen"]["by"] == "physician"
    assert told["seen"]["upto"] >= first.json()["stored_at"]
    await archived(ward, superuser)
    kinds = await superuser.fetch(
        "select kind, count(*) as n from case_event where case_id in ($1, $2)"
        " and kind not in ('facts', 'seen', 'ring') group by kind",
        ward.case,
        other,
    )
    assert {row["kind"]: row["n"] for row in kinds} == {
        "treatment": 1, "limit": 1, "moved_out": 1, "moved_in": 1,
    }  # fmt: skip
    audited = await superuser.fetchval("select count(*) from audit where action = 'move_items'")
    assert audited >= 1
    scope = Scope("h1", ("*",), "ed_physician", "physician")
    for case, expected in ((ward.case, 80.0), (other, 170.0)):
        values, _ = await store.case_record(app, scope, case)
        assert [(row["lowest"], row["number"]) for row in values] == [(expected, 1)]
        assert [r.value for r in await handover.readings_of(app, scope, case)] == [expected]
        assert await handover.readings_of(app, scope, case, "Real") == []
    # A tablet that takes back where it typed; then both turn out to be one person.
    back = item("withdrawal", of=his["event_id"])
    assert (await ward.call("tablet", "POST", "items", json={"items": [back]})).status_code == 200
    joined = {"move_id": str(uuid4()), "to": other, "items": []}
    assert (await ward.call("tablet", "POST", "moves", json=joined)).status_code == 200
    await summary(ward, other, lambda told: told["joined"] == [ward.case])
    await archived(ward, superuser)
    assert [r.value for r in await handover.readings_of(app, scope, other)] == [80.0]


async def test_an_ecg_is_seen_in_stages_before_its_file_and_no_st_statement_comes_from_them(
    ward: House,
) -> None:
    made = synthetic.twelve_leads(70, 10.0, 500, "anterior_stemi", 3)
    leads = {lead: list(numbers) for lead, numbers in made.items()}
    ecg = str(uuid4())

    def file(names: list[str], step: int) -> bytes:
        thin = {name: leads[name][::step] for name in names}
        now = iso(SystemClock().now_us())
        sent = {"rate_hz": 500 / step, "scale_uv": 1, "started_at": now, "leads": thin}
        return json.dumps(sent).encode()

    async def staged(stage: str, data: bytes) -> Any:
        asked = {"id": ecg, "stage": stage}
        return await ward.call("tablet", "POST", "ecgs", params=asked, content=data)

    assert (await staged("middle", b"{}")).status_code == 400
    assert (await staged("preview", b"no ecg at all")).status_code == 400
    for stage, data in (("preview", file(["II"], 5)), ("coarse", file(list(leads), 5))):
        answer = await staged(stage, data)
        assert answer.status_code == 200, answer.text
        line = await ward.on_the_board(ecg, stage)
        assert line["preview"]
        assert not line["complete"]
        assert line["findings"] == []
        sheet = await ward.call("physician", "GET", f"/ed/cases/{ward.case}/ecgs/{ecg}?lang=en")
        assert "ST not assessed" in sheet.text
    whole = file(list(leads), 1)
    digest = hashlib.sha256(whole).hexdigest()
    for start in range(0, len(whole), 60_000):
        end = min(start + 60_000, len(whole))
        sent = await ward.part(whole, start, end, id=ecg, sha256=digest)
        assert sent.status_code == 200, sent.text
    line = await ward.on_the_board(ecg, "stored")
    assert line["findings"], "the whole is read by the computer"
    late = await staged("coarse", file(list(leads), 5))
    assert late.status_code == 200
    sheet = await ward.call("physician", "GET", f"/ed/cases/{ward.case}/ecgs/{ecg}?lang=en")
    assert "ST not assessed" not in sheet.text


async def test_a_photograph_of_an_ecg_is_shown_as_it_is_and_not_read(
    ward: House, superuser: Connection
) -> None:
    ecg, data = str(uuid4()), b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
    digest = hashlib.sha256(data).hexdigest()
    for start in range(0, len(data), 6000):
        end = min(start + 6000, len(data))
        assert (await ward.part(data, start, end, id=ecg, sha256=digest)).status_code == 200
    line = await ward.on_the_board(ecg, "picture")
    assert (line["complete"], line["findings"]) == (True, [])
    page = await ward.call("physician", "GET", f"/ed/cases/{ward.case}?lang=en")
    assert "not analysed" in page.text
    path = f"/ed/cases/{ward.case}/ecgs/{ecg}/picture"
    for _ in range(2):  # from beside the stream, then from the archive
        shown = await ward.call("physician", "GET", path)
        assert (shown.content, shown.headers["content-type"]) == (data, "image/jpeg")
        await archived(ward, superuser)
        await ward.pipe.call("DEL", key_of(ED, ward.case, ecg))
    assert (await ward.call("nurse next door", "GET", path)).status_code == 404


async def test_a_pairing_code_works_once_however_it_is_typed(fresh_valkey: Valkey) -> None:
    pipe = Pipe(fresh_valkey.url)
    pairing = TabletPairing(pipe)
    waiting = Waiting("h1-tablet-9", "h1", "admin")
    code = await pairing.begin(waiting)
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    first, second = await asyncio.gather(pairing.take(typed), pairing.take(code))
    assert sorted([first, second], key=str) == sorted([waiting, None], key=str)
    assert await pairing.take("") is None
    await pipe.close()
