"""When an order was carried out, kept beside its history, and taken back where it was not."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import identity
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.database import Connection, Record
from hospital_ops.errors import Conflict, MessageError
from icu.orders import DOSED, REQUESTED

NOTHING: Final = "Nothing of this order was carried out that could be taken back."
NOT_YOURS: Final = "Whoever did it takes it back, or a physician."
_EARLY_US: Final = 60_000_000  # clocks of a tablet and a server differ; so much is "now"
_MS: Final = 1000  # the public forms are cut to it
# What was carried out and still counts, the newest first, and what was due before it.
_DONE: Final = """
select e.version, e.actor, e.missed, coalesce(e.done_at, e.at) as done_at,
       (select b.due_at from order_event b where b.order_id = e.order_id and b.version < e.version
         order by b.version desc limit 1) as due_before
  from order_event e
 where e.order_id = $1 and e.act = 'complete'
   and not exists (select from order_event u
                    where u.order_id = e.order_id and u.undoes = e.version)
 order by e.version desc
 limit 2
"""
# Whatever columns an order has, the new one has them too.
_AGAIN: Final = """
insert into native_order
select (jsonb_populate_record(null::native_order, to_jsonb(o) || jsonb_build_object(
           'order_id', $2::uuid, 'version', 1, 'request', $3::text, 'task', $4::text,
           'changed_by', $5::text, 'changed_at', $6::timestamptz))).*
  from native_order o where o.order_id = $1
"""


class Noted(NamedTuple):
    """What an act says beside the states: kept with its event."""

    done_at: int = 0  # 0: the moment of the act
    undoes: int = 0  # the version that is taken back
    due_at: int = 0  # what is due again by that
    missed: int = 0  # what the act that is taken back had counted
    changed: dict[str, Any] | None = None  # {"before", "after"} of a rate or a goal


def moment(act: str, told_at: int, row: Record, at: int) -> int:
    """When it was carried out: now where nothing is told, else not in the future, not too early."""
    if act not in DOSED or not told_at:
        return at
    if told_at > at + _EARLY_US:
        raise MessageError("in_future", "`done_at` lies in the future")
    if told_at // _MS < from_datetime(row["placed_at"]) // _MS:
        raise MessageError("before_order", "`done_at` lies before the order was placed")
    if row["done_at"] is not None and told_at // _MS <= from_datetime(row["done_at"]) // _MS:
        raise MessageError("before_last", "`done_at` lies before the one that was done last")
    return min(told_at, at)


async def taken_back(connection: Connection, principal: Principal, row: Record) -> Noted:
    """What is taken back of an order; Conflict where it is nobody's to take, or nothing."""
    done = await connection.fetch(_DONE, row["order_id"])
    if not done:
        raise Conflict(NOTHING)
    if done[0]["actor"] != principal.actor and not allows(
        principal, Permission.ORDER, principal.hospital, row["unit"]
    ):
        raise Conflict(NOT_YOURS)
    due = done[0]["due_before"]
    return Noted(
        undoes=done[0]["version"],
        due_at=from_datetime(due) if due is not None else 0,
        missed=done[0]["missed"],
    )


async def note(
    connection: Connection, principal: Principal, row: Record, act: str, noted: Noted
) -> None:
    """Keeps on the order when it was last carried out; to be called with the row's lock."""
    order = row["order_id"]
    if act == "complete":
        await connection.execute(
            "update native_order set done_at = $2, done_by = $3, done_version = version"
            " where order_id = $1",
            order,
            to_datetime(noted.done_at),
            principal.actor,
        )
    elif act == "undo":
        before = (await connection.fetch(_DONE, order))[1:]
        went_on = row["request"] != "completed"
        await connection.execute(
            "update native_order set done_at = $2, done_by = $3, done_version = $4,"
            " undone = undone + $5 where order_id = $1",
            order,
            before[0]["done_at"] if before else None,
            before[0]["actor"] if before else "",
            before[0]["version"] if before and went_on else 0,
            1 + noted.missed if went_on else 0,
        )


async def place_again(
    connection: Connection, principal: Principal, row: Record, unit: str, due_at: int, at: int
) -> str:
    """The order as it stood before it was taken for done, under a new id; answers that."""
    if row["unit"] != unit:
        raise MessageError("other_unit", "this order belongs to the unit in which it was placed")
    order = str(identity.derived("undone", str(row["order_id"]), str(row["version"])))
    arguments = row["order_id"], UUID(order), *REQUESTED, principal.actor, to_datetime(at)
    await connection.execute(_AGAIN, *arguments)
    await connection.execute(
        "update native_order set due_at = $2 where order_id = $1",
        UUID(order),
        to_datetime(due_at) if due_at else None,
    )
    return order
