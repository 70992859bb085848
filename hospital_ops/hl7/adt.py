"""ADT events: who lies where from when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hospital_ops import wire
from hospital_ops.errors import MessageError
from hospital_ops.hl7.bounds import within
from hospital_ops.hl7.parse import Message, field
from hospital_ops.hl7.people import Location, location, numbers, patient
from hospital_ops.hl7.times import Zone, offset_s, to_us

NO_KNOWN_ALLERGY: Final = "716186003"  # SNOMED CT
ALLERGIES_MAX: Final = 50  # of one message
TEXT_MAX: Final = 120
MERGED_MAX: Final = 100  # numbers of one A40
TRIGGERS: Final = frozenset(("A01", "A02", "A03", "A04", "A08", "A11", "A12", "A13", "A40"))


@dataclass(frozen=True, slots=True)
class Event:
    """An ADT message as facts."""

    trigger: str
    patient: wire.PatientFacts
    at: int
    location: Location
    prior: Location
    visit: str
    merged: tuple[str, ...]
    allergies: tuple[wire.AllergyTold, ...] = ()


def read(message: Message, trigger: str, site_zone: Zone, received_at: int) -> Event:
    """The event of an ADT message; MessageError where it names no patient.

    Its time: EVN-6 (occurred), else EVN-2 (recorded), else MSH-7, else the receive time.
    """
    signs = message.signs
    facts = patient(message.first("PID"), message)
    if not facts.mrn:
        raise MessageError("no_patient", "PID-3 names no patient: send the hospital's number there")
    visit, event = message.first("PV1"), message.first("EVN")
    header = field(message.msh, 7)
    stated = offset_s(header)
    zone = site_zone if stated is None else stated
    at = None
    for text in (field(event, 6), field(event, 2), header):
        at = at if at is not None else to_us(text, zone)
    merged = _merged(message)
    if trigger == "A40":
        if sum(segment[0] == "PID" for segment in message.segments) > 1:
            raise MessageError("several_patients", "send one patient (PID) with its MRG a message")
        if not merged:
            raise MessageError("no_merge", "MRG-1 names no number that is merged: send it there")
    return Event(
        trigger=trigger,
        patient=facts,
        at=received_at if at is None else at,
        location=location(field(visit, 3), signs),
        prior=location(field(visit, 6), signs),
        visit=next((number for number, _ in numbers(field(visit, 19), message)), ""),
        merged=merged,
        allergies=tuple(_allergies(message)),
    )


def _merged(message: Message) -> tuple[str, ...]:
    """Every number that is merged: of each MRG those of type MR, where there are such; else all."""
    old: dict[str, None] = {}
    for segment in message.segments:
        if segment[0] == "MRG":
            given = numbers(field(segment, 1), message)
            own = [number for number, kind in given if kind == "MR"]
            old |= dict.fromkeys(own or [number for number, _ in given])
    within("merged numbers", len(old), MERGED_MAX)  # each stands in the bed's binding
    return tuple(old)


def _allergies(message: Message) -> Iterator[wire.AllergyTold]:
    """AL1-3 by its text, else its code, with the reactions of AL1-5; each substance once."""
    known: set[str] = set()
    for segment in message.segments:
        if segment[0] != "AL1" or len(known) == ALLERGIES_MAX:
            continue
        named = [message.text(part).strip() for part in _parts(field(segment, 3), message)]
        code, text = [*named, "", ""][:2]
        substance = "" if code == NO_KNOWN_ALLERGY else (text or code)[:TEXT_MAX]
        if not (substance or code == NO_KNOWN_ALLERGY) or substance.casefold() in known:
            continue
        known.add(substance.casefold())
        told = [message.text(one) for one in field(segment, 5).split(message.signs.repetition)]
        reaction = ", ".join(one.strip() for one in told if one.strip() not in ("", '""'))
        yield wire.AllergyTold(substance, reaction[:TEXT_MAX] if substance else "")


def _parts(value: str, message: Message) -> list[str]:
    return [] if value.strip() in ("", '""') else value.split(message.signs.component)


def come_from(here: wire.Admission, unit: str) -> wire.Admission:
    """For the unit that somebody comes to: the former bed is not one of its own."""
    return wire.replaced(here, from_unit=unit)


def gone_to(left: wire.Admission, unit: str, bed: str) -> wire.Admission:
    """For the unit that somebody leaves: where they go, if that is a bed of the house."""
    return wire.replaced(left, to_unit=unit if bed else "", to_bed=bed)
