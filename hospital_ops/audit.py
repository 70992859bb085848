"""The audit: a hash chain per shard, written by one function of the database, verified here.

Each row's hash covers the hash before it and all its own columns, so a changed, missing or moved
row breaks the chain; the head says how long it has to be. Details hold ids and codes, never a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hospital_ops.access import Scope
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Record

PAGE_MAX: Final = 500
PROBLEMS_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: number of its last row and that row's hash; (0, b"") before the first."""

    number: int
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One thing done or read, for the viewer."""

    number: int
    at: datetime
    actor: str
    role: str
    action: str
    subject: str
    detail: str


def hall(hospital: str) -> str:
    """The hospital's shard for what has no unit, sign-ins among it."""
    return f"{hospital}-hall"


async def append(
    connection: Connection,
    shard: str,
    principal: Scope,
    action: str,
    subject: str,
    detail: str,
    at: int,
) -> int:
    """Adds a row to the shard's chain in the running transaction and returns its number.

    Writers of one shard wait for each other until commit: do it last. `at`: microseconds UTC.
    """
    number = await connection.fetchval(
        "select audit_append($1, $2, $3, $4, $5, $6, $7, $8)",
        shard,
        principal.hospital,
        to_datetime(at),
        *(_storable(text) for text in (principal.actor, principal.role, action, subject, detail)),
    )
    return int(number)


async def note(
    connection: Connection, by: Scope, action: str, subject: str, detail: str, at: int
) -> None:
    """Adds a row about what belongs to no unit to the chain of the hospital's hall."""
    await append(connection, hall(by.hospital), by, action, subject, detail, at)


async def head(connection: Connection, shard: str) -> Head:
    """The present end of a chain, to be kept outside the database. Needs the role owner."""
    row = await connection.fetchrow("select number, hash from audit_head where shard = $1", shard)
    return Head(row["number"], row["hash"]) if row else Head(0, b"")


async def verify(connection: Connection, shard: str, anchor: Head | None = None) -> list[str]:
    """Sentences that say where the chain is broken; none: it is whole. Needs the role owner.

    `anchor` is a head kept outside: only it shows that rows and head were cut off together.
    """
    problems = [
        _sentence(shard, row) for row in await connection.fetch(_BROKEN, shard, PROBLEMS_MAX)
    ]
    end, last = await head(connection, shard), await connection.fetchrow(_LAST, shard)
    number, digest = (last["number"], last["hash"]) if last else (0, b"")
    if number != end.number:
        problems.append(
            f"{shard}: the chain ends at row {number}, its head says {end.number}: rows are gone."
        )
    elif digest != end.hash:
        problems.append(f"{shard}: the last row {number} is not the one its head names.")
    if anchor is not None and anchor.number > 0:
        kept = await connection.fetchval(_ONE, shard, anchor.number)
        if kept != anchor.hash:
            problems.append(
                f"{shard}: row {anchor.number} is not the one that was anchored outside."
            )
    return problems


async def shards(connection: Connection) -> list[str]:
    """Every shard that has a chain. Needs the role owner."""
    return [
        row["shard"] for row in await connection.fetch("select shard from audit_head order by 1")
    ]


async def read(
    connection: Connection, shard: str, *, before: int | None = None, limit: int = PAGE_MAX
) -> list[AuditRow]:
    """The newest rows of a shard before number `before`, newest first, at most 500."""
    rows = await connection.fetch(_PAGE, shard, before, min(limit, PAGE_MAX))
    return [AuditRow(**dict(row)) for row in rows]


# Row numbers have no gaps and each names the hash before it; both are looked at with the hash.
_BROKEN: Final = """
select * from (
    select number, previous, hash,
           lag(number, 1, 0::bigint) over chain as before_number,
           lag(hash, 1, ''::bytea) over chain as before_hash,
           sha256(previous || audit_text(shard, hospital_id, number, at, actor, role, action,
                                         subject, detail)) as expected
    from audit where shard = $1 window chain as (order by number)
) as row
where number <> before_number + 1 or previous <> before_hash or hash <> expected
order by number limit $2
"""
_LAST: Final = "select number, hash from audit where shard = $1 order by number desc limit 1"
_ONE: Final = "select hash from audit where shard = $1 and number = $2"
_PAGE: Final = """
select number, at, actor, role, action, subject, detail from audit
where shard = $1 and ($2::bigint is null or number < $2) order by number desc limit $3
"""


def _sentence(shard: str, row: Record) -> str:
    if row["hash"] != row["expected"]:
        return f"{shard}: row {row['number']} was changed after it was written."
    if row["number"] != row["before_number"] + 1:
        return f"{shard}: rows between {row['before_number']} and {row['number']} are gone."
    return f"{shard}: row {row['number']} does not follow the row before it."


def _storable(text: str) -> str:
    """PostgreSQL's text holds neither a zero byte nor half a surrogate pair."""
    return text.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()
