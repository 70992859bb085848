"""Allergies in PostgreSQL: recorded, ended, never removed; "none known" is a record as well."""

from __future__ import annotations

from typing import Any, Final

from hospital_ops import audit, identity
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, NotFound
from icu.flags.store import tell

CRITICALITIES: Final = ("low", "high", "unable-to-assess")  # FHIR AllergyIntolerance
_SELECT: Final = """
select allergy, patient_id, substance, reaction, criticality, told_by, recorded_by, recorded_at
  from allergy where patient_id = $1 and ended_at is null order by recorded_at
"""


async def of_patient(
    database: Database, principal: Principal, patient_id: str
) -> list[dict[str, Any]]:
    """What is recorded and holds, oldest first."""
    async with database.transaction(principal.scope) as connection:
        return [_view(row) for row in await connection.fetch(_SELECT, patient_id)]


async def known(connection: Connection, patient_id: str) -> tuple[tuple[str, ...], bool]:
    """The substances, and whether somebody recorded that there are none."""
    found = await connection.fetch(_SELECT, patient_id)
    substances = tuple(row["substance"] for row in found if row["substance"])
    return substances, any(not row["substance"] for row in found)


async def record(
    database: Database,
    principal: Principal,
    *,
    unit: str,
    patient_id: str,
    substance: str,
    reaction: str,
    criticality: str,
    told_by: str,
    at: int,
) -> list[dict[str, Any]]:
    """Records an allergy; an empty substance says that none are known.

    An allergy ends "none known"; the other way round it is refused. A repeat changes nothing.
    """
    async with database.transaction(principal.scope) as connection:
        await connection.execute(
            "select pg_advisory_xact_lock(hashtextextended('order ' || $1, 0))", patient_id
        )
        substances, none_known = await known(connection, patient_id)
        if not substance and substances:
            raise Conflict("Allergies are recorded: end those first, with a reason.")
        again = substance.casefold() in {s.casefold() for s in substances}
        if not again and (substance or not none_known):
            if none_known:
                await _end_none_known(connection, principal, patient_id, at)
            identifier = str(identity.uuid7())
            await connection.execute(
                "insert into allergy (allergy, hospital_id, unit, patient_id, substance, reaction,"
                " criticality, told_by, recorded_by, recorded_at, mode)"
                " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
                identifier,
                principal.hospital,
                unit,
                patient_id,
                substance,
                reaction,
                criticality,
                told_by,
                principal.actor,
                to_datetime(at),
                principal.mode,
            )
            await audit.append(
                connection, unit, principal.scope, "record_allergy", patient_id, identifier, at
            )
            await tell(connection, principal, unit, patient_id, principal.mode, at)
        return [_view(row) for row in await connection.fetch(_SELECT, patient_id)]


async def _end_none_known(
    connection: Connection, principal: Principal, patient_id: str, at: int
) -> None:
    await connection.execute(
        "update allergy set ended_by = $2, ended_at = $3, end_reason = 'an allergy was recorded'"
        " where patient_id = $1 and substance = '' and ended_at is null",
        patient_id,
        principal.actor,
        to_datetime(at),
    )


async def end(
    database: Database,
    principal: Principal,
    *,
    unit: str,
    patient_id: str,
    allergy: str,
    reason: str,
    at: int,
) -> None:
    """Ends a record, refuted or entered in error, with the reason; it stays readable."""
    async with database.transaction(principal.scope) as connection:
        ended = await connection.fetchval(
            "update allergy set ended_by = $3, ended_at = $4, end_reason = $5"
            " where allergy = $1 and patient_id = $2 and ended_at is null returning allergy",
            allergy,
            patient_id,
            principal.actor,
            to_datetime(at),
            reason,
        )
        if ended is None:
            raise NotFound("There is no such record of an allergy, or somebody has ended it.")
        await audit.append(
            connection, unit, principal.scope, "end_allergy", patient_id, allergy, at
        )
        await tell(connection, principal, unit, patient_id, principal.mode, at)


def _view(row: Record) -> dict[str, Any]:
    return {
        "id": str(row["allergy"]),
        "substance": row["substance"] or None,
        "none_known": not row["substance"],
        "reaction": row["reaction"],
        "criticality": row["criticality"],
        "told_by": row["told_by"],
        "recorded_by": row["recorded_by"],
        "recorded_at": iso(from_datetime(row["recorded_at"])),
    }
