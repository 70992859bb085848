"""Reviews of rejected alarms, and what was enabled: row, audit and outbox entry together."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from hospital_ops import audit, outbox, wire
from hospital_ops.access import Principal, Scope
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, NotFound
from icu.crosscheck import CHECKED, FALSE
from icu.reviews.figures import Counted, Needed, counted, enough
from icu.silencing import NOTE

LISTED: Final = 50
SOURCES: Final = 2  # `crosscheck.may_silence` asks for so many: fewer would not have been silenced
BY_REVIEW: Final = "review"  # who takes back what a wrong verdict made too weak
_NOTHING: Final = "This does not exist, or it is not within your units."
_OTHERS: Final = "Somebody else has decided on this rule: look at it again."
# The first event of each alarm that would be, or was, kept silent; $5 is the rule of a note.
_WAITING = """
with rejected as (
    select distinct on (e.alarm_id) e.alarm_id, e.bed, e.at, e.verdict::text as verdict,
           e.rule = $5 as was_note, case when e.rule = $5 then e.about else e.rule end as rule
      from alert_event e
     where e.unit = $1 and e.mode = $2 and e.state = 'active'
       and (e.rule = any($3::text[]) or e.rule = $5)
       and e.verdict ->> 'word' = $4 and (e.verdict ->> 'sources')::int >= $6
     order by e.alarm_id, e.at)
select r.* from rejected r
 where r.rule = any($3::text[])
   and not exists (select from verdict_review v where v.alarm_id = r.alarm_id and v.reviewer = $7)
 order by r.at desc limit $8
"""
_RULE_OF_ONE = """
select case when e.rule = $5 then e.about else e.rule end as rule
  from alert_event e
 where e.unit = $1 and e.mode = $2 and e.state = 'active'
   and (e.rule = any($3::text[]) or (e.rule = $5 and e.about = any($3::text[])))
   and e.verdict ->> 'word' = $4 and (e.verdict ->> 'sources')::int >= $6 and e.alarm_id = $7
 order by e.at limit 1
"""


class Rejected(NamedTuple):
    """An alarm that the cross-check called probably false, with enough witnesses."""

    alarm: str
    bed: str
    at: int
    rule: str
    was_note: bool
    verdict: dict[str, Any]


async def waiting(database: Database, principal: Principal, unit: str, mode: str) -> list[Rejected]:
    """The newest that this person has not reviewed yet."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(
            _WAITING, unit, mode, list(CHECKED), FALSE, NOTE, SOURCES, principal.actor, LISTED
        )
    return [_rejected(row) for row in rows]


async def review(
    database: Database,
    principal: Principal,
    unit: str,
    alarm: UUID,
    was_false: bool,
    note: str,
    at: int,
    mode: str,
) -> dict[str, Any]:
    """What somebody found of an alarm; a wrong verdict takes back what rested on too little."""
    async with database.transaction(principal.scope) as connection:
        rule = await connection.fetchval(
            _RULE_OF_ONE, unit, mode, list(CHECKED), FALSE, NOTE, SOURCES, alarm
        )
        if rule is None:
            raise NotFound(_NOTHING)
        version, standing = await _locked(connection, unit, rule)
        made = await connection.fetchval(
            "insert into verdict_review (alarm_id, hospital_id, unit, rule, was_false, note,"
            " reviewer, reviewed_at, mode) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            " on conflict do nothing returning alarm_id",
            alarm,
            principal.hospital,
            unit,
            rule,
            was_false,
            note,
            principal.actor,
            to_datetime(at),
            mode,
        )
        if made is None:
            raise Conflict("You have reviewed this alarm already.")
        said = "false" if was_false else "true"
        await audit.append(
            connection, unit, principal.scope, "review_verdict", str(alarm), f"{rule}: {said}", at
        )
        count = await _count(connection, unit, rule, mode)
        taken_back = standing is not None and not enough(count, await _needed(connection, unit))
        if standing is not None and taken_back:
            reason = f"{count.wrong} wrong of {count.reviewed}: no longer enough"
            await _undo(connection, principal, standing, version, BY_REVIEW, reason, at)
    return {"alarm": str(alarm), "rule": rule, "was_false": was_false, "taken_back": taken_back}


async def rules(
    database: Database, scope: Scope, unit: str, mode: str
) -> tuple[Needed | None, int, list[dict[str, Any]]]:
    """What the site asks for with its version, and each rule: count, bound, what is enabled."""
    async with database.transaction(scope) as connection:
        needed = await _needed(connection, unit)
        version = await connection.fetchval(
            "select version from silencing_site where unit = $1", unit
        )
        found = []
        for rule in CHECKED:
            count = await _count(connection, unit, rule, mode)
            rejected = await connection.fetchval(
                "select count(distinct alarm_id) from alert_event where unit = $1 and mode = $2"
                " and rule = $3 and about = $4",
                unit,
                mode,
                NOTE,
                rule,
            )
            rows = await connection.fetch(
                "select * from silencing_rule where unit = $1 and rule = $2"
                " order by version desc limit $3",
                unit,
                rule,
                LISTED,
            )
            history = [_view(row) for row in rows]
            found.append(
                {
                    "rule": rule,
                    "reviewed": count.reviewed,
                    "wrong": count.wrong,
                    "upper_share": round(count.upper, 4),
                    "enough": enough(count, needed),
                    "enabled": next((one for one in history if not one["undone_by"]), None),
                    "kept_silent": rejected,
                    "history": history,
                }
            )
    return needed, version or 0, found


async def set_site(
    database: Database, principal: Principal, unit: str, needed: Needed, version: int, at: int
) -> None:
    """Sets what a site asks for; what is enabled and no longer enough is taken back by it."""
    async with database.transaction(principal.scope) as connection:
        changed = await connection.fetchval(
            "insert into silencing_site as s (hospital_id, unit, version, least, most_share,"
            " changed_by, changed_at) select $1, $2, 1, $3, $4, $5, $6 where $7 = 0 or exists"
            " (select from silencing_site where unit = $2)"
            " on conflict (unit) do update set version = s.version + 1, least = excluded.least,"
            " most_share = excluded.most_share, changed_by = excluded.changed_by,"
            " changed_at = excluded.changed_at where s.version = $7 returning version",
            principal.hospital,
            unit,
            needed.least,
            needed.most_share,
            principal.actor,
            to_datetime(at),
            version,
        )
        if changed is None:
            raise Conflict("Somebody else has changed these settings; yours were not saved.")
        detail = f"least {needed.least}, at most {needed.most_share:g} wrong, version {changed}"
        await audit.append(
            connection, unit, principal.scope, "set_silencing_site", unit, detail, at
        )
        for rule in CHECKED:
            acts, standing = await _locked(connection, unit, rule)
            if standing is None:
                continue
            count = await _count(connection, unit, rule, standing["mode"])
            if not enough(count, needed):
                await _undo(
                    connection,
                    principal,
                    standing,
                    acts,
                    principal.actor,
                    "the site asks for more",
                    at,
                )


async def enable(
    database: Database, principal: Principal, unit: str, rule: str, reason: str, at: int, mode: str
) -> dict[str, Any]:
    """Enables silencing of a rule in a unit, on the strength of its own reviewed count."""
    async with database.transaction(principal.scope) as connection:
        version, standing = await _locked(connection, unit, rule)
        if standing is not None:
            raise Conflict(_OTHERS)
        count = await _count(connection, unit, rule, mode)
        if not enough(count, await _needed(connection, unit)):
            raise Conflict("The reviewed count of this unit is not enough for this rule.")
        row = await connection.fetchrow(
            "insert into silencing_rule (change_id, hospital_id, unit, rule, version, reviewed,"
            " wrong, upper_share, reason, enabled_by, enabled_at, mode)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning *",
            uuid4(),
            principal.hospital,
            unit,
            rule,
            version + 1,
            count.reviewed,
            count.wrong,
            count.upper,
            reason,
            principal.actor,
            to_datetime(at),
            mode,
        )
        if row is None:
            raise NotFound(_NOTHING)
        entry = wire.SilencingSet(unit, rule, version + 1, True, principal.actor, at)
        await _tell(connection, principal, entry, "enable_silencing", str(row["change_id"]), at)
    return _view(row)


async def take_back(
    database: Database, principal: Principal, unit: str, rule: str, reason: str, at: int
) -> dict[str, Any]:
    """Takes silencing of a rule back: from now on everything of it rings."""
    async with database.transaction(principal.scope) as connection:
        version, standing = await _locked(connection, unit, rule)
        if standing is None:
            raise Conflict(_OTHERS)
        row = await _undo(connection, principal, standing, version, principal.actor, reason, at)
    return _view(row)


async def _undo(
    connection: Connection,
    principal: Principal,
    standing: Record,
    version: int,
    by: str,
    reason: str,
    at: int,
) -> Record:
    row = await connection.fetchrow(
        "update silencing_rule set undone_by = $2, undone_at = $3, undo_reason = $4"
        " where change_id = $1 returning *",
        standing["change_id"],
        by,
        to_datetime(at),
        reason,
    )
    if row is None:
        raise NotFound(_NOTHING)
    entry = wire.SilencingSet(row["unit"], row["rule"], version + 1, False, by, at)
    await _tell(connection, principal, entry, "undo_silencing", str(row["change_id"]), at)
    return row


async def _needed(connection: Connection, unit: str) -> Needed | None:
    row = await connection.fetchrow(
        "select least, most_share from silencing_site where unit = $1", unit
    )
    return Needed(row["least"], row["most_share"]) if row else None


async def _count(connection: Connection, unit: str, rule: str, mode: str) -> Counted:
    rows = await connection.fetch(
        "select alarm_id, was_false from verdict_review"
        " where unit = $1 and rule = $2 and mode = $3",
        unit,
        rule,
        mode,
    )
    return counted((str(row["alarm_id"]), row["was_false"]) for row in rows)


async def _locked(connection: Connection, unit: str, rule: str) -> tuple[int, Record | None]:
    """How many acts there were, and what holds; others wait for this act."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('silencing ' || $1, 0))", f"{unit}|{rule}"
    )
    rows = await connection.fetch(
        "select * from silencing_rule where unit = $1 and rule = $2 order by version", unit, rule
    )
    holding = [row for row in rows if row["undone_at"] is None]
    acts = max((row["version"] + (row["undone_at"] is not None) for row in rows), default=0)
    return acts, holding[-1] if holding else None


async def _tell(
    connection: Connection,
    principal: Principal,
    entry: wire.SilencingSet,
    action: str,
    change: str,
    at: int,
) -> None:
    await outbox.put(connection, principal.hospital, (entry.unit, entry))
    await audit.append(connection, entry.unit, principal.scope, action, change, entry.rule, at)


def _rejected(row: Record) -> Rejected:
    verdict: dict[str, Any] = wire.from_json(row["verdict"])
    return Rejected(
        str(row["alarm_id"]), row["bed"], from_datetime(row["at"]), row["rule"], row["was_note"],
        verdict,
    )  # fmt: skip


def _view(row: Record) -> dict[str, Any]:
    undone_at = row["undone_at"]
    return {
        "change": str(row["change_id"]),
        "rule": row["rule"],
        "reviewed": row["reviewed"],
        "wrong": row["wrong"],
        "upper_share": round(row["upper_share"], 4),
        "reason": row["reason"],
        "enabled_by": row["enabled_by"],
        "enabled_at": iso(from_datetime(row["enabled_at"])),
        "undone_by": row["undone_by"],
        "undone_at": iso(from_datetime(undone_at)) if undone_at else None,
        "undo_reason": row["undo_reason"],
    }
