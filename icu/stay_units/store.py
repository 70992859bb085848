"""A stay that changes unit, inside the transaction of the act: all that hangs on it goes along.

The rows are moved by functions of the database, which the archive's own trigger uses too where the
hospital's system has told of the move (migration 0031).
"""

from __future__ import annotations

from typing import Any

from hospital_ops.access import Principal
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection
from hospital_ops.errors import Conflict


async def go_on(
    connection: Connection, principal: Principal, stay: str, unit: str, bed: str, at: int
) -> dict[str, Any]:
    """The stay goes on in a bed of another unit; answers its id there, and how many orders went."""
    row = await connection.fetchrow(
        "select entered, orders from stay_transfer($1, $2, $3, $4, $5)",
        stay,
        unit,
        bed,
        to_datetime(at),
        principal.actor,
    )
    return {"to_stay": str(row["entered"]), "carried": row["orders"]} if row else {}


async def come_back(
    connection: Connection,
    principal: Principal,
    patient_id: str,
    mistaken_bed: str,
    stay: str,
    bed: str,
    at: int,
) -> None:
    """The stay goes on where it was, with all that the one over there has by now."""
    mistaken = await connection.fetchval(
        "select stay from stay where patient_id = $1 and bed = $2 and ended_at is null for update",
        patient_id,
        mistaken_bed,
    )
    if mistaken is None:
        raise Conflict("The patient is elsewhere by now: look there before you decide.")
    await connection.execute(
        "select stay_transfer_back($1, $2, $3, $4, $5)",
        mistaken,
        stay,
        bed,
        to_datetime(at),
        principal.actor,
    )
