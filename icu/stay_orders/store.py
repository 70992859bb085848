"""What becomes of a patient's orders when a stay ends, inside the transaction that ends it.

They are revoked. Where that end was an error they are placed again as they stood: an order that has
ended never goes back (SAFETY I13), so each has a new id that is derived from the reversal.

Where the hospital's own system let the patient go their orders stay as they are, for a physician to
end: nobody lies under them any more, so they are found by the unit.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from hospital_ops import identity
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, NotFound
from icu.ordering import rows
from icu.ordering import store as ordering
from icu.orders import Plan, step

LIES_HERE: Final = "This patient lies in the unit: change the order at the bed."
_ROW: Final = """
select order_id, unit, bed, patient_id, request, task, occurrence, due_at, version
  from native_order
"""
_OPEN: Final = (
    _ROW + " where patient_id = $1 and request in ('draft', 'active', 'on-hold')"
    " order by order_id for update"
)
_WHOSE: Final = "select patient_id from native_order where order_id = $1 and unit = $2"
_ONE: Final = _ROW + " where order_id = $1 and unit = $2 for update"
_LIES: Final = """
select true from stay where patient_id = $1 and unit = $2 and ended_at is null for share
"""
_STANDING: Final = """
select kind, words, request, due_at, changed_at, changed_by from native_order
 where patient_id = $1 and request in ('active', 'on-hold') order by placed_at desc limit 60
"""
_CARE: Final = """
select kind, limits from care_agreement where stay = $1 and state = 'in_force' order by kind
"""
# Whatever columns an order has, the new one has them too.
_AGAIN: Final = """
insert into native_order
select (jsonb_populate_record(null::native_order, to_jsonb(o) || jsonb_build_object(
           'order_id', $2::uuid, 'version', 1, 'request', $3::text, 'task', $4::text,
           'bed', $5::text, 'changed_by', $6::text, 'changed_at', $7::timestamptz,
           'done_version', 0))).*
  from native_order o where o.order_id = $1
"""


async def standing(connection: Connection, stay: str, patient_id: str) -> dict[str, Any]:
    """What is open and agreed on as the patient leaves, for the summary (icu/handover)."""
    orders = await connection.fetch(_STANDING, patient_id)
    care = await connection.fetch(_CARE, stay)
    return {
        "orders": [
            {
                "kind": row["kind"],
                "words": row["words"],
                "done": False,
                "held": row["request"] == "on-hold",
                "due_at": iso(from_datetime(row["due_at"])) if row["due_at"] else None,
                "changed_at": iso(from_datetime(row["changed_at"])),
                "changed_by": row["changed_by"],
            }
            for row in orders
        ],
        "care": [{"kind": row["kind"], "limits": list(row["limits"])} for row in care],
    }


async def close_all(
    connection: Connection, principal: Principal, patient_id: str, reason: str, at: int
) -> list[dict[str, str]]:
    """Revokes every unfinished order of a patient; answers them with the stage they had.

    Whoever calls it holds the stay; an order that is being placed comes before or finds it ended.
    """
    await ordering.lock(connection, patient_id)
    found = await connection.fetch(_OPEN, patient_id)
    for row in found:
        await _revoke(connection, principal, row, reason, at)
    return [
        {"order": str(row["order_id"]), "request": row["request"], "task": row["task"]}
        for row in found
    ]


async def revoke_left(
    database: Database,
    principal: Principal,
    unit: str,
    order: str,
    *,
    on_board: Collection[str],
    version: int,
    reason: str,
    at: int,
) -> None:
    """Revokes an order of the unit whose patient lies in none of its beds; Conflict otherwise.

    `on_board`: the patients whom the board of the unit shows.
    """
    async with database.transaction(principal.scope) as connection:
        patient = await connection.fetchval(_WHOSE, ordering.order_id(order), unit)
        if patient is None:
            raise NotFound(ordering.NO_ORDER)
        if str(patient) in on_board or await _lies(connection, unit, str(patient)):
            raise Conflict(LIES_HERE)
        row = await connection.fetchrow(_ONE, ordering.order_id(order), unit)
        if row is None or row["version"] != version:
            raise Conflict(ordering.STALE)
        await _revoke(connection, principal, row, reason, at)


async def _lies(connection: Connection, unit: str, patient_id: str) -> bool:
    """Whether the record has the patient in the unit; their stay is held meanwhile."""
    return bool(await connection.fetchval(_LIES, patient_id, unit))


async def _revoke(
    connection: Connection, principal: Principal, row: Record, reason: str, at: int
) -> None:
    following = step("revoke", rows.standing_of(row), Plan(), at)
    where = ordering.Place(row["unit"], row["bed"], str(row["patient_id"]))
    await ordering.update(connection, principal, where, row, following, at)
    await ordering.tell(connection, principal, str(row["order_id"]), "revoke", reason, at)


async def place_again(
    connection: Connection,
    principal: Principal,
    known: dict[str, Any],
    bed: str,
    reversal: str,
    at: int,
) -> str:
    """An order as it stood before `close_all`, under a new id; answers it."""
    order = str(identity.derived("again", known["order"], reversal))
    await connection.execute(
        _AGAIN,
        known["order"],
        order,
        known["request"],
        known["task"],
        bed,
        principal.actor,
        to_datetime(at),
    )
    reason = f"again after an error, before: {known['order']}"
    await ordering.tell(connection, principal, order, "place", reason, at)
    return order
