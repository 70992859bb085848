"""The row of an order: written when it is placed, and again when its rate or goal changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hospital_ops import identity, wire
from hospital_ops.access import Principal
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import Connection
from icu.order_checks import Finding
from icu.order_kinds import Wanted
from icu.orders import DRAFT, REQUESTED

if TYPE_CHECKING:
    from icu.ordering.store import Place, Signing


async def insert(
    connection: Connection,
    principal: Principal,
    where: Place,
    wanted: Wanted,
    checks: list[dict[str, Any]],
    signing: Signing,
    act: str,
    at: int,
) -> str:
    """The row of a new order; answers its id."""
    order = str(identity.uuid7())
    details = {**wanted.details, **({"target": wanted.target} if wanted.target else {})}
    signed = None if signing.draft else principal.actor
    await connection.execute(
        "insert into native_order (order_id, hospital_id, unit, bed, patient_id, kind, words,"
        " details, priority, due_at, every_s, times, ends_at, request, task, version, order_set,"
        " signing, signed_by, signed_at, checks, placed_by, placed_at, changed_by, changed_at,"
        " mode) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16,"
        " $17, $18, $19, $20, $21, $22, $21, $22, $23)",
        order,
        principal.hospital,
        where.unit,
        where.bed,
        where.patient_id,
        wanted.kind,
        wanted.text,
        wire.to_json(details).decode(),
        wanted.priority,
        _moment(wanted.due_at),
        wanted.plan.every_us // SECOND,
        wanted.plan.times,
        _moment(wanted.plan.ends_at),
        *(DRAFT if signing.draft else REQUESTED),
        signing.order_set,
        act if signed else None,
        signed,
        to_datetime(at) if signed else None,
        wire.to_json(checks).decode(),
        principal.actor,
        to_datetime(at),
        principal.mode,
    )
    return order


def _moment(at: int) -> Any:
    return to_datetime(at) if at else None


async def rewrite(
    connection: Connection, order: Any, wanted: Wanted, findings: Iterable[Finding]
) -> None:
    """The same order with another rate or goal, and what was checked for it."""
    details = {**wanted.details, **({"target": wanted.target} if wanted.target else {})}
    await connection.execute(
        "update native_order set words = $2, details = $3, checks = $4 where order_id = $1",
        order,
        wanted.text,
        wire.to_json(details).decode(),
        wire.to_json([finding.as_json() for finding in findings]).decode(),
    )
