"""The SQL of what people charted: of whoever lies in the bed now, also in the beds before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hospital_ops import audit, outbox, wire
from hospital_ops.access import Principal, Scope
from hospital_ops.clock import to_datetime
from hospital_ops.database import Database, Record
from hospital_ops.errors import Conflict
from web.whereabouts import store as whereabouts

CHARTED_MOST: Final = 2000
ONCE: Final = "This value has been corrected already: look at the flowsheet again."

_CHARTED: Final = """
select m.place, m.event_id, m.code, m.channel, m.value, m.value_text, m.physical_unit,
       m.determined_at, m.origin, m.source, m.remark, m.mode, c.actor as corrected_by, c.reason,
       c.replaced_by
  from measurement m left join correction c
    on c.bed = m.place and c.event_id = m.event_id and c.determined_at = m.determined_at
 where m.place = $1 and m.origin in ('typed', 'laboratory')
   and m.determined_at >= $2 and m.determined_at < $3 and ($4::text is null or m.mode = $4)
 order by m.determined_at, m.received_at limit $5
"""
_CHARTED_BEFORE: Final = """
select m.place, m.event_id, m.code, m.channel, m.value, m.value_text, m.physical_unit,
       m.determined_at, m.origin, m.source, m.remark, m.mode, c.actor as corrected_by, c.reason,
       c.replaced_by
  from filed_measurement m left join correction c
    on c.bed = m.place and c.event_id = m.event_id and c.determined_at = m.determined_at
 where m.place = $1 and m.patient_id = $6 and m.origin in ('typed', 'laboratory')
   and m.determined_at >= $2 and m.determined_at < $3 and ($4::text is null or m.mode = $4)
 order by m.determined_at, m.received_at limit $5
"""
# A page and JSON tell times to the millisecond; what a device or a program sent may be finer.
_CHARTED_ONE: Final = """
select place, event_id, code, channel, value, value_text, physical_unit, determined_at, patient_id
  from measurement
 where place = $1 and determined_at >= $3 and determined_at < $3 + interval '1 millisecond'
   and event_id = $2 and origin in ('typed', 'laboratory')
"""
_CHARTED_ONE_BEFORE: Final = """
select place, event_id, code, channel, value, value_text, physical_unit, determined_at, patient_id
  from filed_measurement
 where place = $1 and determined_at >= $2 and determined_at < $3 and ($4::text is null or mode = $4)
   and event_id = $5 and patient_id = $6 and origin in ('typed', 'laboratory')
"""
_BESIDE: Final = """
select event_id, code, channel, value, value_text, physical_unit, determined_at
  from measurement_in_force
 where place = $1 and determined_at = $2 and origin = 'typed'
"""
_ASK: Final = """
insert into correction_asked (bed, event_id, hospital_id, unit, actor, at)
select $1, $2::uuid, $3, $4, $5, $6
 where not exists (select from correction where bed = $1 and event_id = $2::uuid)
on conflict do nothing returning event_id
"""
_VALIDATED: Final = """
select from_at, to_at, actor, at from flowsheet_hour
 where bed = $1 and from_at >= $2 and from_at < $3 and ($4::text is null or mode = $4)
 order by at
"""


async def charted(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Record]:
    """Charted values and results, oldest first, each with what became of it and its bed."""
    async with database.transaction(scope) as connection:
        here = await whereabouts.lying(connection, scope, place)
        ends = start_us, end_us
        before = await whereabouts.before(
            connection, here, _CHARTED_BEFORE, *ends, CHARTED_MOST, here.patient_id
        )
        return before + await whereabouts.since(
            connection, here, _CHARTED, place, *ends, CHARTED_MOST
        )


async def validated(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Record]:
    """The hours that somebody has looked through, the newest act of each last."""
    async with database.transaction(scope) as connection:
        here = await whereabouts.lying(connection, scope, place)
        before = await whereabouts.before(connection, here, _VALIDATED, start_us, end_us)
        return before + await whereabouts.since(
            connection, here, _VALIDATED, place, start_us, end_us
        )


async def charted_one(
    database: Database, scope: Scope, place: str, event_id: str, at_us: int
) -> Record | None:
    """One charted value by its id and time: of this bed, or of one before it in the same stay."""
    async with database.transaction(scope) as connection:
        found = await connection.fetchrow(_CHARTED_ONE, place, event_id, to_datetime(at_us))
        if found is not None:
            return found
        here = await whereabouts.lying(connection, scope, place)
        ends = at_us, at_us + 1000  # the same millisecond
        before = await whereabouts.before(
            connection, here, _CHARTED_ONE_BEFORE, *ends, event_id, here.patient_id
        )
        return before[0] if before else None


async def beside(database: Database, scope: Scope, place: str, row: Record) -> list[Record]:
    """What was typed for the very moment of a charted value, and holds."""
    async with database.transaction(scope) as connection:
        await whereabouts.lying(connection, scope, place)
        return await connection.fetch(_BESIDE, row["place"], row["determined_at"])


async def correct(
    database: Database,
    principal: Principal,
    unit: str,
    bed: str,
    events: Sequence[str],
    told: Sequence[wire.Entry],
    at: int,
    *,
    lies_in: tuple[str, str],
) -> None:
    """Corrects values once: what the unit is told goes with it; Conflict for who comes second.

    `unit` and `bed` are where they were charted. `lies_in`: where the patient lies now; another
    unit is told of the corrections as well, for its board.
    """
    async with database.transaction(principal.scope) as connection:
        if bed != lies_in[1]:
            await whereabouts.lying(connection, principal.scope, lies_in[1])
        who = principal.hospital, unit, principal.actor, to_datetime(at)
        for event in sorted(events):
            if await connection.fetchval(_ASK, bed, event, *who) is None:
                raise Conflict(ONCE)
        told_there = [entry for entry in told if isinstance(entry, wire.Corrected)]
        also = [(lies_in[0], entry) for entry in told_there] if lies_in[0] != unit else []
        entries = [*((unit, entry) for entry in told), *also]
        await outbox.put(connection, principal.hospital, *entries)
        for event in events:
            await audit.append(connection, unit, principal.scope, "correct_value", event, "", at)
