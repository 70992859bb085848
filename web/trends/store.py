"""Trends and flowsheet out of the archive, within the scope of whoever asks.

The minutes of `trend_minute` carry a stay; what is younger, looked at closer than a minute, or was
corrected a moment ago is read from the values themselves. Every piece is put into the steps of the
question by `date_bin`. Nothing here reaches back before whoever lies in the bed now, or lay there
last, came to it: a curve or a day is one patient's, never that of the bed (SAFETY I10); nor does
what is simulated stand among the values of a real patient (I18).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hospital_ops.access import Scope
from hospital_ops.changes import ASKED, Change, changes, named
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Connection, Database, Record
from web.trends.steps import MINUTE, Lying, Trend, from_values, merged, of_one_mode

EVENTS_MOST: Final = 500
CHARTED_MOST: Final = 2000

_VALUES: Final = """
select code, mode, date_bin($5, determined_at, $6) as bin, min(value) as lowest,
       max(value) as highest, sum(value) as total, count(*) as number, max(physical_unit) as unit
  from trend_value
 where place = $1 and code = any ($2) and determined_at >= greatest($3, $7::timestamptz)
   and determined_at < $4
 group by code, mode, bin
"""
_MINUTES: Final = """
select code, mode, date_bin($5, minute, $3) as bin, min(lowest) as lowest, max(highest) as highest,
       sum(total) as total, sum(number) as number, max(physical_unit) as unit
  from trend_minute m
 where place = $1 and code = any ($2) and minute >= greatest($3, $6::timestamptz) and minute < $4
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
 group by m.code, m.mode, bin
"""
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
_EVENTS: Final = """
select at, 'alarm' as kind, words as said, priority as tone, state as act
  from alert_event
 where bed = $1 and at >= $2 and at < $3 and state in ('active', 'inactive', 'acknowledged')
   and ($4::text is null or mode = $4)
union all
select e.at, 'order', o.words, o.kind, e.act
  from order_event e join native_order o using (order_id)
 where o.bed = $1 and e.at >= $2 and e.at < $3
union all
select determined_at, 'note', value_text, '', '' from measurement
 where place = $1 and code = 'note' and determined_at >= $2 and determined_at < $3
   and ($4::text is null or mode = $4)
union all
select at, 'correction', reason, code, '' from correction
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
_CHARTED: Final = """
select m.event_id, m.code, m.channel, m.value, m.value_text, m.physical_unit, m.determined_at,
       m.origin, m.source, m.remark, m.mode, c.actor as corrected_by, c.reason, c.replaced_by
  from measurement m left join correction c
    on c.bed = m.place and c.event_id = m.event_id and c.determined_at = m.determined_at
 where m.place = $1 and m.origin in ('typed', 'laboratory')
   and m.determined_at >= $2 and m.determined_at < $3 and ($4::text is null or m.mode = $4)
 order by m.determined_at, m.received_at limit $5
"""
_CHARTED_ONE: Final = """
select event_id, code, channel, value, value_text, physical_unit, determined_at
  from measurement
 where place = $1 and determined_at = $3 and event_id = $2 and origin in ('typed', 'laboratory')
"""
_VALIDATED: Final = """
select from_at, to_at, actor, at from flowsheet_hour
 where bed = $1 and from_at >= $2 and from_at < $3 and ($4::text is null or mode = $4)
 order by at
"""


async def lying(database: Database, scope: Scope, place: str) -> Lying:
    """Who lies in the bed, or lay there last."""
    async with database.transaction(scope) as connection:
        return await _lying(connection, place)


async def trends(
    database: Database,
    scope: Scope,
    place: str,
    codes: list[str],
    start_us: int,
    end_us: int,
    step_us: int,
) -> dict[str, Trend]:
    """Lowest, highest and mean of each step between two moments, by code."""
    step, start, end = timedelta(microseconds=step_us), to_datetime(start_us), to_datetime(end_us)
    async with database.transaction(scope) as connection:
        here = await _lying(connection, place)
        rows: list[Record] = []
        if here.patient_id is not None:
            rows += await connection.fetch(_FILED, here.patient_id, codes, start, end, step)
        if here.until is not None:
            end_us = max(start_us, min(end_us, from_datetime(here.until)))
        made, marked = start_us, []
        if step_us >= MINUTE:  # whole minutes only: both ways must share no value
            known = await connection.fetchrow(_MADE, place, start, end)
            if known is not None:
                made = min(max(start_us, from_datetime(known["built_until"])), end_us)
                marked = [from_datetime(hour) for hour in known["marked"]]
        if made > start_us:
            until = to_datetime(made)
            rows += await connection.fetch(_MINUTES, place, codes, start, until, step, here.since)
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
    mode, own = of_one_mode(rows, here)
    return merged(own, mode)


async def span(database: Database, scope: Scope, place: str) -> tuple[int, int] | None:
    """First and last moment of whoever lay in the bed last, as far as values are stored."""
    async with database.transaction(scope) as connection:
        here = await _lying(connection, place)
        row = await connection.fetchrow(_SPAN, place, here.since, here.only, here.until)
        filed = await connection.fetchrow(_FILED_SPAN, here.patient_id)
    known = [from_datetime(at) for one in (row, filed) if one for at in one if at is not None]
    return (min(known), max(known)) if known else None


async def events(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Record]:
    """Alarms, acts on orders and charted notes of a bed between two moments, oldest first."""
    return await _of_whoever_lies(database, scope, _EVENTS, place, start_us, end_us, EVENTS_MOST)


async def device_changes(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Change]:
    """What changed about the devices of a bed between two moments, oldest first."""
    async with database.transaction(scope) as connection:
        here = await _lying(connection, place)
        start, end = max(to_datetime(start_us), here.since), to_datetime(end_us)
        if end <= start:
            return []
        built = await connection.fetchval(_BUILT, place) or _EVER
        before = max(start - timedelta(hours=1), here.since)  # what held when the range began
        rows = await connection.fetch(_CHANGES, place, before, built, end, *ASKED)
    own = here.own(rows, lambda row: row["mode"])
    return [named(one) for one in changes((Change(*row) for row in own), start)]


async def charted(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Record]:
    """Charted values and results of a bed, oldest first, each with what became of it."""
    return await _of_whoever_lies(database, scope, _CHARTED, place, start_us, end_us, CHARTED_MOST)


async def validated(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Record]:
    """The hours that somebody has looked through, the newest act of each last."""
    return await _of_whoever_lies(database, scope, _VALIDATED, place, start_us, end_us)


async def charted_one(
    database: Database, scope: Scope, place: str, event_id: str, at_us: int
) -> Record | None:
    """One charted value by its id and time."""
    async with database.transaction(scope) as connection:
        return await connection.fetchrow(_CHARTED_ONE, place, event_id, to_datetime(at_us))


async def _lying(connection: Connection, place: str) -> Lying:
    row = await connection.fetchrow(_LYING, place)
    if row is None:
        return Lying(_EVER)
    return Lying(row["since"], row["mode"], row["patient_id"], row["until"])


async def _of_whoever_lies(
    database: Database, scope: Scope, query: str, place: str, start_us: int, end_us: int, *most: int
) -> list[Record]:
    """The rows of a query between two moments, not reaching back before whoever lies there."""
    async with database.transaction(scope) as connection:
        here = await _lying(connection, place)
        start = max(to_datetime(start_us), here.since)
        return await connection.fetch(query, place, start, to_datetime(end_us), here.only, *most)
