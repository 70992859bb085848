"""Whom a tile is about: the patient, and who belongs to them."""

from __future__ import annotations

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


class KinCell(Form, frozen=True):
    """The mother or a child of whoever lies in a bed."""

    role: str  # mother, child
    mrn: str
    bed: str = ""  # where they lie, within the unit
