"""Which unit and bed a message belongs to: PV1-3 against the places of the house; pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from hospital_ops.hl7.people import Location
from hospital_ops.standing.rules import Standing

_SEPARATORS: Final = "-/_ ."
_SHOWN: Final = 40  # characters of a place in a sentence
_BED_LIMIT: Final = 60
_ANNOUNCED_LIMIT: Final = 1000  # beds that ADT named and nobody registered yet


class Places(Protocol):
    """The beds and units of the installation; their ids are unique in it."""

    def unit_of_bed(self, bed_id: str) -> str | None:
        """The unit of a bed."""
        ...

    def has_unit(self, unit: str) -> bool:
        """Whether this is a unit of the house."""
        ...

    def bed_in_unit(self, unit: str, text: str) -> str | None:
        """The id of the bed that `text` (id or label) names in `unit`."""
        ...

    def units_of(self, hospital: str) -> list[str]:
        """Every unit of a hospital."""
        ...

    def hospital_of_unit(self, unit: str) -> str:
        """The hospital of a unit; empty where it is none of ours."""
        ...

    def standing(self, hospital: str, name: str) -> Standing:
        """Where people have said that a device stands; empty where nobody has."""
        ...

    def mode_of_device(self, hospital: str, name: str) -> str:
        """The mode that a device is registered with; empty where it is not."""
        ...


class Place(NamedTuple):
    """A unit and a bed that the house knows; `bed` is empty for a unit as a whole."""

    unit: str
    bed: str


class Unknown(NamedTuple):
    """No place: a stable code and a sentence that says what to do."""

    code: str
    reason: str


def place(location: Location, places: Places) -> Place | Unknown:
    """The bed that PV1-3 names; a bed is never guessed from a part of a name."""
    if not location:
        return Unknown("unknown_bed", "PV1-3 names no bed: send UNIT^^BED there")
    found = _find(location, places)
    if found is not None and found.bed:
        return found
    shown = (location.bed or location.whole)[:_SHOWN]
    return Unknown(
        "unknown_bed",
        f"bed {shown!r} is not known: register it (hospital-ops unit add), or correct PV1-3",
    )


def place_patient(location: Location, places: Places) -> Place | Unknown | None:
    """Where an ADT event puts a patient; the hospital's system decides, so a bed that is new in a
    known unit is taken as it is called. None: no unit of ours (it goes to the hall)."""
    found = _find(location, places)
    if found is not None:
        return found
    if location.unit and places.has_unit(location.unit):
        return _new(location.unit, location.bed.strip(), places)
    return None


def _new(unit: str, label: str, places: Places) -> Place | Unknown:
    """The id of a bed is one bed's in the installation, and every house has a bed 1: where another
    unit has it, the unit goes before it."""
    if not label.isprintable() or len(label) > _BED_LIMIT:
        return Place(unit, "")
    owner = places.unit_of_bed(label)
    if owner is None:
        return Place(unit, label)
    own = f"{unit}-{label}"
    if label.startswith(f"{owner}-") or places.unit_of_bed(own) is not None:
        return Unknown("unknown_bed", f"bed {label[:_SHOWN]!r} is another unit's: correct PV1-3")
    return Place(unit, own)


def _find(location: Location, places: Places) -> Place | None:
    unit, bed = location.unit, location.bed
    if unit and places.has_unit(unit):
        if not bed:
            return Place(unit, "")
        if places.unit_of_bed(bed) == unit:
            return Place(unit, bed)
        known = places.bed_in_unit(unit, bed)
        return Place(unit, known) if known is not None else None
    for text in filter(None, (bed, location.whole)):
        owner = places.unit_of_bed(text)
        # Every ward has a bed 1: beside the name of a ward that is none of ours it is that ward's.
        alone = not unit or text == location.whole
        if owner is not None and (alone or text.startswith(f"{owner}-")):
            return Place(owner, text)
    return _joined(bed or location.whole, places)


def _joined(text: str, places: Places) -> Place | None:
    """A unit and a bed written as one word, `ICU7N-BED708`."""
    for at, sign in enumerate(text):
        if sign in _SEPARATORS and places.has_unit(text[:at]):
            bed = places.bed_in_unit(text[:at], text[at + 1 :])
            if bed is not None:
                return Place(text[:at], bed)
    return None


class Announced:
    """Places, and beds that an ADT event named in a known unit before anyone registered them.

    `on_new` is told of each, so that the administration page can show and keep it.
    """

    def __init__(self, places: Places, on_new: Callable[[str, str], None] | None = None) -> None:
        self._places = places
        self._on_new = on_new
        self._beds: dict[tuple[str, str], None] = {}

    def announce(self, unit: str, bed: str) -> bool:
        """Takes note of a bed; True when it is new."""
        if (unit, bed) in self._beds or self._places.bed_in_unit(unit, bed) is not None:
            return False
        if len(self._beds) >= _ANNOUNCED_LIMIT:
            del self._beds[next(iter(self._beds))]
        self._beds[unit, bed] = None
        if self._on_new is not None:
            self._on_new(unit, bed)
        return True

    def units_of(self, hospital: str) -> list[str]:
        """As `Places`."""
        return self._places.units_of(hospital)

    def hospital_of_unit(self, unit: str) -> str:
        """As `Places`."""
        return self._places.hospital_of_unit(unit)

    def standing(self, hospital: str, name: str) -> Standing:
        """As `Places`."""
        return self._places.standing(hospital, name)

    def mode_of_device(self, hospital: str, name: str) -> str:
        """As `Places`."""
        return self._places.mode_of_device(hospital, name)

    def has_unit(self, unit: str) -> bool:
        """As `Places`."""
        return self._places.has_unit(unit)

    def unit_of_bed(self, bed_id: str) -> str | None:
        """As `Places`; an announced bed only where one unit alone has it."""
        owner = self._places.unit_of_bed(bed_id)
        if owner is None and self._beds:
            owners = [unit for unit, bed in self._beds if bed == bed_id]
            owner = owners[0] if len(owners) == 1 else None
        return owner

    def bed_in_unit(self, unit: str, text: str) -> str | None:
        """As `Places`."""
        known = self._places.bed_in_unit(unit, text)
        if known is not None:
            return known
        return next((bed for bed in (text, f"{unit}-{text}") if (unit, bed) in self._beds), None)
