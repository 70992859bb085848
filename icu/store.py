"""Orders and admissions in PostgreSQL: row, audit and outbox entry in one transaction."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from hospital_ops import audit, identity, wire
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record, UniqueViolation
from hospital_ops.errors import Conflict, NotFound
from icu.orders import REQUESTED, Stage, acts_from, after

_ORDER = """
select order_id, unit, bed, patient_id, kind, words, due_at, request, task, version, placed_by,
       placed_at, changed_by, changed_at, mode
  from native_order
"""


async def orders_of(database: Database, principal: Principal, bed: str) -> list[dict[str, Any]]:
    """The orders of a bed's present and former patients, newest first, at most 100."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(
            _ORDER + " where bed = $1 order by placed_at desc limit 100", bed
        )
    return [_view(row) for row in rows]


async def place(
    database: Database,
    principal: Principal,
    *,
    unit: str,
    bed: str,
    patient_id: str,
    kind: str,
    words: str,
    due_us: int | None,
    at: int,
) -> dict[str, Any]:
    """Places an order for the patient of a bed; it is on the board when the relay has told it."""
    order = str(identity.uuid7())
    async with database.transaction(principal.scope) as connection:
        await connection.execute(
            "insert into native_order (order_id, hospital_id, unit, bed, patient_id, kind, words,"
            " due_at, request, task, version, placed_by, placed_at, changed_by, changed_at, mode)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $11, $12, $13)",
            order,
            principal.hospital,
            unit,
            bed,
            patient_id,
            kind,
            words,
            to_datetime(due_us) if due_us is not None else None,
            *REQUESTED,
            principal.actor,
            to_datetime(at),
            principal.mode,
        )
        return await _tell(connection, principal, order, "place", "", at)


async def act(
    database: Database,
    principal: Principal,
    bed: str,
    order: str,
    *,
    act: str,
    version: int,
    reason: str,
    at: int,
) -> dict[str, Any]:
    """Moves an order on; Conflict with what holds for whoever looked at an older version."""
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(
            _ORDER + " where order_id = $1 and bed = $2 for update", order, bed
        )
        if row is None:
            raise NotFound("There is no such order at this bed.")
        if row["version"] != version:
            raise Conflict("Somebody else has changed this order; yours was not saved.", _view(row))
        following = after(act, Stage(row["request"], row["task"]))
        await connection.execute(
            "update native_order set request = $2, task = $3, version = version + 1,"
            " changed_by = $4, changed_at = $5 where order_id = $1",
            order,
            *following,
            principal.actor,
            to_datetime(at),
        )
        return await _tell(connection, principal, order, act, reason, at)


async def _tell(
    connection: Connection, principal: Principal, order: str, act: str, reason: str, at: int
) -> dict[str, Any]:
    row = await connection.fetchrow(_ORDER + " where order_id = $1", UUID(order))
    if row is None:
        raise NotFound("There is no such order at this bed.")
    await connection.execute(
        "insert into order_event (order_id, version, hospital_id, unit, act, request, task, actor,"
        " at, reason) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
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
    )
    entry = wire.OrderChanged(
        unit=row["unit"],
        order=order,
        version=row["version"],
        bed=row["bed"],
        patient_id=str(row["patient_id"]),
        kind=row["kind"],
        text=row["words"],
        request=row["request"],
        task=row["task"],
        due_at=from_datetime(row["due_at"]) if row["due_at"] else 0,
        by=principal.actor,
        at=at,
        mode=row["mode"],
    )
    await connection.execute(
        "insert into outbox (hospital_id, shard, entry) values ($1, $2, $3)",
        principal.hospital,
        row["unit"],
        wire.encode(entry),
    )
    detail = f"{act}, version {row['version']}"
    await audit.append(connection, row["unit"], principal.scope, f"order_{act}", order, detail, at)
    return _view(row)


def _view(row: Record) -> dict[str, Any]:
    return {
        "id": str(row["order_id"]),
        "version": row["version"],
        "bed": row["bed"],
        "patient_id": str(row["patient_id"]),
        "kind": row["kind"],
        "text": row["words"],
        "due_at": iso(from_datetime(row["due_at"])) if row["due_at"] else None,
        "request": row["request"],
        "task": row["task"],
        "placed_by": row["placed_by"],
        "placed_at": iso(from_datetime(row["placed_at"])),
        "changed_by": row["changed_by"],
        "changed_at": iso(from_datetime(row["changed_at"])),
        "acts": acts_from(Stage(row["request"], row["task"])),
        "mode": row["mode"],
    }


async def admit_case(
    database: Database,
    principal: Principal,
    *,
    unit: str,
    bed: str,
    case: str,
    case_unit: str,
    person: wire.PatientFacts,
    at: int,
) -> str:
    """Gives a free bed to the patient of a case, with the record from the street; answers the id.

    Conflict where somebody lies there or was given the bed first.
    """
    patient = identity.patient_id(principal.hospital, person.mrn)
    told = _admission(principal, unit, bed, case, case_unit, person, at)
    try:
        async with database.transaction(principal.scope) as connection:
            await connection.execute(
                "insert into bed_given (bed, hospital_id, unit, patient_id, case_id, given_by,"
                " given_at) values ($1, $2, $3, $4, $5, $6, $7)",
                bed,
                principal.hospital,
                unit,
                patient,
                case,
                principal.actor,
                to_datetime(at),
            )
            await connection.executemany(
                "insert into outbox (hospital_id, shard, entry) values ($1, $2, $3)",
                [(principal.hospital, shard, wire.encode(entry)) for shard, entry in told],
            )
            await audit.append(connection, unit, principal.scope, "admit", patient, bed, at)
    except UniqueViolation as error:
        raise Conflict("This bed is taken: choose another.") from error
    return patient


def _admission(
    principal: Principal,
    unit: str,
    bed: str,
    case: str,
    case_unit: str,
    person: wire.PatientFacts,
    at: int,
) -> list[tuple[str, wire.Entry]]:
    """What both units are told: the stay begins here, the case is handed over there."""
    message = str(identity.derived("admission", case, bed, str(at)))
    admission = wire.Admission(
        unit=unit,
        source=principal.actor,
        message_id=message,
        identity=hashlib.sha256(message.encode()).digest(),
        received_at=at,
        mode=principal.mode,
        trigger="A01",
        patient=person,
        event_at=at,
        bed=bed,
        case=case,
    )
    handover = wire.CaseStep(
        unit=case_unit,
        case=case,
        step="handover",
        at=at,
        by=principal.actor,
        source=principal.actor,
        received_at=at,
        mode=principal.mode,
        note=bed,
    )
    return [(unit, admission), (case_unit, handover)]


async def free_beds(database: Database, principal: Principal) -> list[str]:
    """The registered beds that nobody has been given, in board order."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(
            "select bed from bed b where not exists (select from bed_given g where g.bed = b.bed)"
            " order by unit, position"
        )
    return [row["bed"] for row in rows]
