"""Conscious or sedated, breathing alone or not: words of clinical/sms_values.json by its `when`.

The `when` lines of the table are read as they stand: a small language of names, comparisons,
`and`, `or` and `not`. A comparison with what is not known is false. The newest entry decides: an
older one never speaks for a newer one that has no words of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final

from hospital_ops.clock import SECOND
from notify.figures import Reading, Readings
from notify.rules import items

HOUR: Final = 3600 * SECOND
RASS, GCS, ACVPU = "rass", "9269-2", "80288-4"
VENT, DEVICE, FIO2 = "20124-4", "107117-4", "3150-0"
_COMPARE: Final[dict[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Eq: lambda a, b: a == b,
    ast.LtE: lambda a, b: a <= b,
    ast.GtE: lambda a, b: a >= b,
    ast.Lt: lambda a, b: a < b,
    ast.Gt: lambda a, b: a > b,
}
_NAME: Final = {RASS: "rass", ACVPU: "acvpu", GCS: "gcs"}
_ASLEEP: Final = ("V", "P", "U")  # ACVPU that goes together with sedation
# codes.json, vent_mode: what is no ventilator; what helps then is said by the oxygen device.
UNVENTILATED: Final = ("none", "off", "standby")
# Documented words of the ward to the names of the table's `when`.
_SUPPORT: Final = {
    "invasive": "invasive",
    "niv": "niv",
    "cpap": "cpap",
    "high_flow": "high_flow",
    "high_flow_nasal": "high_flow",
    "nasal_cannula": "oxygen",
    "simple_mask": "oxygen",
    "venturi": "oxygen",
    "non_rebreather": "oxygen",
    "air": "air",
}


_BY_ONESELF: Final = ("oxygen", "air")


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One item in words: which row of the table's `map` holds; -1: the words of `missing`."""

    item: str
    row: int = -1
    at: int | None = None
    source: str = ""  # code of the entry it comes from
    fio2: int | None = None


@cache
def _parsed(when: str) -> ast.expr:
    return ast.parse(when, mode="eval").body


def holds(when: str, known: Mapping[str, Any]) -> bool:
    """Whether a `when` of the table is true of what is known."""
    return bool(_value(_parsed(when), known))


def _value(node: ast.expr, known: Mapping[str, Any]) -> Any:
    match node:
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(part, known) for part in parts)
        case ast.BoolOp(values=parts):
            return any(_value(part, known) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, known)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, known)
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return known.get(name, name if name.isupper() else None)
        case ast.Compare(left=left, ops=ops, comparators=rights):
            values = [_value(part, known) for part in (left, *rights)]
            if any(value is None for value in values):
                return False
            pairs = pairwise(values)
            return all(_COMPARE[type(op)](a, b) for op, (a, b) in zip(ops, pairs, strict=True))
        case _:
            raise ValueError(f"sms_values.json says what nobody here understands: {type(node)}")


def sedated_at(readings: Readings, moment: int) -> bool:
    """Whether the RASS that counts at a moment is one of sedation: below zero, at most 12 h old."""
    window = items()["consciousness"]["max_age_h"] * HOUR
    known = [r for r in readings if r.code == RASS and moment - window <= r.at <= moment]
    if not known:
        return False
    value = max(known, key=lambda r: r.at).value
    return isinstance(value, int | float) and value < 0


def consciousness(fit: Readings, now: int) -> Condition:
    """The newest nurse entry in words; under sedation only a RASS may be told.

    Where somebody seemed awake since that RASS, neither is told: a doctor says how it is.
    """
    row = items()["consciousness"]
    entries = _entries(fit, row, now, (RASS, ACVPU, GCS))
    asleep = sedated_at(entries, now)
    newest = max((entry.at for entry in entries if not asleep or entry.code == RASS), default=0)
    if asleep and any(entry.at > newest and _seems_awake(entry) for entry in entries):
        return Condition(item="consciousness")
    for entry in entries:  # of one moment in the order of the table
        if entry.at == newest and (not asleep or entry.code == RASS):
            index = _row(entry, sedated=asleep)
            if index >= 0:
                return Condition(item="consciousness", row=index, at=entry.at, source=entry.code)
    return Condition(item="consciousness")


def _row(entry: Reading, *, sedated: bool) -> int:
    """Which row of the table an entry holds, or -1 where it has no words for it."""
    known = {_NAME[entry.code]: entry.value, "sedated": sedated}
    rows = items()["consciousness"]["map"]
    return next((index for index, row in enumerate(rows) if holds(row["when"], known)), -1)


def _seems_awake(entry: Reading) -> bool:
    """An entry that does not go together with sedation: alert or confused, GCS without words."""
    if entry.code == ACVPU:
        return entry.value not in _ASLEEP
    return entry.code == GCS and _row(entry, sedated=False) < 0


def breathing(fit: Readings, now: int) -> Condition:
    """The documented support in words, never inferred from signals.

    The newest entry decides; where it ends the ventilation, the oxygen device has the word, unless
    it was a machine as well or was entered before the ventilation began.
    """
    row = items()["breathing"]
    ended = False
    for entry in _entries(fit, row, now, (VENT, DEVICE)):
        said = str(entry.value).lower()
        if entry.code == VENT and said in UNVENTILATED:
            ended = True
            continue
        name = _SUPPORT.get(said)
        if name is None or (ended and (entry.code == VENT or name not in _BY_ONESELF)):
            break
        for index, words in enumerate(row["map"]):
            if holds(words["when"], {name: True}):
                return Condition(
                    item="breathing",
                    row=index,
                    at=entry.at,
                    source=entry.code,
                    fio2=_fio2(row["fio2"], fit, now),
                )
    return Condition(item="breathing")


def _fio2(rule: Mapping[str, Any], fit: Readings, now: int) -> int | None:
    fresh = [
        r
        for r in fit
        if r.code == FIO2
        and isinstance(r.value, int | float)
        and r.at >= now - rule["max_age_h"] * HOUR
    ]
    if not fresh:
        return None
    newest = max(fresh, key=lambda r: r.at)
    step: int = rule["round"]
    return round(float(newest.value or 0) / step) * step


def _entries(
    fit: Readings, row: Mapping[str, Any], now: int, wanted: tuple[str, ...]
) -> list[Reading]:
    oldest = now - row["max_age_h"] * HOUR
    found = [r for r in fit if r.code in wanted and r.origin == "typed" and r.at >= oldest]
    return sorted(found, key=lambda r: (-r.at, wanted.index(r.code)))
