"""OBX-5, OBX-8 and OBX-11: the value, and whether it may be believed."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from hospital_ops import judging
from hospital_ops.codes import Vital
from hospital_ops.hl7.codes import Plan
from hospital_ops.hl7.parse import Message, Signs
from hospital_ops.judging import TEXT_MOST, Judged

NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})")
NO_VALUE: Final = "-100"  # how some monitors say that a sensor is off
ABNORMAL: Final = frozenset(
    ("H", "L", "HH", "LL", "HU", "LU", "N", "A", "AA", "<", ">", "U", "D", "S", "R", "I")
)


class Marks(NamedTuple):
    """What OBX-8 and OBX-11 say about one observation."""

    flag: str = ""
    validity: str = "Vld"
    reason: str = ""
    mode: str = ""  # Test or Demo where the device says so; empty: as the message
    status: str = ""  # of OBX-11: C, D, W take back what was told before


PLAIN_MARKS: Final = Marks()
NOTHING: Final = "no value was sent"
EXPECTED: Final = (NOTHING, "-100", "the device says", "OBX-11")  # reasons of a device at work
# IHE DEV TF-2, tables B.8.5-6 and B.8.5-7.
_STATUS: Final = {
    "INV": ("Inv", "the device says INV: invalid"),
    "NAV": ("Inv", "the device says NAV: not available"),
    "OFF": ("Inv", "the device says OFF: sensor or channel switched off"),
    "BUSY": ("Inv", "the device says BUSY: measuring"),
    "QUES": ("Qst", "the device says QUES: questionable"),
    "CAL": ("Qst", "the device says CAL: calibrating"),
    "<": ("Qst", "below the scale of the instrument"),
    ">": ("Qst", "above the scale of the instrument"),
}
_MODES: Final = {"TEST": "Test", "DEMO": "Demo"}
# HL7 table 0085.
_RESULT: Final = {
    "X": "OBX-11 X: no result could be obtained",
    "D": "OBX-11 D: the sender deletes this result",
    "W": "OBX-11 W: posted as wrong, for example on the wrong patient",
    "N": "OBX-11 N: not asked",
    "O": "OBX-11 O: an order, no result",
}
_TAKES_BACK: Final = ("C", "D", "W")
_SEVERITY: Final = {"Vld": 0, "Qst": 1, "Inv": 2}


@lru_cache(maxsize=1024)
def marks(flags: str, result: str, signs: Signs) -> Marks:
    """What OBX-8 (`flags`) and OBX-11 (`result`) say together; the worst counts."""
    validity, reason, flag, mode = "Vld", "", "", ""
    for repetition in flags.split(signs.repetition):
        mark = repetition.split(signs.component, 1)[0].strip().upper()
        if mark in _STATUS:
            worse, why = _STATUS[mark]
            if _SEVERITY[worse] > _SEVERITY[validity]:
                validity, reason = worse, why
        if mark in _MODES:
            mode = _MODES[mark]
        if mark in ABNORMAL and not flag:
            flag = mark
    if result in _RESULT and validity != "Inv":
        validity, reason = "Inv", _RESULT[result]
    return Marks(flag, validity, reason, mode, result if result in _TAKES_BACK else "")


def number(text: str) -> float | None:
    """The number that HL7 v2 allows as NM: sign, digits, point; anything else is None."""
    return float(text) if NUMBER.fullmatch(text) else None


def measured(plan: Plan, vital: Vital, text: str) -> Judged:
    """`text` (trimmed, one repetition) as a value of `vital` in `plan.unit`."""
    if not text:
        return Judged(None, "Inv", NOTHING)
    if vital.reject_outside is None:
        return judging.word(text, vital)
    if not NUMBER.fullmatch(text):
        return Judged(None, "Inv", "what was sent is not a number")
    judged = judging.number(
        float(text), vital, plan.convert, plan.identity, plan.reject, plan.plausible
    )
    if judged.validity == "Inv" and not plan.convert.problem and text.startswith(NO_VALUE):
        return Judged(None, "Inv", "-100 stands for no value")
    return judged


def sent(plan: Plan, kind: str, text: str, message: Message) -> Judged:
    """`text` as the value of an unmapped code: kept as it is, a number where it is one."""
    plain = text.strip()
    if not plain:
        return Judged(None, "Inv", NOTHING)
    if kind == "NM" or (plan.unit and kind in ("ST", "SN", "")):
        value = number(plain)
        if value is not None:
            return Judged(value if plan.identity else plan.convert(value))
        if kind == "NM":
            words = message.text(plain)[:TEXT_MOST]
            return Judged(words, "Qst", "declared as a number, sent as text")
    return Judged(message.text(_readable(kind, text, message))[:TEXT_MOST])


def structured(text: str, message: Message) -> str:
    """SN as a plain number where its comparator is empty or `=`; else as text, `<3`."""
    parts = text.split(message.signs.component)
    if len(parts) == 2 and parts[0] in ("", "="):
        return parts[1].strip()
    return "".join(parts)


def _readable(kind: str, text: str, message: Message) -> str:
    signs = message.signs
    if kind in ("CE", "CWE", "CNE", "CF"):
        parts = text.split(signs.repetition, 1)[0].split(signs.component)
        return parts[1] if len(parts) > 1 and parts[1] else parts[0]
    return text
