"""The way of a case over the calls: what may not follow is said, what has ended is forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hospital_ops.access import Role
from hospital_ops.clock import SystemClock
from hospital_ops.database import Database
from hospital_ops.servers.valkey import Valkey
from streams.cases import ENDED_KEPT_US, OPEN_KEPT_US
from streams.projections import Projections
from tests.integration.ecg_house import House, house
from tests.integration.streams_help import until


@pytest.fixture
async def ward(
    fresh_valkey: Valkey, app: Database, writer: Database, two_hospitals: None
) -> AsyncIterator[House]:
    async with house(fresh_valkey.url, app, writer) as made:
        await made.lets_in("triage", Role.TRIAGE_NURSE)
        yield made


async def test_a_cancellation_after_the_arrival_is_refused_with_a_sentence(ward: House) -> None:
    assert (await ward.call("tablet", "POST", "arrival")).status_code == 200
    assert (await ward.call("tablet", "POST", "arrival")).status_code == 200, "said again"
    refused = await ward.call("tablet", "POST", "cancellation")
    assert (refused.status_code, refused.json()["error"]) == (409, "conflict")
    assert "has arrived: hand over" in refused.json()["detail"]
    over = await ward.call("triage", "POST", "handover")
    assert over.status_code == 200, over.text
    ended = await ward.call("triage", "POST", "discharge")
    assert "has ended" in ended.json()["detail"]


async def test_a_destination_that_nobody_knows_is_refused_and_a_listed_one_is_kept(
    ward: House,
) -> None:
    wanted = {"colour": "green", "version": 0, "reason": "seen", "care": ["ct"]}

    async def on_the_board() -> bool:
        answer = await ward.call("physician", "GET", f"/api/v1/prearrivals/{ward.case}")
        return answer.status_code == 200

    await until(on_the_board, "the case is on the board")
    refused = await ward.call(
        "physician", "POST", "decision", json={**wanted, "destination": "the moon"}
    )
    assert (refused.status_code, refused.json()["error"]) == (400, "bad_destination")
    kept = await ward.call("physician", "POST", "decision", json={**wanted, "destination": "ct"})
    assert (kept.json()["destination"], kept.json()["care"]) == ("ct", ["ct"])


async def test_a_case_is_forgotten_two_days_after_its_end_and_an_open_one_after_a_month(
    ward: House,
) -> None:
    projections, now = Projections(ward.pipe), SystemClock().now_us()
    other = "0190a000-0000-7000-8000-000000000001"
    await projections.claim_case("h1", other, "h1-ed", "device:tablet", now)
    assert (await ward.call("tablet", "POST", "cancellation")).status_code == 200
    await projections.forget_cases("h1", now + ENDED_KEPT_US - 1)
    assert await Projections(ward.pipe).case("h1", ward.case), "late data still find the unit"
    later = SystemClock().now_us() + ENDED_KEPT_US
    assert await projections.forget_cases("h1", later) == 1
    assert await Projections(ward.pipe).case("h1", ward.case) is None
    assert await Projections(ward.pipe).case("h1", other)
    await projections.forget_cases("h1", now + OPEN_KEPT_US)
    assert await Projections(ward.pipe).case("h1", other) is None


async def test_cases_of_an_earlier_version_are_given_a_day_to_be_forgotten(ward: House) -> None:
    now, old = SystemClock().now_us(), "0190a000-0000-7000-8000-000000000002"
    await ward.pipe.call("HSET", "{h1-hall}:cases", old, '["h1-ed","device:tablet"]')
    projections = Projections(ward.pipe)
    await projections.forget_cases("h1", now)
    assert await Projections(ward.pipe).case("h1", old)
    await projections.forget_cases("h1", now + OPEN_KEPT_US)
    assert await Projections(ward.pipe).case("h1", old) is None
