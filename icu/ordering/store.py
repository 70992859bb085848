"""Orders in PostgreSQL: row, history, audit and outbox entry in one transaction.

Whoever places or signs holds the patient's stay and lock meanwhile: of two physicians at once the
second is checked against the order of the first, and nothing is ordered for somebody who has left.
An order is found by its patient alone, wherever they lie: a bed has had others before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import audit, identity, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, MessageError, NotFound
from icu import order_checks
from icu.allergies import store as allergies
from icu.bedside_orders import is_unfinished
from icu.lying import store as lying
from icu.order_checks import Finding, Known
from icu.order_kinds import Wanted, main_word
from icu.ordering import rows
from icu.orders import DRAFT, REQUESTED, Standing, step

_ORDER: Final = """
select order_id, unit, bed, patient_id, kind, words, details, priority, due_at, every_s, times,
       ends_at, occurrence, request, task, version, order_set, signing, signed_by, signed_at,
       checks, placed_by, placed_at, changed_by, changed_at, mode, carried_from, carried_at
  from native_order
"""
_LISTED: Final = 200
STALE: Final = "Somebody else has changed this order; yours was not saved."
_ASKS: Final = (
    "The checks ask for a reason: read them and send `override`, or order something else."
)
NOT_OURS: Final = (
    "This order is the hospital's own system's: change it there. It changes here when that answers."
)
NO_ORDER: Final = "There is no such order at this bed."
ENDS: Final = ("revoke", "mistake")  # what can still be done to an order of somebody who has left


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
            "select version, act, request, task, occurrence, missed, due_at, actor, at, reason"
            " from order_event where order_id = $1 order by version",
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
        if not signing.draft:
            _refuse_unanswered(findings, signing.override)
        made = []
        for each in wanted:
            what = main_word(each.kind, each.text, each.details)
            checks = [finding.as_json() for finding in findings if finding.order == what]
            row = await _insert(connection, principal, where, each, checks, signing, act, at)
            verb = "draft" if signing.draft else "place"
            made.append(await tell(connection, principal, row, verb, signing.override, at))
        return made


def _refuse_unanswered(findings: Sequence[Finding], override: str) -> None:
    asks = order_checks.asking(findings)
    if asks and not override.strip():
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
) -> dict[str, Any]:
    """Moves an order on; Conflict with what holds for whoever looked at an older version."""
    async with database.transaction(principal.scope) as connection:
        if where.patient_id and act not in ENDS:
            await lying.require_here(connection, where.unit, where.patient_id, where.since)
        if act == "sign":
            await lock(connection, where.patient_id)
        row = await _row(connection, where, order, lock=True)
        if row["version"] != version:
            raise Conflict(STALE, rows.view(row, at))
        following = step(act, rows.standing_of(row), rows.plan_of(row), at)
        if act == "review":
            await _review(connection, principal, row, at)
        if act == "sign":
            await _sign(connection, principal, where, row, reason, at)
        await update(connection, principal, where, row, following, at)
        return await tell(connection, principal, order, act, reason, at, following.missed)


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
        _ORDER + " where patient_id = $1 and request in ('active', 'on-hold')"
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


async def _insert(
    connection: Connection,
    principal: Principal,
    where: Place,
    wanted: Wanted,
    checks: list[dict[str, Any]],
    signing: Signing,
    act: str,
    at: int,
) -> str:
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


async def _sign(
    connection: Connection, principal: Principal, where: Place, row: Record, reason: str, at: int
) -> None:
    """The signature under a draft: checked as anything else that is signed."""
    details = rows.details_of(row)
    target = details.pop("target", None)
    wanted = Wanted(row["kind"], row["words"], details, target)
    findings = order_checks.checked([wanted], await _known(connection, where, str(row["order_id"])))
    _refuse_unanswered(findings, reason)
    await connection.execute(
        "update native_order set signed_by = $2, signed_at = $3, checks = $4, signing = $5"
        " where order_id = $1",
        row["order_id"],
        principal.actor,
        to_datetime(at),
        wire.to_json([finding.as_json() for finding in findings]).decode(),
        str(identity.uuid7()),
    )


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
) -> dict[str, Any]:
    """History, outbox and audit of what has just been written."""
    row = await connection.fetchrow(_ORDER + " where order_id = $1", UUID(order))
    if row is None:
        raise NotFound(NO_ORDER)
    await connection.execute(
        "insert into order_event (order_id, version, hospital_id, unit, act, request, task, actor,"
        " at, reason, occurrence, due_at, missed)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
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
    )
    told = rows.told(row, act, principal.actor, at)
    await outbox.put(connection, principal.hospital, (row["unit"], told))
    detail = f"{act}, version {row['version']}"
    await audit.append(connection, row["unit"], principal.scope, f"order_{act}", order, detail, at)
    return rows.view(row, at)
