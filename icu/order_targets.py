"""What an order aims at ("MAP 65 to 75"), read from words or from fields, and written. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.clinical.tables import table
from hospital_ops.errors import MessageError

# How the ward says a parameter -> its key in codes.json; MAP is a line's mean, or the cuff's.
SPOKEN: Final[dict[str, str]] = {
    "map": "map", "ад ср": "map", "ад ср.": "map", "spo2": "spo2", "hr": "hr", "чсс": "hr",
    "sbp": "sbp", "ад сист": "sbp", "ад сист.": "sbp", "rr": "rr", "чд": "rr", "чдд": "rr",
    "etco2": "etco2", "cvp": "cvp", "цвд": "cvp", "icp": "icp", "вчд": "icp", "cpp": "cpp",
    "цпд": "cpp", "temp": "temp", "температура": "temp", "urine": "urine", "диурез": "urine",
    "glucose": "glucose", "глюкоза": "glucose", "rass": "rass",
}  # fmt: skip
AMBIGUOUS: Final = "сад"  # the mean to some, the systolic to others
_BEYOND: Final = 1e15  # of nothing in a hospital there is so much
WORDS_MAX: Final = 120  # characters of a target in words
_KEY: Final = {"map": "abp_mean", "sbp": "abp_sys"}
LABELS: Final = {
    "map": "MAP", "spo2": "SpO2", "hr": "HR", "sbp": "SBP", "rr": "RR", "etco2": "etCO2",
    "cvp": "CVP", "icp": "ICP", "cpp": "CPP", "temp": "T", "rass": "RASS",
}  # fmt: skip
OFFERED: Final = ("map", "spo2", "sbp", "hr", "rr", "etco2", "temp", "rass", "urine", "glucose")
_SIGNS: Final = (
    "<=", "<", ">=", ">", "≤", "≥", "above", "below", "from", "under", "выше", "ниже", "не менее",
    "не более", "от", "до",
)  # fmt: skip
_WORDS: Final = re.compile(
    rf"^\s*(?P<name>\S.*?)(?:\s*(?P<sign>{'|'.join(_SIGNS)})\s*|\s+)(?P<low>-?\d+(?:[.,]\d+)?)"
    r"(?:\s*(?:to|до|–|-|\.\.)\s*(?P<high>-?\d+(?:[.,]\d+)?))?\s*(?P<unit>\S+)?\s*$",
    re.IGNORECASE,
)
_UPPER: Final = ("<", "<=", "≤", "below", "under", "ниже", "не более", "до")


def _of_sets() -> dict[str, str]:
    """Parameters of the order sets and their units, where codes.json does not know them."""
    return {
        item["target"]["parameter"]: item["target"]["unit"]
        for one in table("order_sets")["sets"]
        for item in one["items"]
        if item["target"]
    }


_SET_UNITS: Final = _of_sets()


def _vital(parameter: str) -> codes.Vital | None:
    return codes.by_key.get(_KEY.get(parameter, parameter))


def unit_of(parameter: str) -> str:
    """The UCUM unit in which a parameter is aimed at; empty where nobody knows it."""
    if parameter in _SET_UNITS:
        return _SET_UNITS[parameter]
    vital = _vital(parameter)
    return vital.ucum if vital else ""


def checked(target: Any) -> dict[str, Any] | None:
    """`{"parameter", "low", "high", "unit"}` of words or fields; None where nothing is aimed at.

    MessageError says what is wrong: an unknown parameter, no bound, bounds the wrong way round, or
    a number that no body can reach.
    """
    if target is None or target == "":
        return None
    found = _of_words(target) if isinstance(target, str) else target
    if not isinstance(found, Mapping):
        raise MessageError("bad_target", 'a target is an object, or words such as "MAP 65 to 75"')
    said = str(found.get("parameter", "")).strip().lower()
    if said == AMBIGUOUS:
        raise MessageError(
            "ambiguous_target",
            "САД is the mean to some and the systolic to others: write `АД ср` or `АД сист`",
        )
    parameter = SPOKEN.get(said, said)
    if parameter not in _SET_UNITS and _vital(parameter) is None:
        raise MessageError("bad_target", f"a target is of one of: {', '.join(OFFERED)}")
    low, high = _bound(parameter, found, "low"), _bound(parameter, found, "high")
    if low is None and high is None:
        raise MessageError("bad_target", "a target has a `low`, a `high`, or both")
    if low is not None and high is not None and low >= high:
        raise MessageError("bad_target", "the `low` of a target lies below its `high`")
    unit = unit_of(parameter)
    if found.get("unit") not in (None, "", unit):
        raise MessageError("bad_target", f"a target of {parameter} is given in {unit}")
    return {"parameter": parameter, "low": low, "high": high, "unit": unit}


def _bound(parameter: str, found: Mapping[str, Any], side: str) -> float | None:
    number = found.get(side)
    if number is None or number == "":
        return None
    if not is_number(number):
        raise MessageError("bad_target", f"`{side}` of a target is a number")
    vital = _vital(parameter)
    limits = vital.reject_outside if vital and vital.ucum == unit_of(parameter) else None
    if limits and not limits[0] <= number <= limits[1]:
        raise MessageError("bad_target", f"no body reaches {parameter} {number:g}")
    return float(number)


def is_number(value: Any) -> bool:
    """Whether something sent is a finite number that can be reckoned with."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _BEYOND and math.isfinite(value)


def _of_words(text: str) -> dict[str, Any]:
    # Short, and without runs of blanks: the pattern would look at each way to divide them.
    match = _WORDS.match(" ".join(text.split())) if len(text) <= WORDS_MAX else None
    if match is None:
        raise MessageError("bad_target", 'write a target like "MAP 65 to 75" or "SpO2 above 92"')
    first = float(match["low"].replace(",", "."))
    second = float(match["high"].replace(",", ".")) if match["high"] else None
    upper = (match["sign"] or "").lower() in _UPPER and second is None
    return {
        "parameter": match["name"].strip(),
        "low": None if upper else first,
        "high": first if upper else second,
    }


def words(target: Mapping[str, Any]) -> str:
    """`MAP 65–75 mm[Hg]`, `SpO2 ≥ 92 %`."""
    label = LABELS.get(target["parameter"], target["parameter"].replace("_", " "))
    low, high, unit = target.get("low"), target.get("high"), target.get("unit") or ""
    if low is not None and high is not None:
        said = f"{low:g}–{high:g}"
    else:
        said = f"≥ {low:g}" if low is not None else f"≤ {high:g}"
    return f"{label} {said} {unit}".strip()
