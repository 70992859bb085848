"""The SQL of retention: a look at what would go, small deletions, holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from hospital_ops import audit
from hospital_ops.access import Scope
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.errors import NotFound
from hospital_ops.identity import uuid7
from hospital_ops.retention.kinds import KINDS, Target

CHUNK_ROWS: Final = 5000  # of a transaction: bounds how long its locks are held


@dataclass(frozen=True, slots=True)
class Look:
    """What a run would do to one table."""

    kind: str
    table: str
    before: datetime
    going: int  # rows
    staying: int  # as old, and kept for a stay, a hold or an incident
    bytes: int  # on disk with indexes, by the share of rows
    oldest: datetime | None  # of what goes
    newest: datetime | None


async def look(db: Database, kind: str, before: datetime) -> list[Look]:
    """The dry run of one kind: reads only. `db` has the role owner."""
    found = []
    for target in KINDS[kind]:
        async with db.transaction() as connection:
            rows = await connection.fetch(
                "select * from retention_look($1, $2, $3, $4)", *target, before
            )
        times = [row for row in rows if row["going"]]
        found.append(
            Look(
                kind=kind,
                table=target.table,
                before=before,
                going=sum(row["going"] for row in rows),
                staying=sum(row["staying"] for row in rows),
                bytes=sum(row["bytes"] for row in rows),
                oldest=min((row["oldest"] for row in times), default=None),
                newest=max((row["newest"] for row in times), default=None),
            )
        )
    return found


async def delete(
    db: Database, kind: str, before: datetime, chunk_rows: int = CHUNK_ROWS
) -> AsyncIterator[tuple[str, int]]:
    """Deletes what `look` shows, a chunk or a day at a time; yields (table, rows) after each.

    Each is one committed transaction with its audit rows, so it may be stopped at any moment.
    Raises LockNotAvailable where somebody reads a day just now: run it again.
    """
    for target in KINDS[kind]:
        async with db.transaction() as connection:
            leaves = await connection.fetch(
                "select retention_leaves($1, $2) as leaf", target.table, before
            )
        for row in leaves:
            while gone := await _chunk(db, kind, target, row["leaf"], before, chunk_rows):
                yield target.table, gone
                if await _dropped(db, row["leaf"]):
                    break


async def _chunk(
    db: Database, kind: str, target: Target, leaf: str, before: datetime, at_most: int
) -> int:
    async with db.transaction() as connection:
        return int(
            await connection.fetchval(
                "select retention_delete($1, $2, $3, $4, $5, $6, $7)",
                kind, target.table, leaf, target.time, target.place, before, at_most,
            )
        )  # fmt: skip


async def _dropped(db: Database, leaf: str) -> bool:
    async with db.transaction() as connection:
        return bool(await connection.fetchval("select to_regclass($1) is null", leaf))


def cutoffs(keep_days: Mapping[str, int], now_us: int) -> dict[str, datetime]:
    """Before which moment each kind may go; a kind without a setting is not there."""
    now = to_datetime(now_us)
    return {kind: now - timedelta(days=keep_days[kind]) for kind in KINDS if kind in keep_days}


async def place_hold(
    connection: Connection, by: Scope, unit: str | None, patient: UUID | None, reason: str, at: int
) -> UUID:
    """Nothing of the patient or unit is deleted from now on; audited."""
    hold = uuid7()
    await connection.execute(
        "insert into retention_hold (hold, hospital_id, unit, patient_id, reason, placed_by,"
        " placed_at) values ($1, $2, $3, $4, $5, $6, $7)",
        hold, by.hospital, unit, patient, reason, by.actor, to_datetime(at),
    )  # fmt: skip
    await audit.note(connection, by, "retention_hold_placed", str(hold), "", at)
    return hold


async def end_hold(connection: Connection, by: Scope, hold: UUID, at: int) -> None:
    """The hold is over; audited. NotFound where it is none of this hospital's."""
    ended = await connection.fetchval(
        "update retention_hold set ended_by = $2, ended_at = $3"
        " where hold = $1 and ended_at is null returning hold",
        hold,
        by.actor,
        to_datetime(at),
    )
    if ended is None:
        raise NotFound("There is no such hold in this hospital.")
    await audit.note(connection, by, "retention_hold_ended", str(hold), "", at)


async def holds(connection: Connection) -> list[str]:
    """A line for each hold in force."""
    rows = await connection.fetch(
        "select hold, unit, patient_id, placed_by, placed_at, reason from retention_hold"
        " where ended_at is null order by placed_at"
    )
    return [
        f"{row['hold']}  {row['unit'] or row['patient_id']}  {row['placed_at']:%Y-%m-%d}"
        f"  {row['placed_by']}  {row['reason']}"
        for row in rows
    ]
