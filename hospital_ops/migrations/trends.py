"""Makes the minutes of the trends behind the archive, an hour of a bed at a time (role owner).

Each hour is made once soon after it is over, and again a day later, when what was sent late is
there. (`build_trends` of 0010 is no longer called: it began with beds that have no values.)
"""

from __future__ import annotations

from typing import Final

from hospital_ops.clock import to_datetime
from hospital_ops.database import Database

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
       built_until + interval '75 minutes' <= $1 as is_new
  from trend_place
 where built_until + interval '75 minutes' <= $1
    or (again_until + interval '26 hours' <= $1 and again_until < built_until)
 order by built_until limit $2
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
            await connection.execute(
                "select build_trend($1, $2, $3, $4)",
                row["place"],
                row["unit"],
                row["hospital_id"],
                hour,
            )
            await connection.execute(
                "update trend_place set built_until = built_until + interval '1 hour'"
                " where place = $1"
                if row["is_new"]
                else "update trend_place set again_until = again_until + interval '1 hour'"
                " where place = $1",
                row["place"],
            )
    return len(due)
