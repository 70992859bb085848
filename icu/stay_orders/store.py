"""What becomes of a patient's orders when a stay ends, inside the transaction that ends it.

They are revoked. Where that end was an error they are placed again as they stood: an order that has
ended never goes back (SAFETY I13), so each has a new id that is derived from the reversal.
"""

from __future__ import annotations

from typing import Any, Final

from hospital_ops import identity
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection
from icu.ordering import store as ordering

_OPEN: Final = """
select order_id, request, task from native_order
 where patient_id = $1 and request in ('draft', 'active', 'on-hold') order by order_id for update
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
           'bed', $5::text, 'changed_by', $6::text, 'changed_at', $7::timestamptz))).*
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
    """Revokes every unfinished order of a patient; answers them with the stage they had."""
    rows = await connection.fetch(_OPEN, patient_id)
    await ordering.close_all(connection, principal, patient_id, reason, at)
    return [
        {"order": str(row["order_id"]), "request": row["request"], "task": row["task"]}
        for row in rows
    ]


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
