"""Admissions in PostgreSQL: row, audit and outbox entry in one transaction."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from hospital_ops import audit, identity, outbox, wire
from hospital_ops.access import Principal
from hospital_ops.clock import to_datetime
from hospital_ops.database import Database, UniqueViolation
from hospital_ops.errors import Conflict


async def admit_case(
    database: Database,
    principal: Principal,
    *,
    unit: str,
    bed: str,
    case: str,
    case_unit: str,
    person: wire.PatientFacts,
    lowest: tuple[wire.Lowest, ...] = (),
    weight: wire.Lowest | None = None,
    at: int,
) -> str:
    """Gives a free bed to the patient of a case, with the record from the street; answers the id.

    Conflict where somebody lies there or was given the bed first.
    """
    patient = identity.patient_id(principal.hospital, person.mrn)
    told = _admission(principal, unit, bed, case, case_unit, person, lowest, weight, at)
    try:
        async with database.transaction(principal.scope) as connection:
            given = await connection.fetchval(
                "insert into bed_given as g (bed, hospital_id, unit, patient_id, case_id,"
                " given_by, given_at) values ($1, $2, $3, $4, $5, $6, $7)"
                " on conflict (bed) do update set kind = 'patient', words = '',"
                " patient_id = excluded.patient_id, case_id = excluded.case_id,"
                " given_by = excluded.given_by, given_at = excluded.given_at"
                " where g.kind = 'reserved' returning bed",
                bed,
                principal.hospital,
                unit,
                patient,
                case,
                principal.actor,
                to_datetime(at),
            )
            if given is None:
                raise Conflict("This bed is taken: choose another.")
            await outbox.put(connection, principal.hospital, *told)
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
    lowest: tuple[wire.Lowest, ...],
    weight: wire.Lowest | None,
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
        lowest=lowest,
        weight=weight,
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


class Choice(NamedTuple):
    """A bed that nobody lies in, as it is called and as it stands: free, reserved or cleaning."""

    bed: str
    label: str
    unit: str
    unit_name: str
    state: str
    words: str = ""  # for whom it is reserved, what is done there

    @property
    def may_be_given(self) -> bool:
        """Whether somebody may be admitted to it: a bed that is being cleaned is not ready."""
        return self.state in ("free", "reserved")


async def empty_beds(database: Database, principal: Principal) -> list[Choice]:
    """The registered beds that no patient has been given, in board order."""
    async with database.transaction(principal.scope) as connection:
        rows = await connection.fetch(
            "select b.bed, b.label, b.unit, u.name, g.kind, g.words from bed b"
            " join unit u on u.unit = b.unit left join bed_given g on g.bed = b.bed"
            " where g.kind is distinct from 'patient' order by b.unit, b.position, b.bed"
        )
    return [
        Choice(
            row["bed"], row["label"] or row["bed"], row["unit"], row["name"],
            row["kind"] or "free", row["words"] or "",
        )
        for row in rows
    ]  # fmt: skip
