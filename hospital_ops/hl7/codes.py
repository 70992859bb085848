"""What OBX-3 and OBX-6 say: the vital, the sender's own name, the unit, the conversion."""

from __future__ import annotations

from typing import Final, NamedTuple

from hospital_ops.codes import (
    KEPT_APART,
    Vital,
    by_code,
    by_key,
    by_loinc,
    by_mdc,
    by_plain_name,
    by_private,
    by_ref_id,
)
from hospital_ops.hl7.parse import PLAIN, Signs, unescape
from hospital_ops.judging import scale
from hospital_ops.units import FAHRENHEIT, Conversion, mdc_number, to_ucum

MDC_SYSTEMS: Final = frozenset(("MDC", "MDIL", "ISO11073", "ISO11073_10101", "11073"))
_CACHE_LIMIT: Final = 4096  # pairs of OBX-3 and OBX-6; a ward's devices need some hundreds
TEXT_LIMIT: Final = 200  # of a sender's name

ATTRIBUTES: Final = ("MDC_ATTR_", "MDC_EVT_DATA_")  # OBX that describe another, never values


class Coded(NamedTuple):
    """A coded element: code, text and system as sent."""

    code: str
    text: str
    system: str


class Plan(NamedTuple):
    """All that the pair of OBX-3 and OBX-6 decides about an observation."""

    vital: Vital | None
    code: str  # public code, or the sender's own
    text: str  # the sender's name; empty for a known vital
    unit: str  # UCUM, or as sent
    convert: Conversion
    identity: bool  # the number stays as it is
    reject: tuple[float, float] | None  # limits in `unit`
    plausible: tuple[float, float] | None
    alias: bool  # another spelling of the code: told apart by channel
    own: str  # the sender's own code, made safe: used where the value is no measured vital
    name: str  # the sender's own name
    sent_unit: str  # UCUM of the unit as sent, or its spelling
    attribute: bool  # describes another OBX, is no value


_cache: dict[tuple[str, str], Plan] = {}


def plan(code_field: str, unit_field: str, signs: Signs) -> Plan:
    """The plan of an OBX; remembered for the usual delimiters, within a bound."""
    if signs is not PLAIN:
        return _make(code_field, unit_field, signs)
    found = _cache.get((code_field, unit_field))
    if found is None:
        if len(_cache) >= _CACHE_LIMIT:
            _cache.clear()
        found = _cache[code_field, unit_field] = _make(code_field, unit_field, signs)
    return found


def coded(value: str, signs: Signs) -> tuple[Coded, Coded]:
    """The first and the alternate coding (components 1-3 and 4-6) of a field."""
    parts = [
        unescape(part, signs).strip() if signs.escape in part else part.strip()
        for part in value.split(signs.repetition, 1)[0].split(signs.component)
    ]
    parts += [""] * (6 - len(parts))
    return Coded(parts[0], parts[1], parts[2]), Coded(parts[3], parts[4], parts[5])


def vital_of(element: Coded) -> Vital | None:
    """The vital that a coded element means; None where it is private, apart or unknown."""
    code, text, system = element
    system = system.upper()
    if system in MDC_SYSTEMS or (not system and text.startswith("MDC_")):
        number = mdc_number(code)
        if number is None or number in KEPT_APART:
            return None
        return by_mdc.get(number) or by_ref_id.get(text)
    if system == "LN":
        return by_loinc.get(code)
    if not system:
        return (
            by_loinc.get(code) or by_plain_name.get(code.upper()) or by_plain_name.get(text.upper())
        )
    return by_private.get(f"{system} {code}")


def unit_of(value: str, signs: Signs) -> tuple[str | None, str]:
    """(UCUM or None, as sent) of OBX-6; an empty field is ("", "")."""
    first, other = coded(value, signs)
    sent = first.code or first.text or other.code
    if not sent:
        return "", ""
    for spelling in (first.code, first.text, other.code, other.text):
        if spelling and (unit := to_ucum(spelling)) is not None:
            return unit, sent
    return None, sent


def _make(code_field: str, unit_field: str, signs: Signs) -> Plan:
    first, other = coded(code_field, signs)
    vital = vital_of(first) or vital_of(other)
    describes = first.text.startswith(ATTRIBUTES)
    name = first if first.code or first.text else other
    own = (name.code or name.text)[:TEXT_LIMIT]
    if own in by_code or own in by_key:  # a private code must never pass as a vital's
        own = f"{name.system or 'private'}:{own}"
    text = (name.text or name.code)[:TEXT_LIMIT]
    unit, sent = unit_of(unit_field, signs)
    shown = unit if unit is not None else sent[:TEXT_LIMIT]
    if vital is None:
        kept = FAHRENHEIT if unit == "[degF]" else Conversion(shown)  # one scale on every screen
        plain = kept is not FAHRENHEIT
        return Plan(
            None, own, text, kept.unit, kept, plain, None, None, False, own, text, shown, describes
        )
    change, identity, reject, plausible = scale(vital, unit)
    primary = vital.loinc == first.code or str(vital.mdc) == first.code
    return Plan(
        vital,
        vital.code,
        "",
        change.unit,
        change,
        identity,
        reject,
        plausible,
        not primary and mdc_number(first.code) != vital.mdc,
        own,
        text,
        shown,
        describes,
    )
