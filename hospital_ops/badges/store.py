"""Badges in PostgreSQL: whose they are, added and revoked with an audit row each."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid4

from hospital_ops import audit
from hospital_ops.access import DEVICE_ROLES, Principal, Role, Scope
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Database
from hospital_ops.errors import Conflict, NotFound

LISTED: Final = 1000


async def listed(database: Database, scope: Scope) -> list[dict[str, Any]]:
    """The badges of the hospital that are not revoked, by name; never a number."""
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(
            "select b.badge_id, a.name, a.role, b.added_by, b.added_at from badge b"
            " join account a using (account) where b.revoked_at is null and a.disabled_at is null"
            " order by a.name, b.added_at limit $1",
            LISTED,
        )
    return [
        {
            "badge": str(row["badge_id"]),
            "name": row["name"],
            "role": row["role"],
            "added_by": row["added_by"],
            "added_at": iso(from_datetime(row["added_at"])),
        }
        for row in rows
    ]


async def add(database: Database, by: Principal, name: str, badge_hash: bytes, at: int) -> str:
    """Registers a badge for an account; Conflict where it is somebody's already."""
    badge = uuid4()
    async with database.transaction(by.scope) as connection:
        account = await connection.fetchrow(
            "select account, role from account where name = $1 and disabled_at is null", name
        )
        if account is None or Role(account["role"]) in (*DEVICE_ROLES, Role.WALLBOARD):
            raise NotFound("There is no such person with an account in this hospital.")
        made = await connection.fetchval(
            "insert into badge (badge_id, hospital_id, account, badge_hash, added_by, added_at)"
            " values ($1, $2, $3, $4, $5, $6) on conflict (hospital_id, badge_hash)"
            " where revoked_at is null do nothing returning badge_id",
            badge,
            by.hospital,
            account["account"],
            badge_hash,
            by.actor,
            to_datetime(at),
        )
        if made is None:
            raise Conflict("This badge is registered already: revoke it first.")
        await audit.note(connection, by.scope, "add_badge", name, str(badge), at)
    return str(badge)


async def revoke(database: Database, by: Principal, badge: UUID, at: int) -> None:
    """Ends a badge at once."""
    async with database.transaction(by.scope) as connection:
        name = await connection.fetchval(
            "update badge set revoked_by = $2, revoked_at = $3 from account a"
            " where badge_id = $1 and revoked_at is null and a.account = badge.account"
            " returning a.name",
            badge,
            by.actor,
            to_datetime(at),
        )
        if name is None:
            raise NotFound("There is no such badge, or it has been revoked.")
        await audit.note(connection, by.scope, "revoke_badge", name, str(badge), at)


async def person_of(database: Database, wall: Principal, badge_hash: bytes) -> Principal | None:
    """Whose badge it is, as they would act at this wall; None: nobody's, or ended."""
    async with database.transaction(wall.scope) as connection:
        row = await connection.fetchrow(
            "select a.name, a.role, a.units from badge b join account a using (account)"
            " where b.badge_hash = $1 and b.revoked_at is null and a.disabled_at is null",
            badge_hash,
        )
    if row is None:
        return None
    return Principal(
        actor=row["name"],
        role=Role(row["role"]),
        hospital=wall.hospital,
        units=tuple(row["units"]),
        key="",
        mode=wall.mode,
    )
