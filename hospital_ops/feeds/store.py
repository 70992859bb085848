"""The SQL of the page of feeds: the newest values of each bed's device, and the dead letters."""

from __future__ import annotations

from typing import Final

from hospital_ops.database import Connection, Record

DEVICES_MOST: Final = 500  # of a page; those whose clock or silence is worst come first in words
LETTERS_MOST: Final = 50
_CLOCKS: Final = """
select d.device, d.kind, d.mode, coalesce(d.bed, '') as bed, d.model, s.number, s.last_at,
       s.offset_s, s.low_s, s.high_s, s.gap_s
  from device d
  left join lateral (
       select count(*) as number, max(received_at) as last_at, max(gap_s) as gap_s,
              percentile_cont(0.5) within group (order by offset_s) as offset_s,
              percentile_cont(0.05) within group (order by offset_s) as low_s,
              percentile_cont(0.95) within group (order by offset_s) as high_s
         from (select received_at,
                      extract(epoch from received_at - device_time)::float8 as offset_s,
                      extract(epoch from received_at
                              - lag(received_at) over (order by received_at))::float8 as gap_s
                 from (select received_at, device_time from measurement m
                        where m.place = d.bed and m.origin = 'monitor'
                        order by m.determined_at desc limit 120) newest) timed
       ) s on true
 where d.revoked_at is null and d.bed is not null
 order by d.bed, d.device limit $1
"""
_COUNTED: Final = """
select code, sum(coalesce(times, 1))::bigint as number, max(coalesce(last_at, at)) as last_at
  from dead_letter where coalesce(last_at, at) > $1
 group by code order by number desc, code limit 100
"""
_NEWEST: Final = """
select unit, code, reason, coalesce(last_at, at) as at, coalesce(times, 1) as times
  from dead_letter order by 4 desc limit $1
"""


async def clocks(connection: Connection) -> list[Record]:
    """Of each device at a bed: its newest values' distance from their receipt, and their gaps.

    Seconds; `offset_s` is receipt minus the device's time, so a clock that is behind is positive;
    nine tenths of the values lie between `low_s` and `high_s`.
    """
    return await connection.fetch(_CLOCKS, DEVICES_MOST)


async def dead_letters(connection: Connection, since: object) -> tuple[list[Record], list[Record]]:
    """(how many of each code since then, the newest ones); never their bytes."""
    return (
        await connection.fetch(_COUNTED, since),
        await connection.fetch(_NEWEST, LETTERS_MOST),
    )
