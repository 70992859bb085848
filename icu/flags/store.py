"""Isolation in PostgreSQL: entered and ended at the bed, each as one act, told to the unit.

What a unit is told is the whole of a patient's flags, allergies with it, as they hold now.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from hospital_ops import audit, identity, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record, UniqueViolation
from hospital_ops.errors import Conflict, NotFound
from icu.flags.kinds import checked
from icu.stay.store import stay_of

_NONE: Final = "There is no such isolation, or it is not within your units."
HOLDS: Final = "This isolation holds already."
# By whichever number the person is known.
_OTHER: Final = (
    "select exists (select from isolation where kind = $2 and ended_at is null"
    " and patient_id in (select one_person($1)))"
)
_HOLDS: Final = """
select * from (
    select distinct on (i.kind) i.isolation, i.kind, i.note, i.begun_by, i.begun_at
      from stay s join isolation i on i.patient_id in (select one_person(s.patient_id))
     where s.bed = $1 and s.ended_at is null and i.ended_at is null order by i.kind, i.begun_at
) as one order by begun_at, kind
"""


async def of_bed(database: Database, principal: Principal, bed: str) -> list[dict[str, Any]]:
    """The isolation of whoever lies in a bed, oldest first."""
    async with database.transaction(principal.scope) as connection:
        return [_view(row) for row in await connection.fetch(_HOLDS, bed)]


async def kinds_of(connection: Connection, patient_id: str) -> list[str]:
    """The kinds of isolation that hold for a patient, by whichever number."""
    rows = await connection.fetch(
        "select distinct kind from isolation where ended_at is null"
        " and patient_id in (select one_person($1)) order by kind",
        patient_id,
    )
    return [row["kind"] for row in rows]


async def begin(
    database: Database,
    principal: Principal,
    bed: str,
    *,
    stay: str,
    kind: str,
    note: str,
    at: int,
) -> dict[str, Any]:
    """Enters a kind of isolation for whoever lies there; Conflict where it holds already."""
    wanted, isolation = checked(kind), str(identity.uuid7())
    try:
        async with database.transaction(principal.scope) as connection:
            whose = await stay_of(connection, bed, stay)
            if await connection.fetchval(_OTHER, whose.patient_id, wanted):
                raise Conflict(HOLDS)
            (row,) = await connection.fetch(
                "insert into isolation (isolation, hospital_id, unit, stay, patient_id, kind, note,"
                " mode, begun_by, begun_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                " returning isolation, kind, note, begun_by, begun_at",
                isolation,
                principal.hospital,
                whose.unit,
                whose.stay,
                whose.patient_id,
                wanted,
                note,
                whose.mode,
                principal.actor,
                to_datetime(at),
            )
            await tell(connection, principal, whose.unit, whose.patient_id, whose.mode, at)
            await audit.append(
                connection, whose.unit, principal.scope, "begin_isolation", isolation, wanted, at
            )
    except UniqueViolation as error:
        raise Conflict(HOLDS) from error
    return _view(row)


async def end(
    database: Database, principal: Principal, bed: str, isolation: str, *, stay: str, at: int
) -> dict[str, Any]:
    """Ends it for whoever lies there; Conflict where somebody has done so."""
    try:
        known = UUID(isolation)
    except ValueError as error:
        raise NotFound(_NONE) from error
    async with database.transaction(principal.scope) as connection:
        whose = await stay_of(connection, bed, stay)
        row = await connection.fetchrow(
            "select isolation, kind, note, begun_by, begun_at, ended_at from isolation"
            " where isolation = $1 and patient_id in (select one_person($2)) for update",
            known,
            whose.patient_id,
        )
        if row is None:
            raise NotFound(_NONE)
        if row["ended_at"] is not None:
            raise Conflict("Somebody has ended this isolation already.")
        await connection.execute(
            "update isolation set ended_by = $2, ended_at = $3 where ended_at is null"
            " and kind = $4 and patient_id in (select one_person($1))",
            whose.patient_id,
            principal.actor,
            to_datetime(at),
            row["kind"],
        )
        await tell(connection, principal, whose.unit, whose.patient_id, whose.mode, at)
        unit, kind = whose.unit, row["kind"]
        await audit.append(connection, unit, principal.scope, "end_isolation", isolation, kind, at)
    return _view(row)


async def tell(
    connection: Connection, principal: Principal, unit: str, patient_id: str, mode: str, at: int
) -> None:
    """The unit hears which flags the patient has now; in the transaction that changed them."""
    (row,) = await connection.fetch("select * from patient_flags($1)", patient_id)
    entry = wire.Flagged(
        unit=unit,
        patient_id=patient_id,
        version=row["version"],
        isolation=tuple(row["isolation"]),
        allergy=row["allergy"],
        by=principal.actor,
        at=at,
        mode=mode,
    )
    await outbox.put(connection, principal.hospital, (unit, entry))


def _view(row: Record) -> dict[str, Any]:
    return {
        "id": str(row["isolation"]),
        "kind": row["kind"],
        "note": row["note"],
        "by": row["begun_by"],
        "at": iso(from_datetime(row["begun_at"])),
    }
