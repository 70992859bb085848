"""Hand-over sheets in PostgreSQL: the readings they are made of, and the signed copy for ever."""

from __future__ import annotations

from typing import Any

from hospital_ops import audit, outbox, wire
from hospital_ops.access import Principal, Scope
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Database, Record, UniqueViolation
from hospital_ops.errors import Conflict
from triage.handover.sheet import Reading

READINGS_MAX = 100_000  # a day of six values each second is more than any way is long


async def readings_of(
    database: Database, scope: Scope, case: str, only: str | None = None
) -> list[Reading]:
    """The stored numbers of a case that may be trusted, oldest first; `only`: of this mode.

    Without what was withdrawn or moved to another case, with what was moved here or joined.
    """
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(
            "select code, value, physical_unit, determined_at from case_readings($1, $3)"
            " order by determined_at, code, value limit $2",
            case,
            READINGS_MAX,
            only,
        )
    return [
        Reading(
            row["code"], row["value"], row["physical_unit"], from_datetime(row["determined_at"])
        )
        for row in rows
    ]


async def signed(database: Database, scope: Scope, case: str) -> dict[str, Any] | None:
    """The newest signed sheet of a case: `{"version", "by", "at", "sheet"}`."""
    async with database.transaction(scope) as connection:
        row = await connection.fetchrow(
            "select version, sheet, signed_by, signed_at from handover_sheet"
            " where case_id = $1 order by version desc limit 1",
            case,
        )
    return _view(row) if row else None


async def sign(
    database: Database,
    principal: Principal,
    unit: str,
    case: str,
    version: int,
    sheet: dict[str, Any],
    at: int,
) -> dict[str, Any]:
    """Keeps the sheet as signed, on top of `version` earlier ones; Conflict for the second."""
    entry = wire.SheetSigned(unit=unit, case=case, version=version + 1, at=at, by=principal.actor)
    try:
        async with database.transaction(principal.scope) as connection:
            row = await connection.fetchrow(
                "insert into handover_sheet (case_id, version, hospital_id, unit, sheet, signed_by,"
                " signed_at) values ($1, $2, $3, $4, $5::text::jsonb, $6, $7)"
                " returning version, sheet, signed_by, signed_at",
                case,
                version + 1,
                principal.hospital,
                unit,
                wire.to_json(sheet).decode(),
                principal.actor,
                to_datetime(at),
            )
            await outbox.put(connection, principal.hospital, (unit, entry))
            detail = f"version {version + 1}"
            await audit.append(connection, unit, principal.scope, "sign_sheet", case, detail, at)
    except UniqueViolation as error:
        raise Conflict("Somebody else has signed this sheet first: look again.") from error
    return _view(row) if row else {}


def _view(row: Record) -> dict[str, Any]:
    return {
        "version": row["version"],
        "by": row["signed_by"],
        "at": iso(from_datetime(row["signed_at"])),
        "sheet": wire.from_json(row["sheet"]),
    }
