"""Orders in PostgreSQL: row, history, audit and outbox entry in one transaction.

Whoever places or signs holds the patient's stay and lock meanwhile: of two physicians at once the
second is checked against the order of the first, and nothing is ordered for somebody who has left.
An order is found by its patient alone, wherever they lie: a bed has had others before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import audit, identity, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu import adjusting, order_checks
from icu.allergies import store as allergies
from icu.bedside_orders import is_unfinished
from icu.doses import store as doses
from icu.doses.store import Noted
from icu.lying import store as lying
from icu.order_checks import Finding, Known
from icu.order_kinds import Wanted, main_word
from icu.order_writing import store as writing
from icu.ordering import rows
from icu.orders import Standing, step

_ORDER: Final = """
select order_id, unit, bed, patient_id, kind, words, details, priority, due_at, every_s, times,
       ends_at, occurrence, request, task, version, order_set, signing, signed_by, signed_at,
       checks, placed_by, placed_at, changed_by, changed_at, mode, carried_from, carried_at,
       done_at, done_by, done_version, undone
  from native_order
"""
_LISTED: Final = 200
STALE: Final = "Somebody else has changed this order; yours was not saved."
_ASKS: Final = (
    "The checks ask for a reason: read them and send `override` with the digests that you have"
    " `seen`, or order something else."
)
NOT_OURS: Final = (
    "This order is the hospital's own system's: change it there. It changes here when that answers."
)
NO_ORDER: Final = "There is no such order at this bed."
ENDS: Final = ("revoke", "mistake")  # what can still be done to an order of somebody who has left
_NOTHING: Final = Noted()


class Place(NamedTuple):
    """For whom: the patient who lies in a bed now, and what is known of the weight."""

    unit: str
    bed: str
    patient_id: str
    weight_kg: float | None = None
    weight_status: str = ""
    since: int = 0  # admitted, as the board has it, microseconds UTC; 0: nobody has said


class Signing(NamedTuple):
    """How something is signed: as a draft of nobody's signature, from a set, against a finding."""

    draft: bool = False
    order_set: str = ""
    override: str = ""
    seen: frozenset[str] = frozenset()  # digests of the findings that the reason is for


class Doing(NamedTuple):
    """What an act says beside its name: when it was done, what was seen, what is changed."""

    done_at: int = 0  # 0: now
    seen: frozenset[str] = frozenset()
    change: Mapping[str, Any] | None = None


PLAIN: Final = Doing()


async def orders_of(
    database: Database, principal: Principal, patient_id: str, now: int
) -> list[dict[str, Any]]:
    """The orders of a patient, newest first, at most 200; what is open is always among them."""
    async with database.transaction(principal.scope) as connection:
        found = await connection.fetch(
            _ORDER + " where patient_id = $1"
            " order by (request in ('draft', 'active', 'on-hold')) desc, placed_at desc, order_id"
            " limit $2",
            patient_id,
            _LISTED,
        )
    return [rows.view(row, now) for row in found]


async def open_of_unit(
    database: Database, principal: Principal, unit: str, now: int
) -> list[dict[str, Any]]:
    """Everything that is active in a unit, by due time: what the worklist is made of."""
    async with database.transaction(principal.scope) as connection:
        found = await connection.fetch(
            _ORDER + " where unit = $1 and request in ('draft', 'active', 'on-hold')"
            " order by due_at nulls last, placed_at limit 2000",
            unit,
        )
    return [rows.view(row, now) for row in found]


async def order_of(
    database: Database, principal: Principal, place: Place, order: str, now: int
) -> dict[str, Any]:
    """One order with its history: who did what and when."""
    async with database.transaction(principal.scope) as connection:
        row = await _row(connection, place, order)
        history = await connection.fetch(
            "select version, act, request, task, occurrence, missed, due_at, actor, at, reason,"
            " done_at, undoes, changed from order_event where order_id = $1 order by version",
            row["order_id"],
        )
    return {**rows.view(row, now), "history": [rows.event_view(event) for event in history]}


async def look(
    database: Database, principal: Principal, place: Place, wanted: Sequence[Wanted]
) -> list[Finding]:
    """What the checks would say now; nothing is placed."""
    async with database.transaction(principal.scope) as connection:
        return order_checks.checked(wanted, await _known(connection, place))


async def place(
    database: Database,
    principal: Principal,
    where: Place,
    wanted: Sequence[Wanted],
    signing: Signing,
    at: int,
) -> list[dict[str, Any]]:
    """Places orders as one act: all of them or none, and none for a patient who has left.

    Conflict carries the findings where the checks ask for a reason and none was given.
    """
    act = str(identity.uuid7())
    async with database.transaction(principal.scope) as connection:
        await lying.require_here(connection, where.unit, where.patient_id, where.since)
        await lock(connection, where.patient_id)
        findings = order_checks.checked(wanted, await _known(connection, where))
        _refuse_unanswered(findings, signing.override, signing.seen, draft=signing.draft)
        made = []
        for each in wanted:
            what = main_word(each.kind, each.text, each.details)
            checks = [finding.as_json() for finding in findings if finding.order == what]
            row = await writing.insert(connection, principal, where, each, checks, signing, act, at)
            verb = "draft" if signing.draft else "place"
            made.append(await tell(connection, principal, row, verb, signing.override, at))
        return made


def _refuse_unanswered(
    findings: Sequence[Finding], reason: str, seen: Iterable[str], *, draft: bool = False
) -> None:
    if order_checks.unanswered(findings, reason, seen, draft=draft):
        raise Conflict(_ASKS, {"checks": [finding.as_json() for finding in findings]})


async def act(
    database: Database,
    principal: Principal,
    where: Place,
    order: str,
    *,
    act: str,
    version: int,
    reason: str,
    at: int,
    how: Doing = PLAIN,
) -> dict[str, Any]:
    """Moves an order on; Conflict with what holds for whoever looked at an older version.

    What had ended by an act that is taken back has ended in error, and is placed again.
    """
    async with database.transaction(principal.scope) as connection:
        if where.patient_id and act not in ENDS:
            await lying.require_here(connection, where.unit, where.patient_id, where.since)
        if act in ("sign", "undo", "adjust"):
            await lock(connection, where.patient_id)
        row = await _row(connection, where, order, lock=True)
        if row["version"] != version:
            raise Conflict(STALE, rows.view(row, at))
        noted = Noted(doses.moment(act, how.done_at, row, at))
        if act == "undo":
            noted = await doses.taken_back(connection, principal, row)
        moment, due = noted.done_at or at, noted.due_at
        following = step(act, rows.standing_of(row), rows.plan_of(row), moment, due)
        if act == "review":
            await _review(connection, principal, row, at)
        if act == "sign":
            await _sign(connection, principal, where, row, reason, how.seen, at)
        if act == "adjust":
            changed = await _adjust(connection, where, row, reason, how, at)
            noted = noted._replace(changed=changed)
        await update(connection, principal, where, row, following, at)
        await doses.note(connection, principal, row, act, noted)
        if act == "undo" and row["request"] == "completed":
            again = await doses.place_again(
                connection, principal, row, where.unit, following.due_at, at
            )
            said = f"{order}: taken back, {reason}".rstrip(", ")
            await tell(connection, principal, again, "place", said, at)
        return await tell(connection, principal, order, act, reason, at, following.missed, noted)


async def lock(connection: Connection, patient_id: str) -> None:
    """Holds a patient's orders as a whole; the stay is held before, by whoever holds both."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended('order ' || $1, 0))", patient_id
    )


async def _row(connection: Connection, place: Place, order: str, *, lock: bool = False) -> Record:
    """The order, where it is of the patient who lies here now."""
    wanted = order_id(order)
    patient = UUID(place.patient_id or _NOBODY)
    row = await connection.fetchrow((_LOCKED if lock else _BY_ID), wanted, patient)
    if row is None:
        if await connection.fetchval(_THEIRS, wanted, place.bed, place.patient_id or _NOBODY):
            raise Conflict(NOT_OURS)
        raise NotFound(NO_ORDER)
    return row


def order_id(text: str) -> UUID:
    """The id of an order as a row has it; NotFound where it is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(NO_ORDER) from error


_THEIRS: Final = (
    "select true from hospital_order_event where order_id = $1 and (bed = $2 or patient_id = $3)"
    " limit 1"
)
_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_BY_ID: Final = _ORDER + " where order_id = $1 and patient_id = $2"
_LOCKED: Final = _BY_ID + " for update"


async def _known(connection: Connection, place: Place, besides: str = "") -> Known:
    open_rows = await connection.fetch(
        _ORDER + " where patient_id = $1 and request in ('draft', 'active', 'on-hold')"
        " and task <> 'rejected' and order_id::text <> $2",
        place.patient_id,
        besides,
    )
    told = await allergies.known(connection, place.patient_id)
    return Known(
        allergies=told.substances,
        none_known=told.none_known,
        told_only=told.told_only,
        open_orders=tuple((str(row["order_id"]), row["kind"], _what(row)) for row in open_rows),
        weight_kg=place.weight_kg,
        weight_status=place.weight_status,
    )


def _what(row: Record) -> str:
    return main_word(row["kind"], row["words"], rows.details_of(row))


def _moment(at: int) -> Any:
    return to_datetime(at) if at else None


async def _sign(
    connection: Connection,
    principal: Principal,
    where: Place,
    row: Record,
    reason: str,
    seen: Iterable[str],
    at: int,
) -> None:
    """The signature under a draft: checked as anything else that is signed."""
    known = await _known(connection, where, str(row["order_id"]))
    findings = order_checks.checked([rows.wanted_of(row)], known)
    _refuse_unanswered(findings, reason, seen)
    await connection.execute(
        "update native_order set signed_by = $2, signed_at = $3, checks = $4, signing = $5"
        " where order_id = $1",
        row["order_id"],
        principal.actor,
        to_datetime(at),
        wire.to_json([finding.as_json() for finding in findings]).decode(),
        str(identity.uuid7()),
    )


async def _adjust(
    connection: Connection, where: Place, row: Record, reason: str, how: Doing, at: int
) -> dict[str, Any]:
    """Another rate or goal: asked about is only what was not asked when it was signed."""
    made, changed = adjusting.adjusted(rows.wanted_of(row), how.change or {}, at)
    findings = order_checks.checked([made], await _known(connection, where, str(row["order_id"])))
    before = {each.digest for each in order_checks.from_json(wire.from_json(row["checks"]))}
    new = [each for each in findings if each.digest not in before]
    _refuse_unanswered(new, reason, how.seen)
    await writing.rewrite(connection, row["order_id"], made, findings)
    return changed


async def _review(connection: Connection, principal: Principal, row: Record, at: int) -> None:
    """A physician has looked at an order that came along from another unit: it is this unit's."""
    if not row["carried_from"]:
        raise Conflict(STALE, rows.view(row, at))
    await connection.execute(
        "update native_order set carried_from = '', reviewed_by = $2, reviewed_at = $3"
        " where order_id = $1",
        row["order_id"],
        principal.actor,
        to_datetime(at),
    )


async def update(
    connection: Connection,
    principal: Principal,
    where: Place,
    row: Record,
    following: Standing,
    at: int,
) -> None:
    """Writes where an order stands now, as a new version; whoever calls it tells of it."""
    if is_unfinished(following.stage) and where.unit != row["unit"]:
        raise MessageError("other_unit", "this order belongs to the unit in which it was placed")
    await connection.execute(
        "update native_order set request = $2, task = $3, occurrence = $4, due_at = $5, bed = $6,"
        " version = version + 1, changed_by = $7, changed_at = $8 where order_id = $1",
        row["order_id"],
        *following.stage,
        following.occurrence,
        _moment(following.due_at),
        where.bed,
        principal.actor,
        to_datetime(at),
    )


async def tell(
    connection: Connection,
    principal: Principal,
    order: str,
    act: str,
    reason: str,
    at: int,
    missed: int = 0,
    noted: Noted = _NOTHING,
) -> dict[str, Any]:
    """History, outbox and audit of what has just been written."""
    row = await connection.fetchrow(_ORDER + " where order_id = $1", UUID(order))
    if row is None:
        raise NotFound(NO_ORDER)
    await connection.execute(
        "insert into order_event (order_id, version, hospital_id, unit, act, request, task, actor,"
        " at, reason, occurrence, due_at, missed, done_at, undoes, changed)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        order,
        row["version"],
        principal.hospital,
        row["unit"],
        act,
        row["request"],
        row["task"],
        principal.actor,
        to_datetime(at),
        reason,
        row["occurrence"],
        row["due_at"],
        missed,
        _moment(noted.done_at) if noted.done_at != at else None,
        noted.undoes or None,
        wire.to_json(noted.changed or {}).decode(),
    )
    told = rows.told(row, act, principal.actor, at)
    await outbox.put(connection, principal.hospital, (row["unit"], told))
    detail = f"{act}, version {row['version']}"
    await audit.append(connection, row["unit"], principal.scope, f"order_{act}", order, detail, at)
    return rows.view(row, at)
