"""A surge through the real services: two of five walk in, nothing is lost, the order is right."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any, Final
from uuid import uuid4

import pytest

from hospital_ops.access import Role
from hospital_ops.clock import SystemClock, iso
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from simulators import seeds
from tests.integration.ecg_house import ED, House, archived, house
from tests.integration.streams_help import until
from triage.engine import assess
from web.views.case import ORDER

ARRIVALS, WALK_INS = 20, 8  # 40 % walk in
AT_ONCE: Final = 8
SIGNS: Final = ("stridor", "ecg_acute_ischaemia", "")


@pytest.fixture
async def ward(
    fresh_valkey: Valkey, app: Database, writer: Database, two_hospitals: None
) -> AsyncIterator[House]:
    async with house(fresh_valkey.url, app, writer) as made:
        await made.lets_in("nurse at the door", Role.TRIAGE_NURSE)
        yield made
        await made.clients["nurse at the door"].aclose()


class Patient:
    """Somebody of the surge: what is said and measured, drawn from a seed."""

    def __init__(self, number: int) -> None:
        draw = seeds.stream("surge", number)
        self.number, self.case = number, str(uuid4())
        self.walks = number % 5 < 2
        self.age, self.sign = draw.randint(18, 90), draw.choice(SIGNS)
        self.values = {
            "hr": draw.randint(50, 150), "rr": draw.randint(10, 34), "spo2": draw.randint(82, 100),
            "sys": draw.randint(75, 180), "temp": draw.randint(350, 400) / 10,
        }  # fmt: skip

    @property
    def proposed(self) -> str:
        """The colour that the engine proposes for these inputs, asked beside the services."""
        vitals = {
            "hr_bpm": self.values["hr"], "rr_bpm": self.values["rr"],
            "spo2_pct": self.values["spo2"], "sbp_mmhg": self.values["sys"],
            "temp_c": self.values["temp"],
        }  # fmt: skip
        signs = [self.sign] if self.sign else []
        inputs = {"age_years": self.age, "vitals": vitals, "signs": signs, "on_oxygen": False}
        return str(assess(inputs).as_json()["proposed"])


CODES: Final = {
    "hr": ("8867-4", "/min"), "rr": ("9279-1", "/min"), "spo2": ("59408-5", "%"),
    "sys": ("8480-6", "mm[Hg]"), "temp": ("8310-5", "Cel"),
}  # fmt: skip


async def walks_in(ward: House, one: Patient) -> None:
    """Registered on the page of the department's tablet."""
    form = {
        "case": one.case, "sex": "unknown", "age": str(one.age), "on_oxygen": "no",
        "signs": one.sign or "none", **{name: str(value) for name, value in one.values.items()},
    }  # fmt: skip
    answer = await ward.call("nurse at the door", "POST", f"/ed/{ED}/new", data=form)
    assert answer.status_code == 303, answer.text


async def is_brought(ward: House, one: Patient) -> None:
    """Opened, measured and brought by a crew."""
    path, now = f"/api/v1/prearrivals/{one.case}", iso(SystemClock().now_us())
    facts: dict[str, Any] = {"destination": ED, "age_years": one.age, "on_oxygen": False}
    facts["signs"] = [one.sign] if one.sign else []
    assert (await ward.call("tablet", "PUT", path, json=facts)).is_success
    events = [
        {"event_id": str(uuid4()), "code": code, "value": one.values[name], "unit": unit,
         "determined_at": now, "mode": "Test"}
        for name, (code, unit) in CODES.items()
    ]  # fmt: skip
    sent = {"events": events}
    stored = (await ward.call("tablet", "POST", f"{path}/measurements", json=sent)).json()
    assert len(stored["stored"]) == len(events)
    assert (await ward.call("tablet", "POST", f"{path}/arrival")).is_success


async def test_a_surge_with_forty_percent_walk_ins_is_all_on_the_board_in_the_right_order(
    ward: House, superuser: Connection
) -> None:
    surge = [Patient(number) for number in range(ARRIVALS)]
    assert sum(one.walks for one in surge) == WALK_INS
    doors = asyncio.Semaphore(AT_ONCE)

    async def comes(one: Patient) -> None:
        async with doors:
            await (walks_in if one.walks else is_brought)(ward, one)

    await asyncio.gather(*(comes(one) for one in surge))

    async def board() -> dict[str, dict[str, Any]]:
        shown = (await ward.call("physician", "GET", f"/api/v1/boards/{ED}")).json()
        cases = {case["id"]: case for case in shown["cases"]}
        here = [one for one in surge if cases.get(one.case, {}).get("step") == "arrived"]
        whole = all(len(cases[one.case]["values"]) >= len(CODES) for one in here)
        return cases if len(here) == ARRIVALS and whole else {}

    cases = await until(board, "everybody is on the board with all values")
    for one in surge:
        assert cases[one.case]["proposed"] == one.proposed, one.number
        for name, (code, _) in CODES.items():
            assert cases[one.case]["values"][code]["value"] == one.values[name]

    page = (await ward.call("physician", "GET", f"/ed/{ED}")).text
    order = re.findall(r'<tr[^>]*id="case-([0-9a-f-]+)"', page)
    ours = [case for case in order if case != ward.case]
    assert sorted(ours) == sorted(one.case for one in surge), "each once"
    ranks = [(ORDER[cases[case]["proposed"]], cases[case]["arrived_at"]) for case in ours]
    assert ranks == sorted(ranks), "the most urgent first, then who waits longest"

    await archived(ward, superuser)
    rows = await superuser.fetch(
        "select place, count(*) as rows, count(distinct event_id) as events from measurement"
        " where place = any ($1::text[]) group by place",
        [one.case for one in surge],
    )
    counted = {row["place"]: (row["rows"], row["events"]) for row in rows}
    assert counted == {one.case: (len(CODES), len(CODES)) for one in surge}
