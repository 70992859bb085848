"""The SQL of letters: what could not be used, its bytes, and what became of each further try.

Every function works in the caller's transaction; a read of bytes and a try write their audit row
there. Times are microseconds UTC.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hospital_ops import audit
from hospital_ops.access import Scope
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Record
from hospital_ops.errors import Conflict, NotFound

LISTED_MOST: Final = 100
TAKEN: Final = "taken"
CHANGED: Final = "Somebody has tried this message meanwhile: look what became of it."
_LISTED: Final = """
select d.unit, d.stream, d.entry_id, d.code, d.reason, coalesce(d.source, '') as source,
       coalesce(d.message_id, '') as message_id, d.at, coalesce(d.last_at, d.at) as last_at,
       coalesce(d.times, 1) as times, octet_length(d.raw) as size, t.outcome
  from dead_letter d left join lateral (
       select number, outcome from letter_try t where (t.unit, t.stream, t.entry_id)
                                            = (d.unit, d.stream, d.entry_id)
        order by number desc limit 1) t on true
 where ($1 = '' or coalesce(d.source, '') = $1) and ($2 = '' or d.code = $2)
   and (not $3 or t.outcome is distinct from 'taken')
"""
_NEWEST: Final = _LISTED + " order by coalesce(d.last_at, d.at) desc limit $4"
_OLDEST: Final = (
    _LISTED
    + " and octet_length(d.raw) > 0 order by t.number nulls first, d.at, d.entry_id limit $4"
)
_ONE: Final = """
select d.unit, d.stream, d.entry_id, d.code, d.reason, coalesce(d.source, '') as source,
       coalesce(d.message_id, '') as message_id, d.at, coalesce(d.last_at, d.at) as last_at,
       coalesce(d.times, 1) as times, octet_length(d.raw) as size, d.entry, d.raw
  from dead_letter d where (d.unit, d.stream, d.entry_id) = ($1, $2, $3)
"""


class Key(NamedTuple):
    """Which letter: where it was kept, and under which entry of which stream."""

    unit: str
    stream: str
    entry_id: str

    def __str__(self) -> str:
        """As commands write it."""
        return "/".join(self)


async def listed(connection: Connection, source: str = "", code: str = "") -> list[Record]:
    """The newest letters, of a sender and a code where they are given; never their bytes."""
    return await connection.fetch(_NEWEST, source, code, False, LISTED_MOST)


async def waiting(connection: Connection, source: str, code: str) -> list[Key]:
    """The letters with bytes that nobody has brought in yet: least tried, then oldest first."""
    rows = await connection.fetch(_OLDEST, source, code, True, LISTED_MOST)
    return [Key(row["unit"], row["stream"], row["entry_id"]) for row in rows]


async def letter(connection: Connection, key: Key) -> Record:
    """One letter with its bytes; NotFound. Whoever shows the bytes says so by `was_read`."""
    row = await connection.fetchrow(_ONE, *key)
    if row is None:
        raise NotFound("There is no such letter, or it is not within your units.")
    return row


async def was_read(connection: Connection, by: Scope, key: Key, how: str, at: int) -> None:
    """The audit of a read: `how` is whole, or shape where nothing said who it is."""
    await audit.note(connection, by, "read_letter", str(key), how, at)


async def tries(connection: Connection, key: Key) -> list[Record]:
    """What became of each further try, the first one first."""
    return await connection.fetch(
        "select number, outcome, reason, made_by, made_at from letter_try"
        " where (unit, stream, entry_id) = ($1, $2, $3) order by number",
        *key,
    )


async def begin(connection: Connection, key: Key, number: int | None) -> int:
    """The number of the next try, which nobody else makes until this transaction ends.

    Conflict where there were not `number` tries so far (None: however many), or one has taken it.
    """
    await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 58))", str(key))
    so_far = await tries(connection, key)
    if (number is not None and number != len(so_far)) or (
        so_far and so_far[-1]["outcome"] == TAKEN
    ):
        raise Conflict(CHANGED)
    return len(so_far) + 1


async def tried(
    connection: Connection, by: Scope, key: Key, number: int, outcome: str, reason: str, at: int
) -> None:
    """What became of a try (taken, partly, refused), with its audit row."""
    await connection.execute(
        "insert into letter_try (hospital_id, unit, stream, entry_id, number, outcome, reason,"
        " made_by, made_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        by.hospital,
        *key,
        number,
        outcome,
        reason,
        by.actor,
        to_datetime(at),
    )
    await audit.note(connection, by, "try_letter", str(key), f"{number}: {outcome}", at)
