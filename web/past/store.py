"""What the archive keeps of a board, within the scope of whoever asks."""

from __future__ import annotations

from typing import Final

from hospital_ops import past
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import Connection, Database

# Ticks of a unit come each second and what they change is published at once: where its stream is
# stored up to two seconds after a moment, nothing of that moment is on its way any more.
SETTLED_US: Final = 2 * SECOND

_STORED: Final = """
select coalesce(bool_or(
           to_timestamp(split_part(position, '-', 1)::numeric / 1000)
               >= case stream when 'out' then $2::timestamptz else $3::timestamptz end), false)
  from reader_position where shard = $1 and stream in ('in', 'out')
"""
_ROWS: Final = """
select revisions from board_frame
 where unit = $1 and at <= $2 and at >= (
       select max(at) from board_frame
        where unit = $1 and whole and at <= $2 and at > $2 - interval '2 days')
 order by at
"""


async def is_stored(database: Database, scope: Scope, unit: str, moment: int) -> bool:
    """Whether everything that a board showed up to `moment` has been stored."""
    async with database.transaction(scope) as connection:
        found = await connection.fetchval(
            _STORED, unit, to_datetime(moment), to_datetime(moment + SETTLED_US)
        )
    return bool(found)


async def seen(database: Database, scope: Scope, unit: str, moment: int) -> past.Seen | None:
    """The board of a unit as it could be seen at `moment`; None where nothing is kept of it."""
    async with database.transaction(scope) as connection:
        rows = await revisions(connection, unit, moment)
    return past.board_at(rows, moment)


async def revisions(connection: Connection, unit: str, moment: int) -> list[bytes]:
    """The packed rows from the newest whole board before `moment` up to it."""
    found = await connection.fetch(_ROWS, unit, to_datetime(moment))
    return [row["revisions"] for row in found]
