"""A stay as a trend: the minutes made behind the archive say the same as every value does."""

from __future__ import annotations

import math
from datetime import timedelta
from statistics import fmean
from typing import Any
from uuid import uuid4

import pytest

from hospital_ops.access import ALL_UNITS, Scope
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.migrations.trends import build_trends
from streams.columns import COLUMNS
from tests.integration.two_hospitals import furnish
from web.trends import store
from web.trends.store import HOUR, MINUTE

BED, CODE = "h1-icu-1-01", "8867-4"
START = 1_780_002_000 * SECOND  # 21:00 UTC
SCOPE = Scope("h1", ALL_UNITS, "nurse.h1", "test")
EVERY_S, HOURS = 20, 30


def row(at: int, value: float, code: str = CODE, **more: Any) -> tuple[Any, ...]:
    """One stored value."""
    known: dict[str, Any] = {
        "hospital_id": "h1", "unit": "h1-icu-1", "place": BED, "patient_id": None, "device": "m",
        "source": "m", "source_message_id": "1", "event_id": uuid4(), "code": code, "channel": "",
        "value": value, "value_text": None, "physical_unit": "/min",
        "determined_at": to_datetime(at), "device_time": None, "received_at": to_datetime(at),
        "stored_at": to_datetime(at), "validity": "Vld", "mode": "Test", "origin": "monitor",
        "remark": "", "entry_id": "1-0", **more,
    }  # fmt: skip
    return tuple(known[column] for column in COLUMNS["measurement"])


@pytest.fixture
async def stay(app: Database, writer: Database) -> dict[int, float]:
    """A day and a quarter of heart rates at a bed: moment to value."""
    await furnish(app)
    values = {
        START + n * EVERY_S * SECOND: round(80 + 20 * math.sin(n / 300) + n % 7, 1)
        for n in range(HOURS * 3600 // EVERY_S)
    }
    values[START + 5 * HOUR + SECOND] = 171.0  # one beat of the day that must not be lost
    rows = [row(at, value) for at, value in values.items()]
    rows.append(row(START + HOUR + 1, 999.0, validity="Inv"))
    async with writer.transaction() as connection:
        await copied(connection, rows)
    return values


async def copied(connection: Connection, rows: list[tuple[Any, ...]]) -> None:
    """Puts rows into the archive."""
    await connection.copy_records_to_table(
        "measurement", records=rows, columns=COLUMNS["measurement"]
    )


async def asked(app: Database, start: int, end: int, step: int) -> list[store.Point]:
    """The points of the heart rate."""
    found = await store.trends(app, SCOPE, BED, [CODE], start, end, step)
    return found[CODE].points if found else []


def by_hand(values: dict[int, float], start: int, end: int, step: int) -> list[tuple[Any, ...]]:
    """The same, value by value."""
    steps: dict[int, list[float]] = {}
    for at, value in values.items():
        if start <= at < end:
            steps.setdefault(start + (at - start) // step * step, []).append(value)
    return [
        (at, min(found), max(found), pytest.approx(fmean(found)), len(found))
        for at, found in sorted(steps.items())
    ]


async def test_a_trend_of_the_whole_stay_is_that_of_every_value(
    app: Database, owner: Database, writer: Database, stay: dict[int, float]
) -> None:
    now = START + HOURS * HOUR
    made = 0
    while hours := await build_trends(owner, now):
        made += hours
    # Every hour that was over for a while, and again those that were over for more than a day.
    assert made == (HOURS - 1) + (HOURS - 25)
    for start, end, step in (
        (START, now, 17 * MINUTE),  # from minutes, and from values where none are made yet
        (START + 7 * MINUTE, START + 9 * HOUR, MINUTE),
        (START + 5 * HOUR, START + 5 * HOUR + 4 * MINUTE, SECOND),  # closer than a minute
    ):
        assert await asked(app, start, end, step) == by_hand(stay, start, end, step)
    assert max(p.highest for p in await asked(app, START, now, HOUR)) == 171.0
    late = START + 20 * HOUR + 30 * SECOND + 7
    async with writer.transaction() as connection:
        await copied(connection, [row(late, 33.0)])
    assert min(p.lowest for p in await asked(app, START, now, HOUR)) > 33.0
    while await build_trends(owner, now + 2 * 24 * HOUR):
        pass
    assert min(p.lowest for p in await asked(app, START, now, HOUR)) == 33.0
    elsewhere = Scope("h2", ALL_UNITS, "nurse.h2", "test")
    assert not await store.trends(app, elsewhere, BED, [CODE], START, now, HOUR)
    day = await store.charted(app, SCOPE, BED, START, START + int(timedelta(1).total_seconds()))
    assert day == []


async def test_a_trend_is_of_whoever_lies_in_the_bed_and_never_of_the_patient_before(
    app: Database, owner: Database, writer: Database
) -> None:
    await furnish(app)
    came = START + 3 * HOUR
    before, after = uuid4(), uuid4()
    bound = [(START, before), (came - HOUR, None), (came, after), (came + HOUR, after)]
    async with writer.transaction() as connection:
        for number, (at, patient) in enumerate(bound):
            await connection.execute(
                "insert into binding (hospital_id, unit, bed, from_at, patient_id, mrn, entry_id)"
                " values ('h1', 'h1-icu-1', $1, $2, $3, '', $4)",
                BED, to_datetime(at), patient, f"{number}-0",
            )  # fmt: skip
        typed = {"code": "9187-6", "origin": "typed"}
        rows = [row(START + HOUR, 40.0), row(came + 1, 90.0)]
        rows += [row(START + HOUR, 500.0, **typed), row(came + 2, 60.0, **typed)]
        await copied(connection, rows)
    end = came + 2 * HOUR
    assert [p.highest for p in await asked(app, START, end, HOUR)] == [90.0]  # from values
    while await build_trends(owner, end + 24 * HOUR):
        pass
    assert [p.highest for p in await asked(app, START, end, HOUR)] == [90.0]  # from minutes
    assert await store.span(app, SCOPE, BED) == (came + 1, came + 2)
    charted = await store.charted(app, SCOPE, BED, START, end)
    assert [one["value"] for one in charted] == [60.0]
