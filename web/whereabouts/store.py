"""The SQL of where a patient has lain: asked at the bed where the patient lies now.

Whoever may see that bed may see the whole stay: `stay_whereabouts` (migrations) tells the beds of
the stay, wherever they are, and `widened` lets the running transaction read in their units. What is
read there is read within the spans only, and by the patient's own id.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops.access import ALL_UNITS, Scope
from hospital_ops.bindings import Binding
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Database, Record, enter
from web.trends.steps import Lying
from web.whereabouts.spans import STILL, Span, Told, spans

# Who lies in a bed, or lay there last: since when, after everybody else, and until when.
_LYING: Final = """
with last as (
    select b.patient_id, b.from_at, coalesce(e.mode, '') as mode
      from binding b left join patient_event e using (unit, entry_id)
     where b.bed = $1 and b.patient_id is not null
     order by b.from_at desc, b.entry_id desc limit 1
)
select last.mode, last.patient_id, min(b.from_at) as since,
       (select min(n.from_at) from binding n where n.bed = $1 and n.patient_id is null
           and n.from_at >= last.from_at and n.mrn in (
               select o.mrn from binding o
                where o.bed = $1 and o.patient_id = last.patient_id
               union select l.into_mrn from binding o join patient_link l on l.mrn = o.mrn
                      and l.hospital_id = o.hospital_id and l.kind = 'merged'
                where o.bed = $1 and o.patient_id = last.patient_id)) as until
  from last join binding b on b.bed = $1 and b.patient_id = last.patient_id
 where b.from_at >= coalesce(
    (select max(o.from_at) from binding o where o.bed = $1 and o.patient_id <> last.patient_id),
    timestamptz '-infinity')
 group by last.mode, last.patient_id, last.from_at
"""
_ITEMS: Final = """
select at, kind, payload from case_event
 where kind in ('treatment', 'limit') and ($5::text is null or mode = $5)
   and (case_id::text = any ($1::text[]) and payload ->> 'id' <> all ($2::text[])
        or case_id::text = any ($3::text[]) and payload ->> 'id' = any ($4::text[]))
 order by kind, at, entry_id
"""
_EVER: Final = to_datetime(0)


class Whereabouts(NamedTuple):
    """Who lies in a bed, since when, and where before; cases from before the hospital first."""

    patient_id: UUID
    mode: str
    since: int
    earlier: tuple[Span, ...]


async def lying(connection: Connection, scope: Scope, place: str) -> Lying:
    """Who lies in the bed, or lay there last; from here on the transaction sees the whole stay."""
    row = await connection.fetchrow(_LYING, place)
    if row is None:
        return Lying(_EVER)
    here = Lying(row["since"], row["mode"], row["patient_id"], row["until"])
    known = await of_bed(connection, place) if here.until is None else None
    if known is None or known.patient_id != here.patient_id:
        return here
    await enter(connection, _wide(scope, known.earlier))
    begun = min([known.since, *(span.from_at for span in known.earlier if not span.is_case)])
    return here._replace(
        since=to_datetime(known.since), earlier=known.earlier, begun=to_datetime(begun)
    )


async def stay(database: Database, scope: Scope, bed: str) -> tuple[Lying, Scope]:
    """Who lies in the bed, and the scope in which this patient's stay alone may be read."""
    async with database.transaction(scope) as connection:
        here = await lying(connection, scope, bed)
    return here, _wide(scope, here.earlier)


async def before(
    connection: Connection, here: Lying, query: str, start_us: int, end_us: int, *more: Any
) -> list[Record]:
    """The rows of a query in the beds before this one, within the time that was the patient's."""
    found: list[Record] = []
    for span in here.earlier:
        if not span.is_case and (ends := span.within(start_us, end_us)) is not None:
            at = map(to_datetime, ends)
            found += await connection.fetch(query, span.place, *at, here.only, *more)
    return found


async def since(
    connection: Connection,
    here: Lying,
    query: str,
    place: str,
    start_us: int,
    end_us: int,
    *more: Any,
) -> list[Record]:
    """The rows of a query between two moments, not reaching back before whoever lies there."""
    start = max(to_datetime(start_us), here.since)
    return await connection.fetch(query, place, start, to_datetime(end_us), here.only, *more)


async def of_bed(connection: Connection, bed: str) -> Whereabouts | None:
    """Of whoever is admitted to the bed and lies there now; None: nobody, or nobody said."""
    row = await connection.fetchrow("select * from stay_whereabouts($1)", bed)
    if row is None:
        return None
    numbers = tuple(json.loads(row["numbers"]))
    told = [_told(one, numbers) for one in json.loads(row["lain"])]
    found = spans(told, str(row["patient_id"]))
    if not found or found[-1].place != bed or found[-1].to_at != STILL:
        return None
    cases = [Span(unit, case, 0, STILL, True) for case, unit in json.loads(row["cases"])]
    since = found[-1].from_at
    return Whereabouts(row["patient_id"], row["mode"], since, (*cases, *found[:-1]))


def _wide(scope: Scope, earlier: tuple[Span, ...]) -> Scope:
    """The scope with the units in which the patient lay."""
    if scope.units == ALL_UNITS:
        return scope
    units = dict.fromkeys((*scope.units, *(span.unit for span in earlier)))
    return replace(scope, units=tuple(units))


class Moves(NamedTuple):
    """Ids of values that left a case or came to it, and the cases that gave some or all."""

    gone: list[str]
    came: list[str]
    some: list[str]
    whole: list[str]

    def of(self, case: str) -> tuple[list[str], list[str], list[str], list[str]]:
        """(places whose values are the case's, but these ids; places of which only these ids)."""
        return [case, *self.whole], self.gone, self.some, self.came


async def case_items(
    connection: Connection, case: str, only: str | None
) -> list[tuple[datetime, str, dict[str, Any]]]:
    """(when, treatment or limit, what was said) of a case, limits of treatment first.

    `only`: of this mode alone. What was withdrawn or is another case's is not among them.
    """
    moved = await case_moves(connection, case)
    rows = await connection.fetch(_ITEMS, *moved.of(case), only)
    return [(row["at"], row["kind"], json.loads(row["payload"])) for row in rows]


async def case_moves(connection: Connection, case: str) -> Moves:
    """Which values crews have moved from one case to another."""
    rows = await connection.fetch(
        "select kind, payload from case_event where case_id = $1"
        " and kind in ('moved_out', 'moved_in', 'withdrawal') order by at, entry_id",
        case,
    )
    moves = Moves([], [], [], [])
    for row in rows:
        told = json.loads(row["payload"])
        if row["kind"] == "withdrawal":
            moves.gone.append(told["of"])
        elif row["kind"] == "moved_out":
            moves.gone.extend(told["items"])
        else:
            moves.came.extend(told["items"])
            (moves.some if told["items"] else moves.whole).append(told["from"])
    return moves


def _told(row: dict[str, Any], numbers: tuple[str, ...]) -> Told:
    """`numbers`: those that are the patient's by now (ADT A40), by whichever somebody left."""
    patient, mrn = row["patient_id"] or "", row["mrn"]
    binding = Binding(row["from_at"], patient, mrn, known_as=numbers if mrn in numbers else ())
    return Told(row["unit"], row["bed"], binding if patient else Binding(row["from_at"], left=mrn))
