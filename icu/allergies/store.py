"""Allergies in PostgreSQL: recorded, ended, never removed; "none known" is a record as well.

What a crew, the emergency department or an ADT message told before the bed is filed here by the
archive (`allergies_filed`), with who said it and when; what nobody here has asked again is not
confirmed. A person is one by whichever number.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from hospital_ops import audit, identity
from hospital_ops.access import Principal
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.database import Connection, Database, Record
from hospital_ops.errors import Conflict, NotFound
from icu.flags.store import tell

GONE: Final = "There is no such record of an allergy, or somebody has ended it."
CRITICALITIES: Final = ("low", "high", "unable-to-assess")  # FHIR AllergyIntolerance
UNCONFIRMED: Final = ("crew", "adt", "hospital")  # nobody in this house has asked yet
# Of one substance under two numbers the one that somebody has confirmed.
_SELECT: Final = """
select * from (
    select distinct on (lower(substance)) allergy, patient_id, substance, reaction, criticality,
           told_by, recorded_by, recorded_at, heard, confirmed_by, confirmed_at
      from allergy where patient_id in (select one_person($1)) and ended_at is null
     order by lower(substance), confirmed_at is null and heard not in ('bed', 'ed'),
              recorded_at
) as one order by recorded_at
"""


class Known(NamedTuple):
    """What holds for a patient, as the checks of orders ask it."""

    substances: tuple[str, ...] = ()
    none_known: bool = False
    told_only: tuple[str, ...] = ()  # of these, those that nobody has confirmed; "": none known


async def of_patient(
    database: Database, principal: Principal, patient_id: str
) -> list[dict[str, Any]]:
    """What is recorded and holds, oldest first."""
    async with database.transaction(principal.scope) as connection:
        return await listed(connection, patient_id)


async def listed(connection: Connection, patient_id: str) -> list[dict[str, Any]]:
    """The same in a transaction that is open."""
    return [_view(row) for row in await connection.fetch(_SELECT, patient_id)]


async def known(connection: Connection, patient_id: str) -> Known:
    """The substances, whether somebody recorded that there are none, and what was told alone."""
    found = await connection.fetch(_SELECT, patient_id)
    return Known(
        tuple(row["substance"] for row in found if row["substance"]),
        any(not row["substance"] for row in found),
        tuple(row["substance"] for row in found if _told_only(row)),
    )


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

    An allergy ends "none known"; the other way round it is refused. A repeat confirms what was
    told before the bed, and else changes nothing.
    """
    async with database.transaction(principal.scope) as connection:
        await connection.execute(
            "select pg_advisory_xact_lock(hashtextextended('order ' || $1, 0))", patient_id
        )
        substances, none_known, told_only = await known(connection, patient_id)
        if not substance and substances:
            raise Conflict("Allergies are recorded: end those first, with a reason.")
        again = substance.casefold() in {s.casefold() for s in substances}
        if substance.casefold() in {s.casefold() for s in told_only}:
            await _confirm(connection, principal, unit, patient_id, substance, at)
        elif not again and (substance or not none_known):
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


async def confirm(
    database: Database,
    principal: Principal,
    *,
    unit: str,
    patient_id: str,
    allergy: str,
    at: int,
) -> None:
    """Somebody at the bed has asked again: what was told before it is so."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(_SELECT, patient_id)
        row = next((row for row in rows if str(row["allergy"]) == allergy), None)
        if row is None:
            raise NotFound(GONE)
        if _told_only(row):
            await _confirm(connection, principal, unit, patient_id, row["substance"], at)


async def _confirm(
    connection: Connection,
    principal: Principal,
    unit: str,
    patient_id: str,
    substance: str,
    at: int,
) -> None:
    await connection.execute(
        "update allergy set confirmed_by = $3, confirmed_at = $4 where ended_at is null"
        " and lower(substance) = lower($2) and confirmed_at is null and heard = any ($5::text[])"
        " and patient_id in (select one_person($1))",
        patient_id,
        substance,
        principal.actor,
        to_datetime(at),
        list(UNCONFIRMED),
    )
    await audit.append(connection, unit, principal.scope, "confirm_allergy", patient_id, "", at)


async def _end_none_known(
    connection: Connection, principal: Principal, patient_id: str, at: int
) -> None:
    await connection.execute(
        "update allergy set ended_by = $2, ended_at = $3, end_reason = 'an allergy was recorded'"
        " where patient_id in (select one_person($1)) and substance = '' and ended_at is null",
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
        # Under two numbers of one person it is one allergy.
        ended = await connection.fetch(
            "update allergy a set ended_by = $3, ended_at = $4, end_reason = $5 from allergy one"
            " where one.allergy = $1 and one.patient_id in (select one_person($2))"
            " and one.ended_at is null and lower(a.substance) = lower(one.substance)"
            " and a.patient_id in (select one_person($2)) and a.ended_at is null"
            " returning a.allergy",
            allergy,
            patient_id,
            principal.actor,
            to_datetime(at),
            reason,
        )
        if not ended:
            raise NotFound(GONE)
        await audit.append(
            connection, unit, principal.scope, "end_allergy", patient_id, allergy, at
        )
        await tell(connection, principal, unit, patient_id, principal.mode, at)


def _told_only(row: Record) -> bool:
    return row["heard"] in UNCONFIRMED and row["confirmed_at"] is None


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
        "heard": row["heard"],
        "confirmed": not _told_only(row),
        "confirmed_by": row["confirmed_by"],
        "confirmed_at": iso(from_datetime(row["confirmed_at"])) if row["confirmed_at"] else None,
    }
