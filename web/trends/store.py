"""Trends and flowsheet out of the archive, within the scope of whoever asks.

The minutes of `trend_minute` carry a stay; what is younger, or looked at closer than a minute, is
read from the values themselves. Every piece is put into the steps of the question by `date_bin`.
Nothing here reaches back before whoever lies in the bed now, or lay there last, came to it: a curve
or a day is one patient's, never that of the bed (SAFETY I10).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, from_datetime, to_datetime
from hospital_ops.database import Connection, Database, Record

MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
EVENTS_MOST: Final = 500
CHARTED_MOST: Final = 2000

_RAW: Final = """
select code, date_bin($5, determined_at, $6) as bin, min(value) as lowest, max(value) as highest,
       sum(value) as total, count(*) as number, max(physical_unit) as unit
  from measurement m
 where place = $1 and code = any ($2) and determined_at >= greatest($3, $7::timestamptz)
   and determined_at < $4 and value is not null and validity <> 'Inv'
   and value not in ('Infinity', '-Infinity', 'NaN')
   and not exists (select from correction c where c.bed = m.place and c.event_id = m.event_id
                                              and c.determined_at = m.determined_at)
 group by code, bin
"""
_MINUTES: Final = """
select code, date_bin($5, minute, $3) as bin, min(lowest) as lowest, max(highest) as highest,
       sum(total) as total, sum(number) as number, max(physical_unit) as unit
  from trend_minute
 where place = $1 and code = any ($2) and minute >= greatest($3, $6::timestamptz) and minute < $4
 group by code, bin
"""

# When whoever lies in a bed, or lay there last, came to it: after everybody else.
_SINCE: Final = """
with last as (
    select patient_id from binding where bed = $1 and patient_id is not null
     order by from_at desc, entry_id desc limit 1
)
select min(b.from_at) from binding b, last
 where b.bed = $1 and b.patient_id = last.patient_id and b.from_at >= coalesce(
    (select max(o.from_at) from binding o where o.bed = $1 and o.patient_id <> last.patient_id),
    timestamptz '-infinity')
"""
_EVER: Final = to_datetime(0)


class Point(NamedTuple):
    """One step of a trend."""

    at: int  # its beginning, microseconds since 1970 UTC
    lowest: float
    highest: float
    mean: float
    number: int


class Trend(NamedTuple):
    """One value over time."""

    unit: str
    points: list[Point]


def merged(rows: list[Record]) -> dict[str, Trend]:
    """The rows of both ways put together: a step that both know is one."""
    steps: dict[str, dict[int, tuple[float, float, float, int]]] = {}
    units: dict[str, str] = {}
    for row in rows:
        at, code = from_datetime(row["bin"]), row["code"]
        low, high = float(row["lowest"]), float(row["highest"])
        total, number = float(row["total"]), int(row["number"])
        known = steps.setdefault(code, {}).get(at)
        if known is not None:
            low, high = min(low, known[0]), max(high, known[1])
            total, number = total + known[2], number + known[3]
        steps[code][at] = (low, high, total, number)
        units[code] = row["unit"]
    return {
        code: Trend(
            units[code],
            [Point(at, s[0], s[1], s[2] / s[3], s[3]) for at, s in sorted(found.items())],
        )
        for code, found in steps.items()
    }


async def _since(connection: Connection, place: str) -> datetime:
    """From when on what is stored of a bed is that of its last patient."""
    return await connection.fetchval(_SINCE, place) or _EVER


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
    step = timedelta(microseconds=step_us)
    async with database.transaction(scope) as connection:
        cut, since = start_us, await _since(connection, place)
        rows: list[Record] = []
        if step_us >= MINUTE:
            made = await connection.fetchval(
                "select built_until from trend_place where place = $1", place
            )
            if made is not None:
                # Whole minutes only: both ways must share no value.
                cut = min(max(start_us, from_datetime(made)), max(end_us, start_us))
        if cut > start_us:
            rows += await connection.fetch(
                _MINUTES, place, codes, to_datetime(start_us), to_datetime(cut), step, since
            )
        if cut < end_us:
            # From the same origin, so that the steps of both ways are the same.
            origin = to_datetime(start_us)
            rows += await connection.fetch(
                _RAW, place, codes, to_datetime(cut), to_datetime(end_us), step, origin, since
            )
    return merged(rows)


async def span(database: Database, scope: Scope, place: str) -> tuple[int, int] | None:
    """First and last moment of whoever lay in the bed last, as far as values are stored."""
    async with database.transaction(scope) as connection:
        row = await connection.fetchrow(
            "select min(determined_at) as first, max(determined_at) as last from measurement"
            " where place = $1 and determined_at >= $2",
            place,
            await _since(connection, place),
        )
    if row is None or row["first"] is None:
        return None
    return from_datetime(row["first"]), from_datetime(row["last"])


async def events(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Record]:
    """Alarms, acts on orders and charted notes of a bed between two moments, oldest first."""
    async with database.transaction(scope) as connection:
        return await connection.fetch(
            "select at, 'alarm' as kind, words as said, priority as tone, state as act"
            "  from alert_event where bed = $1 and at >= $2 and at < $3"
            "   and state in ('active', 'inactive', 'acknowledged')"
            " union all "
            "select e.at, 'order', o.words, o.kind, e.act"
            "  from order_event e join native_order o using (order_id)"
            " where o.bed = $1 and e.at >= $2 and e.at < $3"
            " union all "
            "select determined_at, 'note', value_text, '', '' from measurement"
            " where place = $1 and code = 'note' and determined_at >= $2 and determined_at < $3"
            " union all "
            "select at, 'correction', reason, code, '' from correction"
            " where bed = $1 and at >= $2 and at < $3"
            " order by at limit $4",
            place,
            max(to_datetime(start_us), await _since(connection, place)),
            to_datetime(end_us),
            EVENTS_MOST,
        )


async def charted(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Record]:
    """Charted values and results of a bed, oldest first, each with what became of it."""
    async with database.transaction(scope) as connection:
        return await connection.fetch(
            "select m.event_id, m.code, m.channel, m.value, m.value_text, m.physical_unit,"
            "       m.determined_at, m.origin, m.source, m.remark, m.mode, c.actor as corrected_by,"
            "       c.reason, c.replaced_by"
            "  from measurement m left join correction c"
            "    on c.bed = m.place and c.event_id = m.event_id"
            "   and c.determined_at = m.determined_at"
            " where m.place = $1 and m.origin in ('typed', 'laboratory')"
            "   and m.determined_at >= $2 and m.determined_at < $3"
            " order by m.determined_at, m.received_at limit $4",
            place,
            max(to_datetime(start_us), await _since(connection, place)),
            to_datetime(end_us),
            CHARTED_MOST,
        )


async def charted_one(
    database: Database, scope: Scope, place: str, event_id: str, at_us: int
) -> Record | None:
    """One charted value by its id and time."""
    async with database.transaction(scope) as connection:
        return await connection.fetchrow(
            "select event_id, code, channel, value, value_text, physical_unit, determined_at"
            "  from measurement where place = $1 and determined_at = $3 and event_id = $2"
            "   and origin in ('typed', 'laboratory')",
            place,
            event_id,
            to_datetime(at_us),
        )


async def validated(
    database: Database, scope: Scope, place: str, start_us: int, end_us: int
) -> list[Record]:
    """The hours that somebody has looked through, the newest act of each last."""
    async with database.transaction(scope) as connection:
        return await connection.fetch(
            "select from_at, to_at, actor, at from flowsheet_hour"
            " where bed = $1 and from_at >= $2 and from_at < $3 order by at",
            place,
            max(to_datetime(start_us), await _since(connection, place)),
            to_datetime(end_us),
        )
