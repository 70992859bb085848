"""ECG by numbers already measured: QTc, derived limb leads, STEMI limits, modified Sgarbossa.

What measures them is `hospital_ops/ecg/`. A negative answer is "not found", never "excluded".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from hospital_ops.clinical.bounds import checked
from hospital_ops.clinical.sheet import CannotScore, Result, Sheet
from hospital_ops.clinical.tables import table

_TABLE: Final = table("ecg")
_SECONDS_PER_MINUTE: Final = 60
# A J point read as 0.1 mV may be a hair less in binary.
_HAIR: Final = 1e-9

# As printed in ecg.json, "qtc": QT in ms, RR in s, HR per minute.
FORMULAS: Final[dict[str, Callable[[float, float], float]]] = {
    "bazett": lambda qt, rr: qt / rr**0.5,
    "fridericia": lambda qt, rr: qt / rr ** (1 / 3),
    "framingham": lambda qt, rr: qt + 154 * (1 - rr),
    "hodges": lambda qt, rr: qt + 1.75 * (_SECONDS_PER_MINUTE / rr - 60),
    "rautaharju_1993": lambda qt, rr: qt * (120 + _SECONDS_PER_MINUTE / rr) / 180,
}


def qtc(inputs: Mapping[str, Any]) -> Result:
    """`score qtc`: corrected QT in ms by the formula named (Fridericia where none is)."""
    sheet = Sheet(inputs)
    formula = sheet.choice("formula", FORMULAS, optional=True)
    if formula is None:
        if inputs.get("formula") is not None:
            raise CannotScore("unknown_word", f"formula must be one of {', '.join(FORMULAS)}")
        formula = "fridericia"
    duration, rate = sheet.need("qt_ms"), sheet.need("hr_bpm")
    if rate <= 0:
        raise CannotScore("out_of_range", "hr_bpm must be above zero")
    value = FORMULAS[formula](duration, _SECONDS_PER_MINUTE / rate)
    sheet.because(
        "qtc",
        round(value, 1),
        _TABLE["qtc"][formula],
        _TABLE["qtc"]["thresholds_ms"]["source"],
        None,
    )
    return sheet.answer({"qtc_ms": value, "formula": formula})


def ecg_leads(inputs: Mapping[str, Any]) -> Result:
    """`score ecg_leads`: III, aVR, aVL, aVF in mV from I and II (Einthoven, Goldberger)."""
    sheet = Sheet(inputs)
    one, two = sheet.need("I_mV"), sheet.need("II_mV")
    sheet.because("ecg_leads", None, None, _TABLE["leads"]["check"], None)
    return sheet.answer(
        {"III": two - one, "aVR": -(one + two) / 2, "aVL": one - two / 2, "aVF": two - one / 2}
    )


def sgarbossa_modified(inputs: Mapping[str, Any]) -> Result:
    """`score sgarbossa_modified`: positive if any criterion is; None while one is unknown."""
    sheet = Sheet(inputs)
    keys = ("concordant_ste_ge_1mm", "concordant_std_v1_v3", "discordant_ste_ge_25pct_s")
    found = [sheet.flag(key) for key in keys]
    positive = any(found)
    for key, answer in zip(keys, found, strict=True):
        if answer:
            sheet.because(key, True, None, "Smith-modified Sgarbossa (ecg.json, equivalents)", None)
    return sheet.answer({"positive": None if sheet.missing and not positive else positive})


_STEMI: Final = _TABLE["stemi"]
_LIMITS: Final = _STEMI["thresholds_mV"]


def _ages(row: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """ "men_lt_40": 0.25 as ("lt", 40, 0.25)."""
    found = []
    for name, limit in row.items():
        match = re.fullmatch(r"men_(lt|ge)_(\d+)", name)
        if match:
            found.append((match[1], float(match[2]), limit))
    return found


def stemi_limit_mv(lead: str, sex: str | None, years: float | None) -> float:
    """ST elevation at the J point from which a lead counts, in mV (4th UDMI, table 2).

    With unknown sex or age the lowest limit that may apply is taken.
    """
    group = {
        "V2": "V2_V3",
        "V3": "V2_V3",
        "V7": "V7_V9",
        "V8": "V7_V9",
        "V9": "V7_V9",
        "V3R": "V3R_V4R",
        "V4R": "V3R_V4R",
    }.get(lead)
    if group is None:
        return float(_LIMITS["other_leads"])
    row = _LIMITS[group]
    base = row.get("default", row.get("women"))
    if sex == "F" and base is not None:
        return float(base)
    men = [
        limit
        for side, age, limit in _ages(row)
        if years is None or (years < age if side == "lt" else years >= age)
    ]
    if "default" in row and (years is None or not men):
        men.append(row["default"])
    if sex != "M" and base is not None:
        men.append(base)
    return float(min(men))


def stemi(inputs: Mapping[str, Any]) -> Result:
    """`score stemi`: ST elevation in two contiguous leads of the J points given (mV by lead).

    Not valid with left bundle branch block, pacing or hypertrophy: the caller looks first.
    """
    sheet = Sheet(inputs)
    given = inputs.get("j_point_mV")
    if not isinstance(given, Mapping):
        raise CannotScore("missing_input", "j_point_mV must be an object of millivolts by lead")
    sex = sheet.choice("sex", ("F", "M"))
    years = sheet.number("age_years")
    raised: dict[str, float] = {}
    for lead in (lead for group in _STEMI["contiguous_groups"] for lead in group):
        name = lead.removeprefix("-")
        value, _ = checked("I_mV", given.get(name))
        if value is None:
            continue
        level = -value if lead != name else value
        if level >= stemi_limit_mv(name, sex, years) - _HAIR:
            raised[lead] = level
    pairs = [
        (first, second)
        for group in _STEMI["contiguous_groups"]
        for first, second in pairwise(group)
        if first in raised and second in raised
    ]
    for first, second in pairs:
        sheet.because(
            "stemi_pair",
            {first: raised[first], second: raised[second]},
            None,
            _STEMI["source"],
            None,
        )
    return sheet.answer({"stemi_criteria": bool(pairs), "pairs": [list(pair) for pair in pairs]})
