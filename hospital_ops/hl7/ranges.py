"""The alarm limits of a device: OBX-7, or the attribute MDC_ATTR_LIMIT_CURR (IEEE 11073-10201)."""

from __future__ import annotations

import re
from typing import Final

from hospital_ops.hl7.codes import Plan

ATTRIBUTE: Final = "MDC_ATTR_LIMIT_CURR"  # Current-Limits: the lower, then the upper one
_NUMBER: Final = r"([+-]?\d{1,6}(?:\.\d{1,4})?)"
_BOTH: Final = re.compile(rf"\s*{_NUMBER}\s*[-^]\s*{_NUMBER}\s*")
_LEAST: Final = re.compile(rf"\s*>=?\s*{_NUMBER}\s*")  # "> lower": there is no upper limit
_MOST: Final = re.compile(rf"\s*<=?\s*{_NUMBER}\s*")

Limits = tuple[float | None, float | None]


def limits_in(text: str, made: Plan) -> Limits | None:
    """(low, high) in the unit of the value, as HL7 writes a range; None where it says none.

    Of a laboratory or an unknown code it is a reference range or unknown, and no alarm limit.
    """
    if not text or made.vital is None or made.vital.laboratory or made.convert.problem:
        return None
    if both := _BOTH.fullmatch(text):
        low, high = float(both[1]), float(both[2])
        return (made.convert(low), made.convert(high)) if low < high else None
    if least := _LEAST.fullmatch(text):
        return made.convert(float(least[1])), None
    if most := _MOST.fullmatch(text):
        return None, made.convert(float(most[1]))
    return None
