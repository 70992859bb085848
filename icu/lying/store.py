"""Holds the stay of a patient, inside the transaction in which something is decided for them.

Whoever ends a stay or takes it to another unit holds it too, so of the two one comes first: what
is decided first ends with the stay, and what comes after finds that it has ended.
"""

from __future__ import annotations

from typing import Final

from hospital_ops.clock import from_datetime
from hospital_ops.database import Connection
from hospital_ops.errors import Conflict

LEFT: Final = "This patient has left the unit: look where they lie before you decide."
_HOLD: Final = "select from stay where patient_id = $1 and ended_at is null for share"
_NEWEST: Final = """
select unit, ended_at from stay where patient_id = $1
 order by ended_at is not null, ended_at desc limit 1 for share
"""


async def here(connection: Connection, unit: str, patient_id: str, since: int = 0) -> bool:
    """Whether the patient lies in the unit; their stay is held until the transaction ends.

    `since`: when they were admitted, as the board has it, microseconds UTC. The record follows the
    board by a moment: a stay that ended before that is an earlier one, and of whom it knows
    nothing yet the board is believed.
    """
    await connection.execute(_HOLD, patient_id)  # waits for whoever is ending it now
    row = await connection.fetchrow(_NEWEST, patient_id)
    if row is None:
        return True
    if row["ended_at"] is None:
        return bool(row["unit"] == unit)
    return from_datetime(row["ended_at"]) <= since


async def require_here(connection: Connection, unit: str, patient_id: str, since: int = 0) -> None:
    """The same; Conflict in words where the patient has left."""
    if not await here(connection, unit, patient_id, since):
        raise Conflict(LEFT)
