"""A transfer to another hospital: asked, accepted by name, read from then on, ended by arrival."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from hospital_ops.board import BedCell, CaseCell
from hospital_ops.clock import SystemClock, iso
from hospital_ops.database import Connection, Database
from hospital_ops.deciding import Decider
from hospital_ops.identity import patient_id
from hospital_ops.servers.valkey import Valkey
from icu.unit import IcuUnit
from streams.pipe import Pipe
from tests.integration.streams_help import (
    HALL,
    admitted,
    icu_room,
    living,
    observed,
    relaying,
    storing,
    until,
)
from tests.integration.web_help import BED, UNIT, Running, web_process
from triage.unit import EdUnit

MRN, PATIENT = "4711", patient_id("h1", "4711")
NOW = SystemClock().now_us
ICU, ED, THEIR_BED = "h2-icu-1", "h2-ed", "h2-icu-1-02"
PEEP, NORADRENALINE, PULSE = "76248-4", "norepinephrine", "8867-4"
SHARDS = (UNIT, "h1-ed", HALL, ICU, ED, "h2-hall")


class Wards:
    """Two hospitals at work, and who asks whom."""

    def __init__(self, running: Running, http: httpx2.AsyncClient, rows: Connection) -> None:
        self.running, self.http, self.rows = running, http, rows

    async def call(
        self, who: str, path: str, body: Any = None, method: str = ""
    ) -> tuple[int, Any]:
        """Status and answer of a call."""
        method = method or ("GET" if body is None else "POST")
        headers = self.running.bearer(who)
        answer = await self.http.request(method, f"/api/v1{path}", json=body, headers=headers)
        return answer.status_code, answer.json()

    async def stay(self) -> str:
        """The open stay once the archive knows it."""

        async def known() -> str:
            return str((await self.call("h1-doctor", f"/icu/beds/{BED}/stay"))[1]["stay"])

        found = await until(known, "the stay is known")
        assert isinstance(found, str)
        return found

    async def ask(self, to: str) -> dict[str, Any]:
        """A physician of the first hospital asks the second one."""
        body = {"stay": await self.stay(), "to": to, "why": "ECMO", "needs": ["ventilator"]}
        status, told = await self.call("h1-doctor", f"/icu/beds/{BED}/transfers", body)
        assert status == 201, told
        assert isinstance(told, dict)
        return told

    async def act(self, who: str, told: dict[str, Any], act: str, **more: Any) -> Any:
        """Somebody acts on what they have seen."""
        body = {"version": told["version"], **more}
        status, answer = await self.call(who, f"/transfers/{told['transfer']}/{act}", body)
        assert status == 200, answer
        return answer

    async def page(self, who: str, path: str) -> str:
        """A page as somebody sees it."""
        answer = await self.http.get(path, headers=self.running.bearer(who))
        assert answer.status_code == 200, answer.text
        return answer.text


def room(unit: str, snapshot: bytes) -> Decider:
    """Makes the unit that its name says."""
    return IcuUnit(unit, unit[:2], snapshot) if "icu" in unit else EdUnit(unit, snapshot)


@pytest.fixture
async def wards(
    fresh_valkey: Valkey,
    app: Database,
    writer: Database,
    superuser: Connection,
    two_hospitals: None,
) -> AsyncIterator[Wards]:
    pipe = Pipe(fresh_valkey.url)
    async with (
        web_process(pipe.url, app) as running,
        living(pipe.url, "one", icu_room),
        living(pipe.url, "two", room, ICU),
        living(pipe.url, "three", room, ED),
        storing(pipe.url, writer, shards=SHARDS),
        relaying(pipe, writer),
        running.client() as http,
    ):
        append = running.web.appender.append
        await append(UNIT, admitted(MRN, NOW() - 5_000_000))
        for code, value in ((PEEP, 12.0), (NORADRENALINE, 0.2), (PULSE, 128.0)):
            await append(UNIT, observed(value, NOW() - 1_000_000, code=code))
        yield Wards(running, http, superuser)
    await pipe.close()


async def closed_before_acceptance(wards: Wards, told: dict[str, Any]) -> None:
    """The request is there without whose it is, and nothing of the patient."""
    record, listed = f"/transfers/{told['transfer']}/record", f"/transfers?unit={ICU}"
    (seen,) = (await wards.call("h2-doctor", listed))[1]
    assert (seen["why"], seen["needs"], seen["state"]) == ("ECMO", ["ventilator"], "asked")
    assert not {"stay", "patient_id", "bed"} & seen.keys()
    assert (await wards.call("h2-doctor", record))[0] == 404
    assert "Test 4711" not in await wards.page("h2-doctor", f"/transfers/{told['transfer']}")
    assert (await wards.call("h1-emergency", record))[0] == 404  # another unit of the sender
    assert (await wards.call("h1-doctor", f"/transfers/{told['transfer']}/accept", {"version": 1}))[
        0
    ] == 404


async def test_an_intensive_care_unit_reads_from_acceptance_on_and_the_stay_begins_there(
    wards: Wards,
) -> None:
    told = await wards.ask(ICU)
    record = f"/transfers/{told['transfer']}/record"
    await closed_before_acceptance(wards, told)
    accepted = await wards.act("h2-doctor", told, "accept", bed=THEIR_BED, words="ECMO team 14:00")
    assert (accepted["state"], accepted["answered_by"]) == ("accepted", "h2-doctor")
    status, known = await wards.call("h2-doctor", record)
    assert (status, known["person"]["family"]) == (200, "Test")
    assert {(one["code"], one["value"]) for one in known["support"]} == {
        (PEEP, 12.0),
        (NORADRENALINE, 0.2),
    }
    assert PULSE in [one["code"] for one in known["values"]]
    page = await wards.page("h2-doctor", f"/transfers/{told['transfer']}")
    assert "Test 4711" in page
    assert "Norad" in page
    second = {"version": 1, "words": "no bed"}
    status, answer = await wards.call("h2-doctor", f"/transfers/{told['transfer']}/decline", second)
    assert (status, answer["error"]) == (409, "conflict")

    left = await wards.act("h1-nurse", accepted, "leave", eta=40)

    async def expected() -> Any:
        head = wards.running.web.feeds[ICU].head
        return head.coming if head and [c for c in head.coming if c.state == "left"] else None

    (coming,) = await until(expected, "the receiver's board expects the patient")
    assert (coming.bed, bool(coming.eta)) == (THEIR_BED, True)
    assert "Hospital h1" in coming.words
    assert "Test" not in coming.words

    await wards.act("h2-nurse", left, "arrive", bed=THEIR_BED)

    async def lies_there() -> bool:
        cell = wards.running.web.feeds[ICU].cells.get(THEIR_BED)
        head = wards.running.web.feeds[ICU].head
        here = isinstance(cell, BedCell) and cell.patient is not None
        return here and head is not None and not head.coming

    await until(lies_there, "the stay begins at the receiver")
    assert await wards.rows.fetchval("select count(*) from contact where hospital_id = 'h2'") == 0
    audited = await wards.rows.fetch(
        "select action, shard from audit where action like '%transfer' order by action, shard"
    )
    assert ("accept_transfer", ICU) in [tuple(row) for row in audited]

    async def both_know() -> bool:
        chains = await wards.rows.fetch(
            "select distinct shard from audit where action = 'read_transfer'"
        )
        return {row["shard"] for row in chains} >= {ICU, UNIT}

    await until(both_know, "both hospitals' chains say who read the record")


async def test_an_emergency_board_shows_the_transfer_as_an_arrival_and_its_arrival_ends_it(
    wards: Wards,
) -> None:
    told = await wards.ask(ED)
    accepted = await wards.act("h2-doctor", told, "accept")
    case = accepted["transfer"]

    async def on_the_board() -> Any:
        cell = wards.running.web.feeds[ED].cells.get(case)
        return cell if isinstance(cell, CaseCell) and cell.values else None

    cell = await until(on_the_board, "the transfer is on the emergency board")
    assert (cell.facts["origin"], cell.facts["complaint"]) == ("transfer", "ECMO")
    assert cell.values[PULSE].value == 128.0
    await wards.act("h1-doctor", accepted, "leave", eta=iso(NOW() + 60_000_000))
    assert (await wards.call("h2-nurse", f"/prearrivals/{case}/arrival", {}))[0] == 200

    async def ended() -> bool:
        return bool((await wards.call("h1-doctor", f"/transfers/{case}"))[1]["state"] == "arrived")

    await until(ended, "the arrival ends the transfer")
    page = await wards.page("h2-doctor", f"/ed/cases/{case}")
    assert f"/transfers/{case}" in page


async def test_a_transfer_is_declined_with_a_reason_withdrawn_or_noted_for_a_hospital_elsewhere(
    wards: Wards,
) -> None:
    told = await wards.ask(ICU)
    path = f"/transfers/{told['transfer']}"
    assert (await wards.call("h2-doctor", f"{path}/decline", {"version": 1}))[0] == 400
    declined = await wards.act("h2-doctor", told, "decline", words="no bed")
    assert (declined["state"], declined["answer"]) == ("declined", "no bed")
    assert (await wards.call("h2-doctor", f"{path}/record"))[0] == 404

    again = await wards.ask(ICU)
    body = {"stay": again["stay"], "to": ICU, "why": "ECMO"}
    assert (await wards.call("h1-doctor", f"/icu/beds/{BED}/transfers", body))[0] == 409
    assert (await wards.act("h1-doctor", again, "withdraw"))["state"] == "withdrawn"

    body = {"stay": again["stay"], "elsewhere": "Regional hospital", "why": "burns"}
    status, far = await wards.call("h1-doctor", f"/icu/beds/{BED}/transfers", body)
    assert (status, far["to_unit"]) == (201, None)
    noted = await wards.act("h1-doctor", far, "accept", words="Dr Petrov by phone")
    gone = await wards.act("h1-doctor", noted, "leave")
    assert (await wards.act("h1-doctor", gone, "arrive"))["state"] == "arrived"
    form = await wards.page("h1-doctor", f"/icu/beds/{BED}/transfer")
    assert "h2-icu-1" in form
    assert "Regional hospital" in await wards.page("h1-nurse", f"/transfers/unit/{UNIT}")
