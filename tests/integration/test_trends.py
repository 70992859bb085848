"""A stay as a trend: the minutes made behind the archive say the same as every value does."""

from __future__ import annotations

import math
from datetime import timedelta
from statistics import fmean
from typing import Any
from uuid import uuid4

import pytest

from hospital_ops import wire
from hospital_ops.access import ALL_UNITS, Scope
from hospital_ops.clock import SECOND, from_datetime, to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.migrations.trends import build_trends
from streams import archive
from streams.columns import COLUMNS
from streams.known.knowledge import Known
from streams.rows import CLAIMED, Taken
from tests.integration.two_hospitals import furnish
from web.charted import store as written
from web.trends import store
from web.trends.steps import HOUR, MINUTE, Point

BED, CODE = "h1-icu-1-01", "8867-4"
START = 1_780_002_000 * SECOND  # 21:00 UTC
SCOPE = Scope("h1", ALL_UNITS, "nurse.h1", "test")
EVERY_S, HOURS = 20, 30


def row(at: int, number: float, code: str = CODE, **more: Any) -> tuple[Any, ...]:
    """One stored value."""
    known: dict[str, Any] = {
        "hospital_id": "h1", "unit": "h1-icu-1", "place": BED, "patient_id": None, "device": "m",
        "source": "m", "source_message_id": "1", "event_id": uuid4(), "code": code, "channel": "",
        "value": number, "value_text": None, "physical_unit": "/min",
        "determined_at": to_datetime(at), "device_time": None, "received_at": to_datetime(at),
        "stored_at": to_datetime(at), "validity": "Vld", "mode": "Test", "origin": "monitor",
        "remark": "", "entry_id": "1-0", "named": None, **more,
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


async def asked(app: Database, start: int, end: int, step: int) -> list[Point]:
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
    day = await written.charted(app, SCOPE, BED, START, START + int(timedelta(1).total_seconds()))
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
    charted = await written.charted(app, SCOPE, BED, START, end)
    assert [one["value"] for one in charted] == [60.0]


async def admitted(writer: Database, mode: str, at: int) -> str:
    """A patient of a mode lies in the bed from a moment on; the patient's id."""
    person = str(uuid4())
    async with writer.transaction() as connection:
        await connection.execute(
            "insert into patient_event (hospital_id, unit, patient_id, mrn, family, given, sex,"
            " birth_date, trigger, bed, prior_bed, visit, event_at, received_at, mode, source,"
            " entry_id) values ('h1', 'h1-icu-1', $1, '', '', '', '', '', 'A01', $2, '', '', $3,"
            " $3, $4, 'adt', '7-0')",
            person, BED, to_datetime(at), mode,
        )  # fmt: skip
        await connection.execute(
            "insert into binding (hospital_id, unit, bed, from_at, patient_id, mrn, entry_id)"
            " values ('h1', 'h1-icu-1', $1, $2, $3, '', '7-0')",
            BED, to_datetime(at), person,
        )  # fmt: skip
    return person


async def made(owner: Database, now: int) -> None:
    """Makes every hour that is due."""
    while await build_trends(owner, now):
        pass


async def test_what_a_test_device_sends_never_joins_the_curve_of_a_real_patient(
    app: Database, owner: Database, writer: Database
) -> None:
    await furnish(app)
    person = await admitted(writer, "Real", START)
    own: dict[str, Any] = {"patient_id": person, "mode": "Real"}
    typed = {"code": "9187-6", "origin": "typed"}
    async with writer.transaction() as connection:
        await copied(connection, [
            row(START + HOUR + 1, 80.0, **own), row(START + HOUR + 2, 30.0, mode="Demo"),
            row(START + HOUR + 3, 31.0, mode="Test"), row(START + HOUR + 4, 32.0, mode="Drill"),
            row(START + HOUR + 5, 500.0, **typed), row(START + HOUR + 6, 60.0, **typed, **own),
            # The monitor had named another patient: nobody's value, as long as nobody says whose.
            row(START + HOUR + 7, 33.0, mode="Real", remark=CLAIMED),
        ])  # fmt: skip
    end = START + 3 * HOUR
    for _ in ("from the values", "from the minutes"):
        found = await store.trends(app, SCOPE, BED, [CODE], START, end, HOUR)
        assert [(p.lowest, p.highest) for p in found[CODE].points] == [(80.0, 80.0)]
        assert found[CODE].mode == "Real"
        await made(owner, end + 24 * HOUR)
    assert await store.span(app, SCOPE, BED) == (START + HOUR + 1, START + HOUR + 7)
    charted = await written.charted(app, SCOPE, BED, START, end)
    assert [one["value"] for one in charted] == [60.0]


async def test_where_nobody_lies_simulated_values_are_a_curve_of_their_own_and_it_says_so(
    app: Database, owner: Database, writer: Database
) -> None:
    await furnish(app)
    rows = [
        row(START + 1, 30.0),
        row(START + HOUR + 1, 31.0),
        row(START + HOUR + 2, 80.0, mode="Real"),
    ]
    async with writer.transaction() as connection:
        await copied(connection, rows)
    for _ in ("from the values", "from the minutes"):
        both = (await store.trends(app, SCOPE, BED, [CODE], START, START + 2 * HOUR, HOUR))[CODE]
        assert (both.mode, [p.highest for p in both.points]) == ("Real", [80.0])
        first = (await store.trends(app, SCOPE, BED, [CODE], START, START + HOUR, HOUR))[CODE]
        assert (first.mode, [p.highest for p in first.points]) == ("Test", [30.0])
        await made(owner, START + 48 * HOUR)


async def test_a_value_taken_back_days_later_leaves_the_minutes_and_one_that_came_late_joins_them(
    app: Database, owner: Database, writer: Database
) -> None:
    await furnish(app)
    wrong, later = uuid4(), START + 100 * HOUR
    typed: dict[str, Any] = {"code": "9187-6", "origin": "typed", "physical_unit": "mL"}
    async with writer.transaction() as connection:
        await copied(connection, [
            row(START + HOUR + 1, 4300.0, event_id=wrong, **typed),
            row(START + HOUR + 2, 50.0, **typed), row(START + 5 * HOUR, 40.0, **typed),
        ])  # fmt: skip
    await made(owner, later)

    async def highest() -> list[float]:
        found = await store.trends(app, SCOPE, BED, ["9187-6"], START, START + 9 * HOUR, HOUR)
        return [point.highest for point in found["9187-6"].points]

    assert await highest() == [4300.0, 40.0]
    correction = wire.Corrected(
        unit="h1-icu-1", bed=BED, event=str(wrong), replaced_by="", code="9187-6", value=4300.0,
        determined_at=START + HOUR + 1, by="nurse.h1", role="nurse", at=later, reason="typed twice",
        source="nurse.h1", received_at=later, mode="Test",
    )  # fmt: skip
    late = wire.Observed(
        unit="h1-icu-1", source="m", message_id="9", identity=b"9" * 32, received_at=later,
        mode="Test", bed=BED, device="m",
        observations=(wire.Observation("9187-6", 70.0, "mL", START + 3 * HOUR, origin="typed"),),
    )  # fmt: skip
    both: tuple[wire.Entry, ...] = (correction, late)
    entries = [
        Taken("h1-icu-1", "in", f"{later // 1000}-{number}", wire.encode(entry), b"x", entry)
        for number, entry in enumerate(both)
    ]
    async with writer.transaction() as connection:
        await archive.carry(connection, entries, Known(), to_datetime(later))
    # At once, by the values themselves; and when the hours have been made anew.
    assert await highest() == [50.0, 70.0, 40.0]
    assert await build_trends(owner, later) == 2
    assert await highest() == [50.0, 70.0, 40.0]
    async with owner.transaction() as connection:
        assert await connection.fetchval("select count(*) from trend_again") == 0
        assert await connection.fetchval("select max(highest) from trend_minute") == 70.0


async def test_an_hour_is_made_when_the_archive_holds_what_was_received_in_it(
    app: Database, owner: Database, writer: Database
) -> None:
    await furnish(app)
    now = START + 3 * HOUR  # the archive may lie behind
    async with writer.transaction() as connection:
        await copied(connection, [row(START + 1, 80.0)])
    for stored, hours in ((START + 74 * MINUTE, 0), (START + 76 * MINUTE, 1)):
        async with writer.transaction() as connection:
            await connection.execute(
                "insert into reader_position (shard, stream, hospital_id, position, epoch)"
                " values ('h1-icu-1', 'in', 'h1', $1, 1)"
                " on conflict (shard, stream) do update set position = excluded.position",
                f"{stored // 1000}-0",
            )
        assert await build_trends(owner, now) == hours


async def test_what_changed_about_the_devices_stands_on_the_same_axis(
    app: Database, owner: Database, writer: Database
) -> None:
    await furnish(app)
    norepinephrine: dict[str, Any] = {"code": "norepinephrine", "origin": "pump"}
    mode: dict[str, Any] = {"code": "20124-4", "value": None, "physical_unit": ""}
    rows = []
    for minute in range(0, 150, 5):
        at = START + minute * MINUTE
        rows.append(row(at, 80.0, device="monitor-1" if minute < 90 else "monitor-2"))
        syringe = "A" if minute < 30 else "B"
        rows.append(row(at, 0.1, device="pump-1", channel=syringe, **norepinephrine))
        if minute >= 20:
            rows.append(row(at + 1, 0.0, **mode | {"value_text": "PC" if minute < 100 else "PS"}))
    async with writer.transaction() as connection:
        await copied(connection, rows)
        for minute in range(150):
            for code in ("131329", "131330")[: 2 if minute < 70 else 1]:
                await connection.execute(
                    "insert into waveform (hospital_id, unit, place, device, code, channel,"
                    " started_at, received_at, rate_hz, scale, value_offset, physical_unit,"
                    " samples, sequence, mode, entry_id) values ('h1', 'h1-icu-1', $1, 'm', $2, '',"
                    " $3, $3, 250, 0.001, 0, 'mV', '', 0, 'Test', '1-0')",
                    BED, code, to_datetime(START + minute * MINUTE),
                )  # fmt: skip
    expected = [
        (0, "leads", "I, II"), (0, "monitor", "monitor-1"), (0, "pump", "pump-1 A"),
        (20, "ventilation", "PC"), (30, "pump", "pump-1 B"), (70, "leads", "I"),
        (90, "monitor", "monitor-2"), (100, "ventilation", "PS"),
    ]  # fmt: skip
    end = START + 150 * MINUTE
    for _ in ("from the values", "as the hours were made"):
        found = await store.device_changes(app, SCOPE, BED, START, end)
        minutes = [((from_datetime(c.at) - START) // MINUTE, c.what, c.said) for c in found]
        assert minutes == expected
        later = await store.device_changes(app, SCOPE, BED, START + 95 * MINUTE, end)
        assert [c.said for c in later] == ["PS"]
        await made(owner, end + 2 * HOUR)
    elsewhere = Scope("h2", ALL_UNITS, "nurse.h2", "test")
    assert await store.device_changes(app, elsewhere, BED, START, end) == []
