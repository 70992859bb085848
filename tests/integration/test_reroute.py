"""A reroute: the other hospital's board expects the patient, the crew goes on as before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from hospital_ops.access import Role
from hospital_ops.clock import SystemClock, iso
from hospital_ops.database import Database
from hospital_ops.servers.valkey import Valkey
from tests.integration.ecg_house import ED, House, _department, house
from tests.integration.streams_help import living, storing, until

THERE = "h2-ed"


@pytest.fixture
async def ward(
    fresh_valkey: Valkey, app: Database, writer: Database, two_hospitals: None
) -> AsyncIterator[House]:
    async with (
        house(fresh_valkey.url, app, writer) as made,
        living(fresh_valkey.url, "two", _department, THERE),
        storing(fresh_valkey.url, writer, "two", shards=(THERE, "h2-hall")),
    ):
        await made.lets_in("physician next door", Role.ED_PHYSICIAN, "h2")
        yield made
        await made.clients["physician next door"].aclose()


def pressure(value: float) -> dict[str, Any]:
    now = iso(SystemClock().now_us())
    event = {"code": "8480-6", "value": value, "unit": "mm[Hg]", "determined_at": now}
    return {"events": [event | {"event_id": str(uuid4()), "mode": "Test"}]}


async def goes_on(ward: House, path: str) -> None:
    """The crew, which has not heard yet and says the first destination, and then reads back."""
    again = {"destination": ED, "age_years": 61}
    put = await ward.call("tablet", "PUT", path, json=again)
    assert put.json()["unit"] == THERE
    told = (await ward.call("tablet", "GET", f"{path}/summary")).json()
    assert told["unit"] == THERE
    (message,) = told["messages"]
    assert "no bed" in message["text"]
    read = f"messages/{message['id']}/read-back"
    assert (await ward.call("tablet", "POST", read)).is_success
    assert (await ward.call("tablet", "POST", "measurements", json=pressure(95))).is_success


async def test_the_crew_goes_on_to_the_new_hospital_which_knows_what_the_first_one_knew(
    ward: House,
) -> None:
    assert (await ward.call("tablet", "POST", "measurements", json=pressure(70))).is_success
    path = f"/api/v1/prearrivals/{ward.case}"
    signs = {"destination": ED, "signs": ["ecg_acute_ischaemia"]}
    assert (await ward.call("tablet", "PUT", path, json=signs)).is_success
    assert (await ward.call("nurse next door", "GET", path)).status_code == 404
    refused = await ward.call("physician", "POST", "reroute", json={"to": THERE})
    assert (refused.status_code, refused.json()["error"]) == (400, "no_reason")

    async def known() -> bool:
        answer = await ward.call("physician", "GET", path)
        return answer.status_code == 200 and bool(answer.json()["values"])

    await until(known, "the first board knows the value")
    sent = {"to": THERE, "reason": "no bed"}
    moved = await ward.call("physician", "POST", "reroute", json=sent)
    assert moved.json()["unit"] == THERE, moved.text
    second = await ward.call("physician", "POST", "reroute", json=sent)
    assert second.status_code == 409, "it has been sent on already"

    async def expected() -> dict[str, Any] | None:
        answer = await ward.call("physician next door", "GET", path)
        case: dict[str, Any] = answer.json()
        return case if answer.status_code == 200 and case.get("rerouted") else None

    case: dict[str, Any] = await until(expected, "the other board expects the patient")
    assert (case["step"], case["proposed"], case["values"]["8480-6"]["value"]) == (
        "coming", "red", 70,
    )  # fmt: skip

    await goes_on(ward, path)
    decision = {"colour": "red", "version": 0}
    assert (
        await ward.call("physician next door", "POST", "decision", json=decision)
    ).status_code == 200
    assert (await ward.call("tablet", "POST", "arrival")).is_success

    async def there() -> bool:
        now = (await ward.call("physician next door", "GET", path)).json()
        return bool(now["step"] == "arrived" and now["values"]["8480-6"]["value"] == 95)

    await until(there, "the patient has arrived at the other hospital")

    async def whole() -> bool:
        sheet = await ward.call("physician next door", "GET", f"{path}/sheet")
        return sheet.status_code == 200 and "70" in sheet.text and "95" in sheet.text

    await until(whole, "the sheet there has what was stored before the reroute")

    async def left() -> dict[str, Any] | None:
        answer = await ward.call("physician", "GET", path)
        case: dict[str, Any] = answer.json()
        return case if answer.status_code == 200 and case["step"] == "rerouted" else None

    await until(left, "what they had stays theirs")
    assert (await ward.call("physician", "POST", "arrival")).status_code == 409
