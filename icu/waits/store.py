"""The SQL of what waits: beds are told of it, and records that stayed behind are tried again.

Runs in the role store. Each look is two queries over what is open, mostly nothing. A step that was
cut off is done again by the next: what went along has gone, and a bed is told what differs from
what it was told.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from hospital_ops import outbox, wire
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Database, Record

MOST: Final = 20  # records of one step: bounds its transaction
_LOCK: Final = 0x5741495453  # "WAITS": one who tells at a time
_TOLD: Final = """
insert into bed_waits as w (bed, hospital_id, unit, refilings, left_behind, told_at)
values ($1, $2, $3, $4, $5, $6) on conflict (bed) do update set unit = excluded.unit,
       refilings = excluded.refilings, left_behind = excluded.left_behind,
       told_at = excluded.told_at
"""
_OPEN: Final = """
select b.behind, b.failed_at, b.tried_at, b.tries, b.code, b.unit as from_unit,
       coalesce(h.unit, '') as unit, coalesce(h.bed, '') as bed
  from left_behind b
  left join stay h on h.hospital_id = b.hospital_id and h.patient_id = b.patient_id
                  and h.ended_at is null
 where b.done_at is null and ($1 = '' or h.bed = $1)
 order by b.failed_at limit 100
"""


class Tried(NamedTuple):
    """A record that was tried again."""

    number: int
    failed: str  # SQLSTATE; empty: it has come along
    since: datetime


async def follow(database: Database, now: int) -> list[Tried]:
    """Tries what stayed behind and is due; `database` has the role writer."""
    async with database.transaction() as connection:
        rows = await connection.fetch(
            "select number, failed, since from left_behind_again($1, $2)", to_datetime(now), MOST
        )
    return [Tried(*row) for row in rows]


async def tell(database: Database, now: int) -> int:
    """Tells each bed of which something else waits than it was told; answers how many."""
    async with database.transaction() as connection:
        if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK):
            return 0
        rows = await connection.fetch("select * from bed_waits_now()")
        for row in rows:
            await connection.execute(_TOLD, *row, to_datetime(now))
            told = wire.BedWaits(
                unit=row["unit"],
                bed=row["bed"],
                at=now,
                refilings=row["refilings"],
                left_behind=row["left_behind"],
            )
            await outbox.put(connection, row["hospital_id"], (row["unit"], told))
    return len(rows)


async def left_behind(connection: Connection, bed: str = "") -> list[Record]:
    """Records that have not come along: of whoever lies in `bed`, or all within the scope."""
    return await connection.fetch(_OPEN, bed)
