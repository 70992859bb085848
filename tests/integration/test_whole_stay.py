"""A stay through three beds on one axis: all hours of the patient, and nobody else's."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from hospital_ops.access import ALL_UNITS, Scope
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.installation import store as installation
from hospital_ops.migrations.trends import build_trends
from tests.integration.test_trends import copied, row
from tests.integration.two_hospitals import ADMIN, NOW, furnish
from web.charted import store as charted
from web.trends import store
from web.trends.steps import HOUR, MINUTE
from web.whereabouts import curves
from web.whereabouts import store as whereabouts
from web.whereabouts.spans import STILL, Span

START = 1_780_002_000 * SECOND
ONE, TWO = "h1-icu-1", "h1-icu-2"
FIRST, SECOND_BED, THIRD = f"{ONE}-01", f"{ONE}-02", f"{TWO}-01"
HR, URINE, CASE = "8867-4", "9187-6", uuid4()
WHO, BEFORE, AFTER, OTHER = (uuid4() for _ in range(4))
MOVED, GONE = START + 3 * HOUR + 1_234_567, START + 5 * HOUR + 30 * SECOND
NURSE = Scope("h1", (TWO,), "nurse.h1", "test")  # of the unit where the patient lies now, alone
END = START + 8 * HOUR


async def told(
    connection: Connection, trigger: str, who: UUID, at: int, to: str, left: str = "",
    case: UUID | None = None,
) -> None:  # fmt: skip
    """What an ADT event comes to in the archive: the event, and the bindings it makes."""
    number = str(who)[:8]
    for bed in filter(None, (to, left)):
        if bed == left and to and bed.rpartition("-")[0] != to.rpartition("-")[0]:
            await _event(connection, trigger, who, at, "", left, None)
        patient = who if bed == to and trigger != "A03" else None
        await connection.execute(
            "insert into binding (hospital_id, unit, bed, from_at, patient_id, mrn, entry_id)"
            " values ('h1', $1, $2, $3, $4, $5, $6)",
            bed.rpartition("-")[0], bed, to_datetime(at), patient, number,
            f"{at}-{bed[-2:]}{number}",
        )  # fmt: skip
    await _event(connection, trigger, who, at, to, left, case)


async def _event(
    connection: Connection, trigger: str, who: UUID, at: int, to: str, left: str, case: UUID | None
) -> None:
    await connection.execute(
        "insert into patient_event (hospital_id, unit, patient_id, mrn, family, given, sex,"
        " birth_date, trigger, bed, prior_bed, visit, event_at, received_at, mode, source,"
        " entry_id, case_id) values ('h1', $1, $2, $3, '', '', '', '', $4, $5, $6, '', $7, $7,"
        " 'Test', 'adt', $8, $9)",
        (to or left).rpartition("-")[0], who, str(who)[:8], trigger, to, left, to_datetime(at),
        f"{at}-{trigger}-{left or to}-{who}", case,
    )  # fmt: skip


def monitor(bed: str, who: UUID | None, at: int, number: float, **more: Any) -> tuple[Any, ...]:
    """A value of a bed."""
    return row(at, number, place=bed, unit=bed.rpartition("-")[0], patient_id=who, **more)


@pytest.fixture
async def moved(app: Database, superuser: Connection) -> None:
    """From the street to bed 1, then 2, then to the other unit; others lay in bed 1 and 2."""
    await furnish(app)
    async with app.transaction(ADMIN["h1"]) as connection:
        await installation.ensure_unit(connection, ADMIN["h1"], TWO, "icu", TWO, NOW)
        await installation.ensure_beds(connection, ADMIN["h1"], TWO, [(THIRD, "1")], NOW)
    await superuser.execute(
        "insert into unit_limit (change_id, hospital_id, unit, patient_id, rule, code, band,"
        " version, limit_value, reason, replay, approved_by, approved_at, mode)"
        " values (gen_random_uuid(), 'h1', $1, $2, 'map_low', '', '', 1, 66, 'x', '{}', 'x', $3,"
        " 'Test')",
        ONE, str(WHO), to_datetime(START - 24 * HOUR),
    )  # fmt: skip
    await superuser.execute(
        "insert into case_event (hospital_id, unit, case_id, kind, at, actor, payload, mode,"
        " entry_id) values ('h1', 'h1-ed', $1, 'facts', $2, 'crew', '{}', 'Test', '1-0')",
        CASE, to_datetime(START - HOUR),
    )  # fmt: skip
    for kind, item in (("limit", 1), ("treatment", 2), ("treatment", 3)):
        payload = {"id": str(UUID(int=item)), "what": f"said {item}"}
        await superuser.execute(
            "insert into case_event (hospital_id, unit, case_id, kind, at, actor, payload, mode,"
            " entry_id) values ('h1', 'h1-ed', $1, $2, $3, 'crew', $4, 'Test', $5)",
            CASE, kind, to_datetime(START - HOUR), json.dumps(payload), f"2-{item}",
        )  # fmt: skip
    await superuser.execute(
        "insert into case_event (hospital_id, unit, case_id, kind, at, actor, payload, mode,"
        " entry_id) values ('h1', 'h1-ed', $1, 'withdrawal', $2, 'crew', $3, 'Test', '3-0')",
        CASE, to_datetime(START - HOUR), json.dumps({"id": "x", "of": str(UUID(int=3))}),
    )  # fmt: skip
    await told(superuser, "A01", BEFORE, START - 9 * HOUR, FIRST)
    await told(superuser, "A03", BEFORE, START - HOUR, FIRST)
    await told(superuser, "A01", WHO, START, FIRST, case=CASE)
    await told(superuser, "A01", OTHER, START - 8 * HOUR, SECOND_BED)
    await told(superuser, "A03", OTHER, START + HOUR, SECOND_BED)
    await told(superuser, "A02", WHO, MOVED, SECOND_BED, FIRST)
    await told(superuser, "A01", AFTER, MOVED + MINUTE, FIRST)
    await told(superuser, "A02", WHO, GONE, THIRD, SECOND_BED)
    await told(superuser, "A01", OTHER, GONE, SECOND_BED)
    rows = []
    for at in range(START - HOUR, END, 20 * SECOND):
        rows.append(monitor(FIRST, WHO if START <= at < MOVED else AFTER, at, 70.0
                            if START <= at < MOVED else 200.0))  # fmt: skip
        theirs = MOVED <= at < GONE
        rows.append(monitor(SECOND_BED, WHO if theirs else OTHER, at, 80.0 if theirs else 210.0))
        rows.append(monitor(THIRD, WHO if at >= GONE else None, at, 90.0 if at >= GONE else 220.0))
    typed: dict[str, Any] = {"code": URINE, "origin": "typed"}
    for bed, at, number in ((FIRST, START + HOUR, 50.0), (SECOND_BED, MOVED + HOUR, 60.0)):
        rows.append(monitor(bed, WHO, at, number, **typed))
    rows.append(monitor(FIRST, AFTER, MOVED + HOUR, 500.0, **typed))
    rows.append(row(START - HOUR // 2, 41.0, place=str(CASE), unit="h1-ed"))
    async with superuser.transaction():
        await copied(superuser, rows)


async def by_hour(app: Database, bed: str = THIRD, scope: Scope = NURSE) -> list[tuple[float, ...]]:
    """Lowest and highest of each hour."""
    found = await store.trends(app, scope, bed, [HR], START - HOUR, END, HOUR)
    return [(p.lowest, p.highest) for p in found[HR].points] if found else []


async def test_all_beds_of_the_stay_are_on_one_axis_and_never_anybody_elses(
    app: Database, owner: Database, superuser: Connection, moved: None
) -> None:
    whole = [
        (41, 41),
        (70, 70),
        (70, 70),
        (70, 70),
        (70, 80),
        (80, 80),
        (80, 90),
        (90, 90),
        (90, 90),
    ]
    assert await by_hour(app) == whole  # from the values
    while await build_trends(owner, END + 24 * HOUR):
        pass
    assert await by_hour(app) == whole  # from the minutes
    close = await store.trends(app, NURSE, THIRD, [HR], MOVED - MINUTE, MOVED + MINUTE, 20 * SECOND)
    assert {p.highest for p in close[HR].points} == {70.0, 80.0}
    assert await store.lain(app, NURSE, THIRD) == [
        Span("h1-ed", str(CASE), START - HOUR // 2, START - HOUR // 2 + 1, True),
        Span(ONE, FIRST, START, MOVED),
        Span(ONE, SECOND_BED, MOVED, GONE),
        Span("", THIRD, GONE, STILL),
    ]
    assert await store.span(app, NURSE, THIRD) == (START - HOUR // 2, END - 20 * SECOND)
    rows = await charted.charted(app, NURSE, THIRD, START, END)
    assert [(one["place"], one["value"]) for one in rows] == [(FIRST, 50.0), (SECOND_BED, 60.0)]
    # Not before somebody says that the patient lies there, nor from another unit or hospital.
    elsewhere = (Scope("h1", (ONE,), "nurse.h1", "t"), Scope("h2", ALL_UNITS, "nurse.h2", "t"))
    for scope in elsewhere:
        assert await by_hour(app, THIRD, scope) == []
    assert {high for _, high in await by_hour(app, FIRST, elsewhere[0])} == {200.0}
    _, wide = await whereabouts.stay(app, NURSE, THIRD)
    async with app.transaction(wide) as connection:
        items = await whereabouts.case_items(connection, str(CASE), None)
    assert [(kind, said["what"]) for _, kind, said in items] == [
        ("limit", "said 1"), ("treatment", "said 2"),
    ]  # fmt: skip
    await their_curves_alone(app, superuser)
    await what_was_told_late(app, superuser)
    ended = await superuser.fetchrow("select undone_by, undo_reason from unit_limit")
    assert tuple(ended or ()) == ("system", "another stay")


async def their_curves_alone(app: Database, superuser: Connection) -> None:
    """The curves of an earlier bed open from the present one: the patient's, nobody else's."""
    stored = [
        (FIRST, WHO, MOVED - 2 * SECOND), (FIRST, AFTER, MOVED - SECOND),
        (FIRST, AFTER, MOVED + SECOND), (SECOND_BED, OTHER, MOVED - SECOND),
        (SECOND_BED, WHO, MOVED + SECOND),
    ]  # fmt: skip
    for bed, who, at in stored:
        await superuser.execute(
            "insert into waveform (hospital_id, unit, place, patient_id, device, code, channel,"
            " started_at, received_at, rate_hz, scale, value_offset, physical_unit, samples,"
            " sequence, mode, entry_id) values ('h1', $1, $2, $3, 'm', '131330', '', $4, $4, 250,"
            " 0.001, 0, 'mV', $5, 0, 'Test', '1-0')",
            ONE, bed, who, to_datetime(at), bytes(500),
        )  # fmt: skip
    ends = MOVED - 5 * SECOND, MOVED + 5 * SECOND
    _, found = await curves.pieces(app, NURSE, THIRD, *ends)
    assert [piece.started_at for _, piece in found] == [MOVED - 2 * SECOND, MOVED + SECOND]
    none = await curves.pieces(app, Scope("h1", (ONE,), "nurse.h1", "t"), THIRD, *ends)
    assert none[1] == []


async def what_was_told_late(app: Database, superuser: Connection) -> None:
    """Somebody else lay in bed 2 for a while, as was told late; taken back, it is as it was."""
    from_at, to_at = MOVED + 20 * MINUTE, MOVED + 40 * MINUTE
    await superuser.execute(
        "insert into refiling (refiling, hospital_id, unit, place, from_at, to_at, patient_id,"
        " numbers, mode, was, event, source, told_at, proposed, entry_id)"
        " values ($1, 'h1', $2, $3, $4, $5, $6, array['x'], 'Test', array[$7::uuid], 'A01',"
        " 'adt', $5, false, '9-0')",
        uuid4(), ONE, SECOND_BED, to_datetime(from_at), to_datetime(to_at), AFTER, WHO,
    )  # fmt: skip
    await superuser.execute("update measurement set named = null where place = $1", SECOND_BED)
    ends = from_at, to_at
    lost = await store.trends(app, NURSE, THIRD, [HR], *ends, MINUTE)
    assert lost == {}
    await superuser.execute("update refiling set reversed_at = now()")
    back = await store.trends(app, NURSE, THIRD, [HR], *ends, MINUTE)
    assert len(back[HR].points) == 20
