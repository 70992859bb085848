"""Sign-ons and a unit's alarm settings in PostgreSQL: row, audit and outbox entry together.

The relay tells the unit, whose live state then knows them without PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from hospital_ops import audit, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import SECOND, from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, NotFound

HOUR_US: Final = 3600 * SECOND


async def on_duty(database: Database, principal: Principal, unit: str, at: int) -> list[Any]:
    """Everybody who is on duty in a unit at a moment, by post and name."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(
            "select who, version, post, beds, second, since, until from staff_duty"
            " where unit = $1 and until > $2 and since <= $2 order by post, who",
            unit,
            to_datetime(at),
        )
    return [_view(row) for row in rows]


async def sign_on(
    database: Database,
    principal: Principal,
    unit: str,
    *,
    post: str,
    beds: Sequence[str],
    second: Sequence[str],
    hours: int,
    at: int,
) -> dict[str, Any]:
    """On duty from now on, for so many hours (0: signed off); it replaces what held before."""
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(
            "insert into staff_duty as d (hospital_id, unit, who, version, post, beds, second,"
            " since, until) values ($1, $2, $3, 1, $4, $5, $6, $7, $8)"
            " on conflict (unit, who) do update set version = d.version + 1,"
            " post = excluded.post, beds = excluded.beds, second = excluded.second,"
            " since = excluded.since, until = excluded.until"
            " returning who, version, post, beds, second, since, until",
            principal.hospital,
            unit,
            principal.actor,
            post,
            list(beds),
            list(second),
            to_datetime(at),
            to_datetime(at + hours * HOUR_US),
        )
        if row is None:
            raise NotFound("There is no such unit.")
        entry = wire.OnDuty(
            unit=unit,
            who=row["who"],
            version=row["version"],
            post=row["post"],
            beds=tuple(row["beds"]),
            second=tuple(row["second"]),
            since=from_datetime(row["since"]),
            until=from_datetime(row["until"]),
        )
        act = "sign_on" if hours else "sign_off"
        await _tell(connection, principal, unit, entry, act, post, at)
    return _view(row)


async def site(database: Database, principal: Principal, unit: str) -> dict[str, Any] | None:
    """What a unit has set for its alarms; None: the table's figures hold."""
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(
            "select version, reminder_s, physician_s, changed_by, changed_at from alarm_site"
            " where unit = $1",
            unit,
        )
    return None if row is None else {**row, "changed_at": iso(from_datetime(row["changed_at"]))}


async def set_site(
    database: Database,
    principal: Principal,
    unit: str,
    *,
    reminder_s: int,
    physician_s: int,
    version: int,
    at: int,
) -> None:
    """Sets a unit's figures; Conflict where somebody else has changed them since `version`."""
    async with database.transaction(principal.scope) as connection:
        changed = await connection.fetchval(
            "insert into alarm_site as s (hospital_id, unit, version, reminder_s, physician_s,"
            " changed_by, changed_at) select $1, $2, 1, $3, $4, $5, $6 where $7 = 0 or exists"
            " (select from alarm_site where unit = $2)"
            " on conflict (unit) do update set version = s.version + 1,"
            " reminder_s = excluded.reminder_s, physician_s = excluded.physician_s,"
            " changed_by = excluded.changed_by, changed_at = excluded.changed_at"
            " where s.version = $7 returning version",
            principal.hospital,
            unit,
            reminder_s,
            physician_s,
            principal.actor,
            to_datetime(at),
            version,
        )
        if changed is None:
            raise Conflict("Somebody else has changed these settings; yours were not saved.")
        entry = wire.AlarmSite(unit, changed, reminder_s, physician_s, principal.actor, at)
        detail = f"reminder {reminder_s} s, physician {physician_s} s, version {changed}"
        await _tell(connection, principal, unit, entry, "set_alarm_site", detail, at)


async def _tell(
    connection: Connection,
    principal: Principal,
    unit: str,
    entry: wire.Entry,
    action: str,
    detail: str,
    at: int,
) -> None:
    await outbox.put(connection, principal.hospital, (unit, entry))
    await audit.append(connection, unit, principal.scope, action, unit, detail, at)


def _view(row: Record) -> dict[str, Any]:
    return {
        "who": row["who"],
        "post": row["post"],
        "beds": list(row["beds"]),
        "second": list(row["second"]),
        "since": iso(from_datetime(row["since"])),
        "until": iso(from_datetime(row["until"])),
        "version": row["version"],
    }
