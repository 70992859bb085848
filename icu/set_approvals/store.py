"""Approvals of order sets in PostgreSQL: by a named physician, for one version, until withdrawn."""

from __future__ import annotations

from typing import Any

from hospital_ops import audit
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Database
from hospital_ops.errors import Conflict, NotFound
from icu import order_sets


async def approved(database: Database, principal: Principal) -> dict[str, dict[str, Any]]:
    """Set to who approved its present version and when; others are not orderable."""
    async with database.transaction(principal.scope) as connection:
        found = await connection.fetch(
            "select order_set, version, approved_by, approved_at from order_set_approval"
            " where withdrawn_at is null"
        )
    return {
        row["order_set"]: {"by": row["approved_by"], "at": iso(from_datetime(row["approved_at"]))}
        for row in found
        if row["order_set"] in order_sets.ids()
        and row["version"] == order_sets.version(row["order_set"])
    }


async def approve(
    database: Database, principal: Principal, order_set: str, version: str, at: int
) -> None:
    """Approves what the physician has read: its version, which must be the present one."""
    if version != order_sets.version(order_set):
        raise Conflict("This set has changed: read it again before you approve it.")
    async with database.transaction(principal.scope) as connection:
        await connection.execute(
            "select pg_advisory_xact_lock(hashtextextended('order set ' || $1 || $2, 0))",
            principal.hospital,
            order_set,
        )
        already = await connection.fetchval(
            "select approved_by from order_set_approval where order_set = $1 and version = $2"
            " and withdrawn_at is null",
            order_set,
            version,
        )
        if already is not None:
            return
        await connection.execute(
            "insert into order_set_approval (hospital_id, order_set, version, approved_by,"
            " approved_at) values ($1, $2, $3, $4, $5)",
            principal.hospital,
            order_set,
            version,
            principal.actor,
            to_datetime(at),
        )
        shard = f"{principal.hospital}-hall"
        await audit.append(
            connection, shard, principal.scope, "approve_order_set", order_set, version, at
        )


async def withdraw(database: Database, principal: Principal, order_set: str, at: int) -> None:
    """Ends an approval; orders that were signed stay as they are."""
    async with database.transaction(principal.scope) as connection:
        ended = await connection.fetch(
            "update order_set_approval set withdrawn_by = $2, withdrawn_at = $3"
            " where order_set = $1 and withdrawn_at is null returning version",
            order_set,
            principal.actor,
            to_datetime(at),
        )
        if not ended:
            raise NotFound("This set is not approved here.")
        shard = f"{principal.hospital}-hall"
        await audit.append(
            connection, shard, principal.scope, "withdraw_order_set", order_set, "", at
        )
