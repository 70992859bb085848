"""Makes the minutes of the trends behind the archive, an hour of a bed at a time (role owner).

Each hour is made once soon after it is over, when the archive holds what had been received by
then, and again a day later. What becomes known after the first time (a correction, a value that
came late) marks its hour (`trend_again`): a marked hour is made anew whatever its age, and until
then it is read from the values themselves.
"""

from __future__ import annotations

from typing import Final

from hospital_ops.changes import ASKED
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Database

HOURS_AT_ONCE: Final = 50  # in one transaction: about three million values, some seconds

_NEW_BEDS: Final = """
insert into trend_place
select b.bed, b.hospital_id, b.unit, t.first, t.first
  from bed b
 cross join lateral (select min(determined_at) as oldest from measurement where place = b.bed) m
 cross join lateral (select date_trunc('hour', greatest(m.oldest, $1::timestamptz
                                                        - interval '31 days'), 'UTC') as first) t
 where m.oldest is not null and not exists (select from trend_place p where p.place = b.bed)
"""
_DUE: Final = """
select place, unit, hospital_id, built_until, again_until,
       built_until + interval '75 minutes' <= p.stored as is_new
  from (select t.*, least($1::timestamptz,
                          (select to_timestamp(split_part(r.position, '-', 1)::numeric / 1000)
                             from reader_position r
                            where r.shard = t.unit and r.stream = 'in')) as stored
          from trend_place t) p
 where built_until + interval '75 minutes' <= p.stored
    or (again_until + interval '26 hours' <= $1 and again_until < built_until)
 order by built_until limit $2
"""
_MARKED: Final = """
select a.number, a.place, p.unit, p.hospital_id, a.hour, a.hour < p.built_until as is_made
  from trend_again a join trend_place p using (place)
 order by a.number limit $1
"""


async def build_trends(owner: Database, now_us: int) -> int:
    """Makes hours that are due; answers how many: the caller goes on while there are any."""
    async with owner.transaction() as connection:
        if not await connection.fetchval(
            "select pg_try_advisory_xact_lock(hashtext('hospital_ops.build_trends'))"
        ):
            return 0
        now = to_datetime(now_us)
        await connection.execute(_NEW_BEDS, now)
        due = await connection.fetch(_DUE, now, HOURS_AT_ONCE)
        for row in due:
            hour = row["built_until"] if row["is_new"] else row["again_until"]
            await _make(connection, row["place"], row["unit"], row["hospital_id"], hour)
            await connection.execute(
                "update trend_place set built_until = built_until + interval '1 hour'"
                " where place = $1"
                if row["is_new"]
                else "update trend_place set again_until = again_until + interval '1 hour'"
                " where place = $1",
                row["place"],
            )
        return len(due) + await _make_marked(connection)


async def _make_marked(connection: Connection) -> int:
    """Makes marked hours anew; a mark that comes while they are made stays for the next time."""
    marks = await connection.fetch(_MARKED, HOURS_AT_ONCE)
    hours = {(row["place"], row["unit"], row["hospital_id"], row["hour"]): row["is_made"]
             for row in marks}  # fmt: skip
    for (place, unit, hospital, hour), is_made in hours.items():
        if is_made:  # else its values are there when it is made for the first time
            await _make(connection, place, unit, hospital, hour)
    await connection.execute(
        "delete from trend_again where number = any ($1::bigint[])",
        [row["number"] for row in marks],
    )
    return len(marks)


async def _make(connection: Connection, place: str, unit: str, hospital: str, hour: object) -> None:
    await connection.execute("select build_trend($1, $2, $3, $4)", place, unit, hospital, hour)
    await connection.execute(
        "select build_changes($1, $2, $3, $4, $5, $6, $7, $8)", place, unit, hospital, hour, *ASKED
    )
