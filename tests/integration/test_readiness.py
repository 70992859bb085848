"""The house gets ready: one place one patient, the crew sees it, phrases are read back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from hospital_ops.access import Role
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from tests.integration.ecg_house import ED, House, house
from tests.integration.streams_help import relaying, until


@pytest.fixture
async def ward(
    fresh_valkey: Valkey, app: Database, writer: Database, two_hospitals: None
) -> AsyncIterator[House]:
    async with house(fresh_valkey.url, app, writer) as made:
        await made.lets_in("triage", Role.TRIAGE_NURSE)
        await made.lets_in("next door", Role.ED_PHYSICIAN, "h2")
        async with relaying(made.pipe, writer):
            yield made


async def test_of_two_vehicles_that_want_one_bay_one_gets_it_and_the_other_is_told(
    ward: House, superuser: Connection
) -> None:
    other, bay = str(uuid4()), f"{ED}-r1"
    path = f"/api/v1/prearrivals/{other}"
    assert (await ward.call("other tablet", "PUT", path, json={"destination": ED})).is_success
    wanted = {"place": bay, "act": "hold"}
    answers = await asyncio.gather(
        ward.call("physician", "POST", "places", json=wanted),
        ward.call("triage", "POST", f"{path}/places", json=wanted),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    told = next(answer.json() for answer in answers if answer.status_code == 409)
    assert "kept for another patient" in told["detail"]
    winner = told["current"]["case"]
    assert winner in (ward.case, other)
    won = f"/api/v1/prearrivals/{winner}"
    again = await ward.call("physician", "POST", f"{won}/places", json=wanted)
    assert again.status_code == 200, "who has it may say so again"
    rows = await superuser.fetch("select case_id from place_given where place = $1", bay)
    assert [str(row["case_id"]) for row in rows] == [winner]

    sender = "tablet" if winner == ward.case else "other tablet"
    assert (await ward.call(sender, "POST", f"{won}/cancellation")).is_success
    refused = await ward.call("physician", "POST", f"{won}/places", json=wanted)
    assert refused.status_code == 409, "nothing is kept for a case that has ended"

    async def free() -> bool:
        return not await superuser.fetch("select from place_given where place = $1", bay)

    await until(free, "the end gave the bay back")


async def test_the_crew_sees_what_is_ready_and_reads_back_what_it_is_told(ward: House) -> None:
    opened = {"destination": ED, "age_years": 61, "signs": ["ecg_acute_ischaemia"]}
    path = f"/api/v1/prearrivals/{ward.case}"
    assert (await ward.call("tablet", "PUT", path, json=opened)).is_success
    for act in ("hold", "ready"):
        wanted = {"place": f"{ED}-cath", "act": act}
        kept = await ward.call("physician", "POST", "places", json=wanted)
        assert kept.status_code == 200, kept.text
    ticked = {"pathway": "stemi", "item": "activate", "note": "entrance B"}
    assert (await ward.call("triage", "POST", "readiness", json=ticked)).is_success
    phrase = str(uuid4())
    said = {"phrase": "cath_lab_direct", "id": phrase}
    for _ in range(2):  # a repeat does nothing
        assert (await ward.call("physician", "POST", "messages", json=said)).is_success
    wrong = await ward.call("tablet", "POST", "messages", json={"phrase": "ct_direct"})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "bad_phrase")
    assert (await ward.call("tablet", "POST", f"messages/{phrase}/read-back")).is_success

    async def ready() -> dict[str, Any] | None:
        answer = await ward.call("tablet", "GET", path)
        case: dict[str, Any] = answer.json()
        places, messages = case.get("places") or [], case.get("messages") or []
        whole = [p["state"] for p in places] == ["ready"] and messages
        return case if whole and messages[0]["read_back"] else None

    case: dict[str, Any] = await until(ready, "the crew sees the place and its own read-back")
    assert [message["phrase"] for message in case["messages"]] == ["cath_lab_direct"]
    (stemi,) = case["readiness"]
    activate = next(item for item in stemi["items"] if item["id"] == "activate")
    assert (activate["done_by"], activate["note"], stemi["done"]) == ("triage", "entrance B", 1)


async def test_places_and_ticks_are_the_departments_own(ward: House, superuser: Connection) -> None:
    wanted = {"place": f"{ED}-r2", "act": "hold"}
    ticked = {"pathway": "stemi", "item": "activate"}
    for who in ("tablet", "next door", "nurse next door"):
        assert (await ward.call(who, "POST", "places", json=wanted)).status_code == 404, who
        assert (await ward.call(who, "POST", "readiness", json=ticked)).status_code == 404, who
    foreign = await ward.call("physician", "POST", "places", json={"place": "h2-ed-r1"})
    assert foreign.status_code == 404
    assert (await ward.call("next door", "GET", f"/api/v1/ed/{ED}/places")).status_code == 404
    listed = (await ward.call("physician", "GET", f"/api/v1/ed/{ED}/places")).json()
    assert {row["state"] for row in listed} == {"free"}
    assert (await ward.call("physician", "POST", "places", json=wanted)).is_success
    rows = await superuser.fetch("select subject from audit where action = 'keep_place'")
    assert [row["subject"] for row in rows] == [ward.case]
