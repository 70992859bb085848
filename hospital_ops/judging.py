"""Whether a value that a device sent may be believed: one way for every way in. Pure.

HL7 v2, the events of native devices and the CARE payload read their own forms; what a number or a
word of a known vital is worth is decided here, by the limits of clinical/codes.json.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from hospital_ops.codes import Vital
from hospital_ops.units import Conversion, conversion

CONSCIOUSNESS: Final = {
    "alert": "A",
    "confusion": "C",
    "confused": "C",
    "voice": "V",
    "verbal": "V",
    "pain": "P",
    "unresponsive": "U",
}
TEXT_MOST: Final = 4096  # characters of a value that is text
_RANGE = tuple[float, float]


class Judged(NamedTuple):
    """A value with its trust; `value` is None wherever validity is Inv."""

    value: float | str | None
    validity: str = "Vld"
    reason: str = ""
    sent: float | None = None  # the number, where its unit alone says nothing here


class Scale(NamedTuple):
    """How numbers of a vital in one unit are read: how converted, and between which limits."""

    convert: Conversion
    identity: bool  # the number stays as it is
    reject: _RANGE | None  # limits in the unit that it is converted to
    plausible: _RANGE | None


@lru_cache(maxsize=1024)
def scale(vital: Vital, sent: str | None) -> Scale:
    """The scale of `vital` in the unit `sent`, as `units.conversion` takes it."""
    change = conversion(vital, sent)
    return Scale(
        change,
        change.factor == 1.0 and change.shift == 0.0,
        _scaled(vital.reject_outside, change.to_table),
        _scaled(vital.plausible, change.to_table),
    )


def number(
    sent: float,
    vital: Vital,
    unit: Conversion,
    identity: bool,
    reject: _RANGE | None,
    plausible: _RANGE | None,
) -> Judged:
    """A finite number of a vital on a `Scale`; what no body reaches is no number (SAFETY I11)."""
    if unit.problem:
        return Judged(None, "Inv", unit.problem, sent)
    value = sent
    if not identity:
        value = unit(sent)
    elif vital.key == "fio2" and 0 < value <= 1:  # codes.json: a fraction in a per cent field
        value = float(f"{value * 100:.6g}")
    if reject is not None and not reject[0] <= value <= reject[1]:
        low, high = reject
        return Judged(None, "Inv", f"{value:g} {unit.unit} is outside {low:g} to {high:g}")
    if plausible is not None and not plausible[0] <= value <= plausible[1]:
        low, high = plausible
        return Judged(value, "Qst", f"implausible: outside {low:g} to {high:g} {unit.unit}")
    return Judged(value)


def word(text: str, vital: Vital) -> Judged:
    """A vital that is said in words: consciousness as A, C, V, P or U, others as they are."""
    if vital.key != "avpu":
        return Judged(text[:TEXT_MOST])
    letter = text.upper() if len(text) == 1 else CONSCIOUSNESS.get(text.lower(), "")
    if letter and letter in "ACVPU":
        return Judged(letter)
    return Judged(None, "Inv", "not one of A, C, V, P, U")


def _scaled(limits: _RANGE | None, factor: float) -> _RANGE | None:
    return limits if limits is None or factor == 1.0 else (limits[0] / factor, limits[1] / factor)
