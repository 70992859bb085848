"""Trends and flowsheet out of the archive, within the scope of whoever asks.

The minutes of `trend_minute` carry a stay; what is younger, looked at closer than a minute, or was
corrected a moment ago is read from the values themselves. Every piece is put into the steps of the
question by `date_bin`. A curve or a day is one patient's, never that of the bed (SAFETY I10): of
whoever lies in the bed now it is the whole stay, also in the beds before (`web/whereabouts`), and
of whoever lay there last what was there. Nor does what is simulated stand among the values of a
real patient (I18).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from hospital_ops.access import Scope
from hospital_ops.changes import ASKED, Change, changes, named
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Connection, Database, Record
from web.trends.steps import (
    HOUR,
    MINUTE,
    Lying,
    Trend,
    from_minutes,
    from_values,
    merged,
    of_one_mode,
)
from web.whereabouts import store as whereabouts
from web.whereabouts.spans import Span

EVENTS_MOST: Final = 500
FILED_BEFORE: Final = 48 * HOUR  # so far back a person files what came without a patient

_VALUES: Final = """
select code, mode, date_bin($5, determined_at, $6) as bin, min(value) as lowest,
       max(value) as highest, sum(value) as total, count(*) as number, max(physical_unit) as unit
  from trend_value
 where place = $1 and code = any ($2) and determined_at >= greatest($3, $7::timestamptz)
   and determined_at < $4
 group by code, mode, bin
"""
_MINUTES: Final = """
select code, mode, date_bin($5, minute, $6) as bin, min(lowest) as lowest, max(highest) as highest,
       sum(total) as total, sum(number) as number, max(physical_unit) as unit
  from trend_minute m
 where place = $1 and code = any ($2) and minute >= greatest($3, $7::timestamptz) and minute < $4
   and not exists (select from trend_again a where a.place = m.place
                      and a.hour = date_trunc('hour', m.minute, 'UTC'))
 group by code, mode, bin
"""
# Up to when the minutes of a place are made, and which hours of a range they do not hold for.
_MADE: Final = """
select p.built_until,
       array(select distinct a.hour from trend_again a where a.place = p.place
                and a.hour > $2::timestamptz - interval '1 hour' and a.hour < $3) as marked
  from trend_place p where p.place = $1
"""

# What came without a patient, here or elsewhere, and was filed under this one.
_FILED: Final = """
select m.code, m.mode, date_bin($5, m.determined_at, $3) as bin, min(m.value) as lowest,
       max(m.value) as highest, sum(m.value) as total, count(*) as number,
       max(m.physical_unit) as unit
  from filing f join measurement m on m.place = f.place and m.device = f.device
   and m.determined_at >= f.from_at and m.determined_at < f.to_at
 where f.patient_id = $1 and f.reversed_at is null and m.code = any ($2)
   and m.determined_at >= $3 and m.determined_at < $4
   and m.patient_id is null and m.value is not null and m.validity <> 'Inv'
   and m.value not in ('Infinity', '-Infinity', 'NaN')
   and filed_to(m.place, m.device, m.determined_at, m.mode, m.remark) = f.patient_id
   and not exists (select from unnest($6::text[], $7::timestamptz[], $8::timestamptz[])
                              as known (place, from_at, to_at)
                    where m.place = known.place and m.determined_at >= known.from_at
                      and m.determined_at < known.to_at)
 group by m.code, m.mode, bin
"""
# In a bed before this one: each value by whose it is, whatever was told late.
_THEIRS: Final = """
select m.code, m.mode, date_bin($5, m.determined_at, $6) as bin, min(m.value) as lowest,
       max(m.value) as highest, sum(m.value) as total, count(*) as number,
       max(m.physical_unit) as unit
  from measurement_in_force m
 where m.place = $1 and m.code = any ($2) and m.determined_at >= $3 and m.determined_at < $4
   and m.patient_id = $7 and m.value is not null and m.validity <> 'Inv'
   and m.value not in ('Infinity', '-Infinity', 'NaN')
 group by m.code, m.mode, bin
"""
# Before the hospital: the values of the case, and those that were entered for it elsewhere.
_OF_CASE: Final = """
select code, mode, date_bin($4, determined_at, $2) as bin, min(value) as lowest,
       max(value) as highest, sum(value) as total, count(*) as number, max(physical_unit) as unit
  from measurement
 where (place = any ($5::text[]) and event_id <> all ($6::uuid[])
        or place = any ($7::text[]) and event_id = any ($8::uuid[]))
   and code = any ($1) and determined_at >= $2 and determined_at < $3
   and value is not null and validity <> 'Inv' and value not in ('Infinity', '-Infinity', 'NaN')
 group by code, mode, bin
"""
_CASE_SPAN: Final = """
select min(determined_at) as first, max(determined_at) as last from measurement
 where (place = any ($1::text[]) and event_id <> all ($2::uuid[])
        or place = any ($3::text[]) and event_id = any ($4::uuid[])) and validity <> 'Inv'
"""
_REFILED: Final = (
    "select from_at, to_at from refiling where place = $1 and to_at > $2 and from_at < $3"
)
_FILED_SPAN: Final = """
select min(from_at) as first, max(to_at) as last from filing
 where patient_id = $1 and reversed_at is null
"""
_EVER: Final = to_datetime(0)
_SPAN: Final = """
select min(determined_at) as first, max(determined_at) as last from measurement
 where place = $1 and determined_at >= $2 and ($3::text is null or mode = $3)
   and ($4::timestamptz is null or determined_at < $4)
"""
# Of a bed; orders where nobody is admitted to it, else `_ORDERS` has those of the whole stay.
_EVENTS: Final = """
select at, 'alarm' as kind, words as said, priority as tone, state as act, rule
  from alert_event
 where bed = $1 and at >= $2 and at < $3 and state in ('active', 'inactive', 'acknowledged')
   and ($4::text is null or mode = $4)
union all
select e.at, 'order', o.words, o.kind, e.act, ''
  from order_event e join native_order o using (order_id)
 where o.bed = $1 and e.at >= $2 and e.at < $3 and $6::uuid is null
union all
select determined_at, 'note', value_text, '',
       case when exists (select from correction c where c.bed = m.place
                            and c.event_id = m.event_id and c.determined_at = m.determined_at)
            then 'withdrawn' else '' end, '' from measurement m
 where place = $1 and code = 'note' and determined_at >= $2 and determined_at < $3
   and ($4::text is null or mode = $4)
union all
select at, 'correction', reason, code, '', '' from correction
 where bed = $1 and at >= $2 and at < $3 and ($4::text is null or mode = $4)
 order by at limit $5
"""
_ORDERS: Final = """
select e.at, 'order' as kind, o.words as said, o.kind as tone, e.act, '' as rule
  from order_event e join native_order o using (order_id)
 where o.patient_id = $1 and e.at >= $2 and e.at < $3 order by e.at limit $4
"""
_EVENTS_BEFORE: Final = """
select at, 'alarm' as kind, words as said, priority as tone, state as act, rule
  from filed_alert_event
 where bed = $1 and at >= $2 and at < $3 and state in ('active', 'inactive', 'acknowledged')
   and ($4::text is null or mode = $4) and patient_id = $6::uuid::text
union all
select determined_at, 'note', value_text, '',
       case when exists (select from correction c where c.bed = m.place
                            and c.event_id = m.event_id and c.determined_at = m.determined_at)
            then 'withdrawn' else '' end, '' from filed_measurement m
 where place = $1 and code = 'note' and determined_at >= $2 and determined_at < $3
   and ($4::text is null or mode = $4) and patient_id = $6
union all
select at, 'correction', reason, code, '', '' from correction
 where bed = $1 and at >= $2 and at < $3 and ($4::text is null or mode = $4)
 order by at limit $5
"""
# Whole hours are made; what is younger is found in the values themselves, of three hours at most.
_CHANGES: Final = """
select at, mode, what, about, said from trend_change
 where place = $1 and at >= $2 and at < least($3, $4::timestamptz)
union all
select at, mode, what, about, said
  from device_changes($1, greatest($2, $3::timestamptz, $4::timestamptz - interval '3 hours'), $4,
                      $5, $6, $7, $8)
"""
_BUILT: Final = "select built_until from trend_place where place = $1"


async def lying(database: Database, scope: Scope, place: str) -> Lying:
    """Who lies in the bed, or lay there last."""
    async with database.transaction(scope) as connection:
        return await whereabouts.lying(connection, scope, place)


async def trends(
    database: Database,
    scope: Scope,
    place: str,
    codes: list[str],
    start_us: int,
    end_us: int,
    step_us: int,
) -> dict[str, Trend]:
    """Lowest, highest and mean of each step between two moments, by code, in whichever bed."""
    step, start, end = timedelta(microseconds=step_us), to_datetime(start_us), to_datetime(end_us)
    async with database.transaction(scope) as connection:
        here = await whereabouts.lying(connection, scope, place)
        rows: list[Record] = []
        alone: list[tuple[Any, ...]] = []  # read by whose each value is, also where somebody filed
        for span in here.earlier:
            if (ends := span.within(start_us, end_us)) is None:
                continue
            if span.is_case:
                moved = await whereabouts.case_moves(connection, span.place)
                rows += await connection.fetch(
                    _OF_CASE, codes, start, end, step, *moved.of(span.place)
                )
                continue
            minutes: list[tuple[int, int]] = []
            values = [ends]
            if step_us >= MINUTE:
                minutes, values = await _pieces(connection, span.place, *ends)
            for query, pieces, last in (
                (_MINUTES, minutes, _EVER),
                (_THEIRS, values, here.patient_id),
            ):
                for low, high in pieces:
                    at = to_datetime(low), to_datetime(high)
                    rows += await connection.fetch(query, span.place, codes, *at, step, start, last)
            alone += [(span.place, to_datetime(low), to_datetime(high)) for low, high in values]
        if here.patient_id is not None:
            known = [list(column) for column in zip(*alone, strict=True)] or [[], [], []]
            rows += await connection.fetch(_FILED, here.patient_id, codes, start, end, step, *known)
        rows += await _of_this_bed(connection, here, place, codes, start_us, end_us, step_us)
    mode, own = of_one_mode(rows, here)
    return merged(own, mode)


async def _of_this_bed(
    connection: Connection,
    here: Lying,
    place: str,
    codes: list[str],
    start_us: int,
    end_us: int,
    step_us: int,
) -> list[Record]:
    """The steps of the bed itself, since whoever lies there came."""
    step, start = timedelta(microseconds=step_us), to_datetime(start_us)
    rows: list[Record] = []
    if here.until is not None:
        end_us = max(start_us, min(end_us, from_datetime(here.until)))
    made, marked = start_us, []
    if step_us >= MINUTE:  # whole minutes only: both ways must share no value
        known = await connection.fetchrow(_MADE, place, start, to_datetime(end_us))
        if known is not None:
            made = min(max(start_us, from_datetime(known["built_until"])), end_us)
            marked = [from_datetime(hour) for hour in known["marked"]]
    if made > start_us:
        until = to_datetime(made)
        rows += await connection.fetch(
            _MINUTES, place, codes, start, until, step, start, here.since
        )
    for first, past in from_values(start_us, made, end_us, marked):
        # From the same origin, so that the steps of both ways are the same.
        rows += await connection.fetch(
            _VALUES,
            place,
            codes,
            to_datetime(first),
            to_datetime(past),
            step,
            start,
            here.since,
        )
    return rows


async def _pieces(
    connection: Connection, place: str, first: int, past: int
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The pieces of a span in an earlier bed: by minutes, and value by value."""
    ends = to_datetime(first), to_datetime(past)
    known = await connection.fetchrow(_MADE, place, *ends)
    barred = [
        (from_datetime(row["from_at"]), from_datetime(row["to_at"]))
        for row in await connection.fetch(_REFILED, place, *ends)
    ]
    if known is None:
        return [], [(first, past)]
    hours = [from_datetime(hour) for hour in known["marked"]]
    barred += [(hour, hour + HOUR) for hour in hours]
    return from_minutes(first, from_datetime(known["built_until"]), past, barred)


async def span(database: Database, scope: Scope, place: str) -> tuple[int, int] | None:
    """First and last moment of the stay, or of whoever lay in the bed last, as far as stored."""
    async with database.transaction(scope) as connection:
        here = await whereabouts.lying(connection, scope, place)
        row = await connection.fetchrow(_SPAN, place, here.since, here.only, here.until)
        filed = await connection.fetchrow(_FILED_SPAN, here.patient_id)
        lain = await _lain(connection, here)
    known = [from_datetime(at) for one in (row, filed) if one for at in one if at is not None]
    if here.begun is not None:  # what was filed of an earlier stay does not stretch this one
        known = [at for at in known if at >= from_datetime(here.begun) - FILED_BEFORE]
    known += [span.from_at for span in lain]
    return (min(known), max(known)) if known else None


async def lain(database: Database, scope: Scope, place: str) -> list[Span]:
    """Where whoever lies there lay in this stay: before the hospital first, `place` last.

    Empty where nobody has said who lies there, or the bed is the only one.
    """
    async with database.transaction(scope) as connection:
        here = await whereabouts.lying(connection, scope, place)
        found = await _lain(connection, here)
        return [*found, here.beds(place)[-1]] if found else []


async def _lain(connection: Connection, here: Lying) -> list[Span]:
    found = []
    for span in here.earlier:
        if not span.is_case:
            found.append(span)
            continue
        moved = await whereabouts.case_moves(connection, span.place)
        row = await connection.fetchrow(_CASE_SPAN, *moved.of(span.place))
        if row and row["first"] is not None:
            ends = from_datetime(row["first"]), from_datetime(row["last"]) + 1
            found.append(Span(span.unit, span.place, *ends, True))
    return found


async def events(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Record]:
    """Alarms, acts on orders and charted notes between two moments, oldest first."""
    ends = start_us, end_us
    async with database.transaction(scope) as connection:
        here = await whereabouts.lying(connection, scope, place)
        whose = here.patient_id if here.begun else None
        more = EVENTS_MOST, whose
        found = await whereabouts.since(connection, here, _EVENTS, place, *ends, *more)
        found += await whereabouts.before(connection, here, _EVENTS_BEFORE, *ends, *more)
        if here.begun is not None:
            start = max(to_datetime(start_us), here.begun)
            at = start, to_datetime(end_us), EVENTS_MOST
            found += await connection.fetch(_ORDERS, whose, *at)
    return sorted(found, key=lambda row: row["at"])[:EVENTS_MOST]


async def device_changes(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Change]:
    """What changed about the devices of the patient between two moments, oldest first."""
    async with database.transaction(scope) as connection:
        here = await whereabouts.lying(connection, scope, place)
        found: list[Change] = []
        for lain in here.beds(place):
            if (ends := lain.within(start_us, end_us)) is None:
                continue
            start, end = map(to_datetime, ends)
            built = await connection.fetchval(_BUILT, lain.place) or _EVER
            # What held when the range began.
            before = max(start - timedelta(hours=1), to_datetime(lain.from_at))
            rows = await connection.fetch(_CHANGES, lain.place, before, built, end, *ASKED)
            own = here.own(rows, lambda row: row["mode"])
            found += [named(one) for one in changes((Change(*row) for row in own), start)]
    return found
