"""The map of beds: free, taken, cleaning, reserved. One place is one row (SAFETY I17)."""

from __future__ import annotations

from typing import Any, Final

from hospital_ops import audit
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Database, Record
from hospital_ops.errors import Conflict, MessageError, NotFound

STATES: Final = ("free", "cleaning", "reserved")

_MAP: Final = """
select b.bed, b.label, b.unit, g.kind, g.patient_id, g.words, g.given_by, g.given_at
  from bed b left join bed_given g using (bed)
 where b.unit = $1 order by b.position, b.bed
"""


async def of_unit(database: Database, principal: Principal, unit: str) -> list[dict[str, Any]]:
    """Every bed of a unit with what takes its place."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(_MAP, unit)
    return [_view(row) for row in rows]


async def put(
    database: Database, principal: Principal, bed: str, state: str, words: str, at: int
) -> None:
    """Marks a bed that nobody lies in; Conflict where somebody was given it."""
    if state not in STATES:
        raise MessageError("bad_state", f"a bed is {', '.join(STATES)}; it is taken by a patient")
    async with database.transaction(principal.scope) as connection:
        unit = await connection.fetchval("select unit from bed where bed = $1", bed)
        if unit is None:
            raise NotFound("There is no such bed, or it is not within your units.")
        if state == "free":
            await connection.execute(
                "delete from bed_given where bed = $1 and kind <> 'patient'", bed
            )
            taken = await connection.fetchval("select bed from bed_given where bed = $1", bed)
        else:
            done = await connection.fetchval(
                "insert into bed_given as g (bed, hospital_id, unit, kind, words, given_by,"
                " given_at) values ($1, $2, $3, $4, $5, $6, $7) on conflict (bed) do update"
                " set kind = excluded.kind, words = excluded.words, given_by = excluded.given_by,"
                " given_at = excluded.given_at where g.kind <> 'patient' returning bed",
                bed,
                principal.hospital,
                unit,
                state,
                words,
                principal.actor,
                to_datetime(at),
            )
            taken = None if done else bed
        if taken:
            raise Conflict("Somebody has been given this bed: it is taken.")
        await audit.append(connection, unit, principal.scope, "mark_bed", bed, state, at)


def _view(row: Record) -> dict[str, Any]:
    kind = row["kind"]
    return {
        "bed": row["bed"],
        "label": row["label"],
        "state": "free" if kind is None else "taken" if kind == "patient" else kind,
        "patient_id": str(row["patient_id"]) if row["patient_id"] else None,
        "words": row["words"] or "",
        "by": row["given_by"],
        "since": iso(from_datetime(row["given_at"])) if row["given_at"] else None,
    }
