"""Who and where: PID, PV1, MRG."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from hospital_ops.hl7.parse import Message, Segment, Signs, field
from hospital_ops.wire import PatientFacts

_BIRTH: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_LIMIT: Final = 100  # characters of a name or number


@dataclass(frozen=True, slots=True)
class Location:
    """PV1-3 as sent: the parts that may name a unit or a bed, most likely first."""

    unit: str = ""
    bed: str = ""
    whole: str = ""  # the field's first component, where it stands alone
    facility: str = ""

    def __bool__(self) -> bool:
        """Whether the message says any place."""
        return bool(self.unit or self.bed or self.whole)


NOWHERE: Final = Location()


def numbers(value: str, message: Message) -> list[tuple[str, str]]:
    """(number, type) of each repetition of a CX field such as PID-3."""
    signs = message.signs
    found = []
    for repetition in value.split(signs.repetition):
        parts = repetition.split(signs.component)
        number = message.text(parts[0]).strip()[:_LIMIT]
        if number and number != '""':
            found.append((number, parts[4].strip() if len(parts) > 4 else ""))
    return found


def medical_number(value: str, message: Message) -> str:
    """The patient's number in this hospital: type MR, else the first that is given."""
    given = numbers(value, message)
    for number, kind in given:
        if kind == "MR":
            return number
    return given[0][0] if given else ""


def number_of(segment: Segment | None, message: Message) -> str:
    """The patient's number of a PID: PID-3, before 2.3.1 also PID-2 and PID-4 alone."""
    told = (medical_number(field(segment, index), message) for index in (3, 2, 4))
    return next(filter(None, told), "")


@lru_cache(maxsize=4096)
def location(value: str, signs: Signs) -> Location:
    """PV1-3 or PV1-6 in the forms senders use.

    `UNIT^^BED`, `^^BED^ip:port`, `^^UNIT&BED&0&0`, `^^&BED`, `^^BED&5&1`, or a bed alone.
    """
    parts = [part.strip() for part in value.split(signs.repetition, 1)[0].split(signs.component)]
    parts += [""] * (4 - len(parts))
    unit = parts[0].split(signs.sub, 1)[0]
    facility = parts[3].split(signs.sub, 1)[0]
    inner = parts[2].split(signs.sub)
    bed = inner[0]
    if len(inner) > 1 and not unit:
        if not inner[0]:
            bed = inner[1]
        elif not inner[1].isdecimal():
            unit, bed = inner[0], inner[1]
    if unit and not bed:
        return Location(unit=unit, whole=unit, facility=facility)
    return Location(unit=unit, bed=bed, facility=facility)


def patient(segment: Segment | None, message: Message) -> PatientFacts:
    """PID as facts; what is not said, or cannot be read in its character set, stays empty."""
    name = field(segment, 5).split(message.signs.repetition, 1)[0].split(message.signs.component)
    birth = _BIRTH.match(field(segment, 7))
    sex = field(segment, 8)[:1].upper()
    return PatientFacts(
        mrn=number_of(segment, message),
        family=_word(name[0].split(message.signs.sub, 1)[0], message),
        given=_word(name[1], message) if len(name) > 1 else "",
        sex=sex if sex in ("F", "M") else "unknown",
        birth_date=f"{birth[1]}-{birth[2]}-{birth[3]}" if birth else "",
    )


def _word(value: str, message: Message) -> str:
    text = message.text(value).strip()[:_LIMIT]
    return "" if "\ufffd" in text or text == '""' else text
