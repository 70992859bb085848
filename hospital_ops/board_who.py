"""Whom a tile is about: the patient, and who belongs to them."""

from __future__ import annotations

from typing import Any

from hospital_ops.clock import iso
from hospital_ops.wire import Form, Lowest


class PatientCell(Form, frozen=True):
    """Whom a tile is about; a wall shows initials, sex and age only."""

    patient_id: str
    mrn: str
    initials: str = ""
    name: str = ""
    sex: str = "unknown"
    birth_date: str = ""
    admitted_at: int = 0
    age_years: float | None = None  # as somebody said, where no birth date is known
    case: str = ""  # the pre-arrival case this stay began with
    agreed: tuple[str, ...] = ()  # treatment_limits, comfort_care: what two people agreed on
    lowest: tuple[Lowest, ...] = ()  # before the hospital; stays in sight during the stay
    agreed_at: int = 0  # when the newest agreement was told of
    isolation: tuple[str, ...] = ()  # contact, droplet, airborne, protective: kinds that hold
    allergy: bool = False  # something is recorded; which stands on the bed's page
    flags_version: int = 0  # of both, as `Flagged` counts
    limits: tuple[str, ...] = ()  # which treatment limits hold; empty with the flag: not told
    weight: Lowest | None = None  # told before the hospital: an estimate


class KinCell(Form, frozen=True):
    """The mother or a child of whoever lies in a bed."""

    role: str  # mother, child
    mrn: str
    bed: str = ""  # where they lie, within the unit


def patient_json(patient: PatientCell | None) -> dict[str, Any] | None:
    """The public form of who lies in a bed; None: nobody, or not known."""
    if patient is None:
        return None
    return {
        "initials": patient.initials,
        "sex": patient.sex,
        "birth_date": patient.birth_date,
        "admitted_at": iso(patient.admitted_at) if patient.admitted_at else None,
        "treatment_limits": list(patient.limits),
        "lowest": [
            {"code": one.code, "value": one.value, "unit": one.unit, "at": iso(one.at)}
            for one in patient.lowest
        ],
    }
