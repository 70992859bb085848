"""The SQL of the page of feeds: who was last heard of when, and whose messages were of no use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from hospital_ops.database import Connection, Record

DEVICES_MOST: Final = 2000  # read for a page, the latest heard first
KEPT_DAYS: Final = 14  # a device that was silent for so long is forgotten, unless it is registered
OFFSETS: Final = 60  # of each device
_TELL: Final = """
insert into feed as f (hospital_id, unit, source, device, bed, mode, since, last_at, offsets,
                       gap_s, gap_at)
select n.hospital_id, n.unit, n.source, n.device, n.bed, n.mode, n.began_at, n.last_at,
       n.offsets::real[], n.gap_s, n.last_at
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
              $7::timestamptz[], $8::timestamptz[], $9::text[], $10::float8[])
       as n (hospital_id, unit, source, device, bed, mode, began_at, last_at, offsets, gap_s)
    on conflict (unit, source, device, bed) do update
   set mode = case when excluded.mode = '' then f.mode else excluded.mode end,
       last_at = greatest(f.last_at, excluded.last_at),
       offsets = (excluded.offsets || f.offsets)[1:60],
       (gap_s, gap_at) = (
           select gap, at from (values
               (f.gap_s, f.gap_at),
               (excluded.gap_s, excluded.last_at),
               (extract(epoch from excluded.since - f.last_at)::float8, excluded.since)
           ) breaks (gap, at)
            where at > excluded.last_at - interval '1 day' order by gap desc limit 1)
"""
_FEEDS: Final = """
select f.unit, f.source, f.device, f.bed, f.mode, f.last_at, f.offsets, f.gap_s, f.gap_at
  from feed f order by f.last_at desc limit $1
"""
_REGISTERED: Final = """
select device, kind, mode, coalesce(bed, '') as bed, coalesce(unit, '') as unit, address, model,
       vehicle
  from device where revoked_at is null order by device
"""
_LETTERS: Final = """
select coalesce(source, '') as source, code, sum(coalesce(times, 1))::bigint as number,
       max(coalesce(last_at, at)) as last_at
  from dead_letter where coalesce(last_at, at) > $1
 group by 1, 2 order by number desc, 2 limit 200
"""


class Told(NamedTuple):
    """What was heard of one sender; `offsets` in seconds, the newest first."""

    hospital: str
    unit: str
    source: str
    device: str
    bed: str
    mode: str
    began_at: datetime
    last_at: datetime
    offsets: Sequence[float]
    gap_s: float


async def tell(connection: Connection, heard: Sequence[Told]) -> None:
    """Adds what was heard, one row for each sender; the role writer."""
    if heard:
        columns = [list(column) for column in zip(*heard, strict=True)]
        columns[8] = [_array(one.offsets) for one in heard]
        await connection.execute(_TELL, *columns)


async def forget(connection: Connection) -> None:
    """Forgets who has been silent for two weeks; the role writer."""
    await connection.execute(
        "delete from feed where last_at < now() - make_interval(days => $1)", KEPT_DAYS
    )


async def feeds(connection: Connection) -> list[Record]:
    """Who has sent what last: a row for each device, or bed where a sender names no device."""
    return await connection.fetch(_FEEDS, DEVICES_MOST)


async def registered(connection: Connection) -> list[Record]:
    """The devices that may send, whether they have or not."""
    return await connection.fetch(_REGISTERED)


async def letters(connection: Connection, since: datetime) -> list[Record]:
    """How many messages of each sender could not be used since then, by code."""
    return await connection.fetch(_LETTERS, since)


def _array(offsets: Sequence[float]) -> str:
    return "{" + ",".join(f"{one:.3f}" for one in offsets[:OFFSETS]) + "}"
