"""Limits of a unit and of a patient in PostgreSQL: row, audit and outbox entry together.

Every act on one rule, code and band is numbered; the newest change that is not undone holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import audit, outbox, wire
from hospital_ops.access import Principal, Scope
from hospital_ops.clock import SECOND, from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, NotFound
from icu.load.replay import Question
from icu.site_limits import name_of

SHOWN_US: Final = 86_400 * SECOND  # a replay that was shown longer ago is asked for again
LISTED: Final = 100
_OTHERS: Final = "This limit has been changed meanwhile: look at it again before you decide."


class Wanted(NamedTuple):
    """A change as it is signed; `version` is of the change that held when it was decided on."""

    unit: str
    patient_id: str  # empty: of the whole unit
    rule: str
    code: str
    band: str  # empty: a patient's own
    limit: float | None
    delay_s: float | None
    reason: str
    version: int
    replay: Mapping[str, Any]


async def in_force(
    database: Database, scope: Scope, unit: str, patient_id: str = ""
) -> dict[str, wire.LimitSet]:
    """What holds now for the unit and, where one is named, a patient; by `name_of`."""
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(
            "select distinct on (patient_id, rule, code, band) * from unit_limit"
            " where unit = $1 and patient_id = any($2::text[]) and undone_at is null"
            " order by patient_id, rule, code, band, version desc",
            unit,
            ["", patient_id],
        )
    found = [_entry(row) for row in rows]
    return {name_of(one.rule, one.code, one.band, one.patient_id): one for one in found}


async def history(
    database: Database, scope: Scope, unit: str, patient_id: str = ""
) -> list[dict[str, Any]]:
    """All changes of the unit, or of a patient in it, the newest first; `in_force` marks one."""
    async with database.transaction(scope) as connection:
        rows = await connection.fetch(
            "select * from unit_limit where unit = $1 and patient_id = $2"
            " order by approved_at desc, version desc limit $3",
            unit,
            patient_id,
            LISTED,
        )
    seen: set[str] = set()
    found = []
    for row in rows:
        name = name_of(row["rule"], row["code"], row["band"], row["patient_id"])
        holds = row["undone_at"] is None and name not in seen
        if holds:
            seen.add(name)
        found.append(_view(row) | {"in_force": holds})
    return found


async def note_replay(
    database: Database,
    principal: Principal,
    unit: str,
    question: Question,
    found: Mapping[str, Any],
    at: int,
    mode: str,
) -> str:
    """Keeps what was shown to somebody who may apply it; answers its id."""
    async with database.transaction(principal.scope) as connection:
        made = await connection.fetchval(
            "insert into limit_replay (replay_id, hospital_id, unit, rule, code, band, limit_value,"
            " delay_s, found, shown_to, shown_at, mode) values (gen_random_uuid(), $1, $2, $3, $4,"
            " $5, $6, $7, $8::text::jsonb, $9, $10, $11) returning replay_id",
            principal.hospital,
            unit,
            question.rule,
            question.code,
            question.band,
            question.limit,
            question.delay_s,
            wire.to_json(found).decode(),
            principal.actor,
            to_datetime(at),
            mode,
        )
    return str(made)


async def replay_shown(
    database: Database, principal: Principal, unit: str, replay: UUID, at: int
) -> tuple[Question, dict[str, Any]]:
    """What a replay asked and found; NotFound where it was not shown to this person, or long ago"""
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(
            "select rule, code, band, limit_value, delay_s, found from limit_replay"
            " where replay_id = $1 and unit = $2 and shown_to = $3 and shown_at > $4",
            replay,
            unit,
            principal.actor,
            to_datetime(at - SHOWN_US),
        )
    if row is None:
        raise NotFound("Replay this change first: only what was shown to you can be applied.")
    question = Question(row["rule"], row["code"], row["limit_value"], row["delay_s"], row["band"])
    return question, wire.from_json(row["found"])


async def apply(
    database: Database, principal: Principal, wanted: Wanted, at: int, mode: str
) -> dict[str, Any]:
    """Sets the limit as one act; Conflict where somebody has changed it since `version`."""
    name = (wanted.unit, wanted.patient_id, wanted.rule, wanted.code, wanted.band)
    async with database.transaction(principal.scope) as connection:
        acts, standing = await _locked(connection, name)
        if (standing["version"] if standing else 0) != wanted.version:
            raise Conflict(_OTHERS)
        row = await connection.fetchrow(
            "insert into unit_limit (change_id, hospital_id, unit, patient_id, rule, code, band,"
            " version, limit_value, delay_s, reason, replay, approved_by, approved_at, mode)"
            " values (gen_random_uuid(), $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::text::jsonb,"
            " $12, $13, $14) returning *",
            principal.hospital,
            *name,
            acts + 1,
            wanted.limit,
            wanted.delay_s,
            wanted.reason,
            wire.to_json(wanted.replay).decode(),
            principal.actor,
            to_datetime(at),
            mode,
        )
        if row is None:
            raise NotFound("There is no such unit.")
        await _tell(connection, principal, _entry(row), "set_limit", str(row["change_id"]), at)
    return _view(row) | {"in_force": True}


async def undo(
    database: Database, principal: Principal, unit: str, change: UUID, reason: str, at: int
) -> dict[str, Any]:
    """Takes the change back as one act; what held before it holds again."""
    async with database.transaction(principal.scope) as connection:
        found = await connection.fetchrow(
            "select unit, patient_id, rule, code, band from unit_limit"
            " where change_id = $1 and unit = $2",
            change,
            unit,
        )
        if found is None:
            raise NotFound("This does not exist, or it is not within your units.")
        name = tuple(found[each] for each in ("unit", "patient_id", "rule", "code", "band"))
        acts, standing = await _locked(connection, name)
        if standing is None or standing["change_id"] != change:
            raise Conflict(_OTHERS)
        row = await connection.fetchrow(
            "update unit_limit set undone_by = $2, undone_at = $3, undo_reason = $4"
            " where change_id = $1 returning *",
            change,
            principal.actor,
            to_datetime(at),
            reason,
        )
        if row is None:
            raise NotFound("This does not exist, or it is not within your units.")
        _, former = await _locked(connection, name)
        shown = former or row
        entry = wire.replaced(
            _entry(shown),
            version=acts + 1,
            limit=former["limit_value"] if former else None,
            delay_s=former["delay_s"] if former else None,
        )
        await _tell(connection, principal, entry, "undo_limit", str(change), at)
    return _view(row) | {"in_force": False}


async def held_at(
    database: Database, scope: Scope, unit: str, alarm: UUID, band: str
) -> dict[str, Any] | None:
    """The change by which the limit held when an alarm began; None: the table's did."""
    async with database.transaction(scope) as connection:
        row = await connection.fetchrow(
            "select u.delay_s, u.approved_by from alert_event a join unit_limit u"
            " on u.unit = a.unit and u.rule = a.rule and u.code = a.about"
            " where a.alarm_id = $1 and a.unit = $2 and a.state = 'active'"
            " and u.approved_at <= a.at and (u.undone_at is null or u.undone_at > a.at)"
            " and (u.limit_value is null or u.limit_value = a.limit_value)"
            " and (u.patient_id = a.patient_id or (u.patient_id = '' and u.band = $3))"
            " order by a.at, u.patient_id desc, u.version desc limit 1",
            alarm,
            unit,
            band,
        )
    return dict(row) if row else None


async def _locked(connection: Connection, name: tuple[Any, ...]) -> tuple[int, Record | None]:
    """How many acts there were, and the change that holds; others wait for this act."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('limit ' || $1, 0))", "|".join(name)
    )
    rows = await connection.fetch(
        "select * from unit_limit where unit = $1 and patient_id = $2 and rule = $3"
        " and code = $4 and band = $5 order by version",
        *name,
    )
    holding = [row for row in rows if row["undone_at"] is None]
    acts = len(rows) + len(rows) - len(holding)
    acts = max(acts, rows[-1]["version"] if rows else 0)
    return acts, holding[-1] if holding else None


async def _tell(
    connection: Connection,
    principal: Principal,
    entry: wire.LimitSet,
    action: str,
    change: str,
    at: int,
) -> None:
    await outbox.put(connection, principal.hospital, (entry.unit, entry))
    detail = f"{entry.rule} {entry.code} {entry.band}: limit {entry.limit}, delay {entry.delay_s}"
    await audit.append(connection, entry.unit, principal.scope, action, change, detail, at)


def _entry(row: Record) -> wire.LimitSet:
    return wire.LimitSet(
        unit=row["unit"],
        rule=row["rule"],
        code=row["code"],
        band=row["band"],
        version=row["version"],
        limit=row["limit_value"],
        delay_s=row["delay_s"],
        by=row["approved_by"],
        at=from_datetime(row["approved_at"]),
        patient_id=row["patient_id"],
    )


def _view(row: Record) -> dict[str, Any]:
    return {
        "change": str(row["change_id"]),
        "rule": row["rule"],
        "code": row["code"],
        "band": row["band"],
        "version": row["version"],
        "limit": row["limit_value"],
        "delay_s": row["delay_s"],
        "reason": row["reason"],
        "approved_by": row["approved_by"],
        "approved_at": iso(from_datetime(row["approved_at"])),
        "undone_by": row["undone_by"],
        "undone_at": _iso(row["undone_at"]),
        "undo_reason": row["undo_reason"],
    }


def _iso(moment: datetime | None) -> str | None:
    return iso(from_datetime(moment)) if moment else None
