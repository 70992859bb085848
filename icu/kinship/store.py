"""The SQL of who belongs to whom and who is whom: each act with its audit row and its word to
the units, in one transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from hospital_ops import audit, identity, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.bindings import REAL
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import CheckViolation, Connection, Database, Record, UniqueViolation
from hospital_ops.errors import Conflict, MessageError, NotFound
from streams.shard import hall

ADMIT_BACK_US: Final = 24 * 3600 * SECOND  # so long ago somebody may have come
NUMBER_MOST: Final = 40
NOBODY: Final = "There is no such patient, or not within your units."
_PERSON: Final = """
select patient_id, mrn, family, given, sex, birth_date, mode from patient_event
 where hospital_id = $1 and (patient_id::text = $2 or mrn = $2)
 order by event_at desc, entry_id desc limit 1
"""


async def admit(
    database: Database,
    principal: Principal,
    bed: str,
    person: wire.PatientFacts,
    since: int,
    at: int,
) -> str:
    """Binds a person to a free bed since a moment that has come; answers the id.

    What is stored already of that time stays nobody's until somebody files it.
    """
    if not person.mrn or len(person.mrn) > NUMBER_MOST or not person.mrn.isprintable():
        raise MessageError("bad_number", "a patient has a number of at most 40 characters")
    if not at - ADMIT_BACK_US <= since <= at:
        raise MessageError("bad_time", "somebody came within the last 24 hours, not later than now")
    patient = identity.patient_id(principal.hospital, person.mrn)
    async with database.transaction(principal.scope) as connection:
        unit = await connection.fetchval("select unit from bed where bed = $1", bed)
        if unit is None:
            raise NotFound("There is no such bed, or it is not within your units.")
        known = await connection.fetchval(
            "select bed from stay where patient_id = $1 and ended_at is null limit 1", patient
        )
        if known is not None:
            raise Conflict("This person is admitted to another bed: move them from there.")
        try:
            given = await connection.fetchval(
                "insert into bed_given as g (bed, hospital_id, unit, patient_id, given_by,"
                " given_at) values ($1, $2, $3, $4, $5, $6)"
                " on conflict (bed) do update set kind = 'patient',"
                " words = '', patient_id = excluded.patient_id, given_by = excluded.given_by,"
                " given_at = excluded.given_at where g.kind = 'reserved' returning bed",
                bed, principal.hospital, unit, patient, principal.actor, to_datetime(at),
            )  # fmt: skip
        except UniqueViolation as error:
            raise Conflict("This person has been given another bed.") from error
        if given is None:
            raise Conflict("This bed is taken or being cleaned: choose another.")
        told = _adt(principal, unit, "A01", person, at, since, bed)
        await outbox.put(connection, principal.hospital, (unit, told))
        await audit.append(connection, unit, principal.scope, "admit", patient, bed, at)
    return patient


async def merge(
    database: Database,
    principal: Principal,
    bed: str,
    patient: str,
    person: wire.PatientFacts,
    units: Sequence[str],
    at: int,
) -> None:
    """Whoever lies in a bed under one number gets the one of `person`: two numbers, one person.

    As ADT A40 does: all `units` of the hospital are told; what is said of the person holds here.
    """
    if not person.mrn or len(person.mrn) > NUMBER_MOST or not person.mrn.isprintable():
        raise MessageError("bad_number", "a patient has a number of at most 40 characters")
    hospital = principal.hospital
    async with database.transaction(principal.scope) as connection:
        old = await _person(connection, principal, patient)
        unit = await connection.fetchval("select unit from bed where bed = $1", bed)
        if unit is None:
            raise NotFound("There is no such bed, or it is not within your units.")
        if old["mrn"] == person.mrn:
            raise Conflict("This is their number already.")
        other = await connection.fetchval(
            "select bed from stay where patient_id = $1 and ended_at is null limit 1",
            identity.patient_id(hospital, person.mrn),
        )
        if other is not None:
            raise Conflict("Somebody lies in another bed under this number: look who is who.")
        named = _adt(principal, hall(hospital), "A40", person, at, at, "", (old["mrn"],))
        await outbox.put(connection, hospital, (hall(hospital), named))
        for shard in units:
            merged = wire.Merged(
                shard, principal.actor, at, principal.mode, person.mrn, (old["mrn"],), at
            )
            await outbox.put(connection, hospital, (shard, merged))
        if person.family or person.given:
            said = _adt(principal, unit, "A08", person, at, at, bed)
            await outbox.put(connection, hospital, (unit, said))
        await audit.append(
            connection, unit, principal.scope, "merge_numbers", str(old["patient_id"]),
            identity.patient_id(hospital, person.mrn), at,
        )  # fmt: skip


async def link(
    database: Database,
    principal: Principal,
    unit: str,
    child: str,
    mother: str,
    units: Sequence[str],
    at: int,
) -> str:
    """Says whose child somebody is, by id or number of both; answers the link's id."""
    made = str(identity.uuid7())
    async with database.transaction(principal.scope) as connection:
        young = await _person(connection, principal, child)
        woman = await _person(connection, principal, mother)
        if young["patient_id"] == woman["patient_id"]:
            raise Conflict("Nobody is their own mother: look at the numbers.")
        if (young["mode"] == REAL) != (woman["mode"] == REAL):
            raise Conflict("A demo or test patient is never linked to a real one.")
        try:
            await connection.execute(
                "insert into kin (kin, hospital_id, child_id, child_mrn, mother_id, mother_mrn,"
                " linked_by, linked_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
                made, principal.hospital, young["patient_id"], young["mrn"], woman["patient_id"],
                woman["mrn"], principal.actor, to_datetime(at),
            )  # fmt: skip
        except UniqueViolation as error:
            raise Conflict("This child has a mother already: end that link first.") from error
        except CheckViolation as error:
            raise Conflict("Nobody is their own mother: look at the numbers.") from error
        ids = str(young["patient_id"]), str(woman["patient_id"])
        four = ids[0], young["mrn"], ids[1], woman["mrn"]
        await _tell_kin(connection, principal, units, made, four, at, ended=False)
        await audit.append(
            connection, unit, principal.scope, "link_child", ids[0], f"mother {ids[1]}", at
        )
    return made


async def unlink(
    database: Database, principal: Principal, unit: str, kin: str, units: Sequence[str], at: int
) -> None:
    """Ends a link that was wrong, or that no longer matters; it stays in the record."""
    async with database.transaction(principal.scope) as connection:
        row = await connection.fetchrow(
            "update kin set ended_at = $2, ended_by = $3 where kin::text = $1 and ended_at is null"
            " returning child_id, child_mrn, mother_id, mother_mrn",
            kin,
            to_datetime(at),
            principal.actor,
        )
        if row is None:
            raise Conflict("Somebody has ended this link already.")
        four = str(row["child_id"]), row["child_mrn"], str(row["mother_id"]), row["mother_mrn"]
        await _tell_kin(connection, principal, units, kin, four, at, ended=True)
        await audit.append(connection, unit, principal.scope, "unlink_child", four[0], kin, at)


async def of_patient(connection: Connection, patient: str) -> list[Record]:
    """The links of a patient that hold, as child or as mother."""
    return await connection.fetch(
        "select kin, child_id, child_mrn, mother_id, mother_mrn, linked_by, linked_at from kin"
        " where ended_at is null and (child_id::text = $1 or mother_id::text = $1)"
        " order by linked_at",
        patient,
    )


async def _person(connection: Connection, principal: Principal, whom: str) -> Record:
    row = await connection.fetchrow(_PERSON, principal.hospital, whom)
    if row is None:
        raise NotFound(NOBODY)
    return row


async def _tell_kin(
    connection: Connection,
    principal: Principal,
    units: Sequence[str],
    kin: str,
    four: tuple[str, str, str, str],
    at: int,
    *,
    ended: bool,
) -> None:
    for shard in units:
        told = wire.Kin(
            shard, kin, *four, ended=ended, by=principal.actor, at=at, mode=principal.mode
        )
        await outbox.put(connection, principal.hospital, (shard, told))


def _adt(
    principal: Principal,
    shard: str,
    trigger: str,
    person: wire.PatientFacts,
    at: int,
    event_at: int,
    bed: str,
    merged: tuple[str, ...] = (),
) -> wire.Admission:
    message = str(identity.derived("who is it", shard, trigger, person.mrn, bed, str(at)))
    return wire.Admission(
        unit=shard,
        source=principal.actor,
        message_id=message,
        identity=hashlib.sha256(message.encode()).digest(),
        received_at=at,
        mode=principal.mode,
        trigger=trigger,
        patient=person,
        event_at=event_at,
        bed=bed,
        merged=merged,
    )
