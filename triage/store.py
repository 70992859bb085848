"""Decisions in PostgreSQL: the row, its audit and the outbox entry in one transaction."""

from __future__ import annotations

from typing import Any

from hospital_ops import audit, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, UniqueViolation
from hospital_ops.errors import Conflict
from triage.decision import WantedDecision

_STALE = "Somebody else has decided first; yours was not saved."


async def decide(
    database: Database, principal: Principal, unit: str, case: str, wanted: WantedDecision, at: int
) -> dict[str, Any]:
    """Saves decision number `wanted.version + 1`; Conflict with what holds for the second."""
    try:
        async with database.transaction(principal.scope) as connection:
            # Of every department that the case has been to: its decisions are numbered once.
            made = await connection.fetchval("select case_decisions($1)", case)
            if made != wanted.version:  # and what holds is read after that, not before
                raise Conflict(_STALE, await _latest(connection, case, unit))
            await _insert(connection, principal, unit, case, wanted, at)
            saved = await _latest(connection, case, unit)
    except UniqueViolation as error:
        async with database.transaction(principal.scope) as connection:
            raise Conflict(_STALE, await _latest(connection, case, unit)) from error
    return saved or {}


async def _insert(
    connection: Connection,
    principal: Principal,
    unit: str,
    case: str,
    wanted: WantedDecision,
    at: int,
) -> None:
    version = wanted.version + 1
    await connection.execute(
        "insert into triage_decision (case_id, version, hospital_id, unit, colour, proposed,"
        " reason, destination, care, decided_by, decided_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        case,
        version,
        principal.hospital,
        unit,
        wanted.colour,
        wanted.proposed,
        wanted.reason,
        wanted.destination,
        list(wanted.care),
        principal.actor,
        to_datetime(at),
    )
    entry = wire.Decided(
        unit=unit,
        case=case,
        version=version,
        colour=wanted.colour,
        by=principal.actor,
        at=at,
        reason=wanted.reason,
        destination=wanted.destination,
        care=wanted.care,
        seen=wanted.seen,
    )
    await outbox.put(connection, principal.hospital, (unit, entry))
    detail = f"version {version}: {wanted.colour}, proposed {wanted.proposed}"
    await audit.append(connection, unit, principal.scope, "decide_triage", case, detail, at)


async def _latest(connection: Connection, case: str, unit: str) -> dict[str, Any] | None:
    row = await connection.fetchrow(
        "select version, colour, proposed, reason, destination, care, decided_by, decided_at"
        " from triage_decision where case_id = $1 and unit = $2 order by version desc limit 1",
        case,
        unit,
    )
    if row is None:
        return None
    return {
        "version": row["version"],
        "colour": row["colour"],
        "proposed": row["proposed"],
        "reason": row["reason"],
        "destination": row["destination"],
        "care": list(row["care"]),
        "by": row["decided_by"],
        "at": iso(from_datetime(row["decided_at"])),
    }
