"""A tablet that was offline for a day brings everything, in any order, three times, beside what is
live: the set is exact, no old value is current, nothing from the past rings."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND, SystemClock, from_iso, iso
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from streams.shard import keys
from tests.integration.ecg_house import ED, House, archived, house
from tests.integration.streams_help import until

LONG = os.environ.get("HOSPITAL_OPS_LONG") == "1"
# A value a second for a day; the short form has one each minute.
ROWS, BATCH = (86_400, 2000) if LONG else (1_440, 60)
SEED = 20_261_122
DAY_US = 86_400 * SECOND
PULSE = "8867-4"
LIVE_EVERY = 10  # batches


@pytest.fixture
async def ward(
    fresh_valkey: Valkey, app: Database, writer: Database, two_hospitals: None
) -> AsyncIterator[House]:
    """A department with one case open."""
    async with house(fresh_valkey.url, app, writer) as made:
        yield made


def value(at: int, number: float) -> dict[str, Any]:
    """One heart rate as the tablet keeps it."""
    return {
        "event_id": str(uuid4()), "code": PULSE, "value": number, "unit": "/min",
        "determined_at": iso(at), "mode": "Test",
    }  # fmt: skip


def a_day_ago(now: int) -> list[dict[str, Any]]:
    """Every value of the day; for an hour of it the heart raced, which would be red now."""
    step = DAY_US // ROWS
    return [
        value(now - DAY_US + n * step, 190 if ROWS // 3 < n < ROWS // 3 + ROWS // 24 else 75)
        for n in range(ROWS - 60 * SECOND // step - 1)  # up to a minute or two ago
    ]


async def sent(ward: House, events: list[dict[str, Any]]) -> set[str]:
    """What the hospital says that it has."""
    answer = await ward.call("tablet", "POST", "measurements", json={"events": events})
    return set(answer.json()["stored"])


async def board(ward: House) -> dict[str, Any]:
    """The case as it stands on the board."""
    answer = await ward.call("physician", "GET", f"/api/v1/prearrivals/{ward.case}")
    found: dict[str, Any] = answer.json()
    return found


async def rung(ward: House) -> int:
    """How often a call has rung."""
    rows = await ward.pipe.call("XRANGE", keys(ED).out, "-", "+")
    entries = [wire.decode(fields[1]) for _, fields in rows]
    return sum(isinstance(one, wire.Rang) for one in entries)


async def test_a_day_offline_three_times_shuffled_beside_live_data(
    ward: House, superuser: Connection
) -> None:
    chance, now = random.Random(SEED), SystemClock().now_us()
    live = [value(now, 82)]
    told = await sent(ward, live)

    async def shown() -> dict[str, Any]:
        found = (await board(ward)).get("values", {}).get(PULSE)
        return found if found and found["determined_at"] == live[-1]["determined_at"] else {}

    await until(shown, "the live value is on the board")
    before, calls = await board(ward), await rung(ward)
    day = a_day_ago(now)
    rows = day * 3
    chance.shuffle(rows)
    for count, start in enumerate(range(0, len(rows), BATCH)):
        told |= await sent(ward, rows[start : start + BATCH])
        if count % LIVE_EVERY == 0:
            live.append(value(SystemClock().now_us(), 80 + count % 5))
            told |= await sent(ward, live[-1:])
            now_shown = (await board(ward))["values"][PULSE]
            assert from_iso(now_shown["determined_at"]) >= now // 1000 * 1000, "none is current"
            assert now_shown["value"] < 100
    assert told == {one["event_id"] for one in (*day, *live)}
    assert (await until(shown, "the newest is on the board"))["value"] == live[-1]["value"]
    await archived(ward, superuser)
    after = await board(ward)
    assert after["triage"]["proposed"] == before["triage"]["proposed"]
    assert await rung(ward) == calls, "nothing from the past rings"
    stored = await superuser.fetch(
        "select event_id::text, determined_at, value from measurement where place = $1", ward.case
    )
    assert len(stored) == len(day) + len(live), "doubled: 0"
    assert {row["event_id"] for row in stored} == told, "lost: 0, and the set is exact"
    colours = await superuser.fetch("select distinct proposed from assessment")
    assert {row["proposed"] for row in colours} == {before["triage"]["proposed"]}
