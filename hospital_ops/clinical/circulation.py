"""Pressure and circulation: mean pressure, shock indices, support by drugs, lactate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clinical.prose import numbers
from hospital_ops.clinical.sheet import CannotScore, Result, Sheet
from hospital_ops.clinical.tables import table

_SCORES: Final = table("scores")
_INDICATORS: Final = table("icu_indicators")["indicators"]


def _pressures(sheet: Sheet) -> tuple[float, float]:
    systolic, diastolic = sheet.need("sbp_mmhg"), sheet.need("dbp_mmhg")
    if diastolic >= systolic:
        raise CannotScore(
            "implausible_pair", "dbp_mmhg is not below sbp_mmhg: check the cuff or line"
        )
    return systolic, diastolic


def mean(systolic: float, diastolic: float) -> float:
    """Mean arterial pressure from one reading of a cuff, mmHg: (S + 2 D) / 3."""
    return (systolic + 2 * diastolic) / 3


def map_(inputs: Mapping[str, Any]) -> Result:
    """`score map`: map_mmhg (the measured mean where the device sent one) and pulse pressure."""
    sheet = Sheet(inputs)
    measured = sheet.number("map_mmhg", optional=True)
    systolic, diastolic = _pressures(sheet)
    value = measured if measured is not None else mean(systolic, diastolic)
    sheet.because("map_mmhg", round(value, 2), None, _SCORES["map"]["formula"], None)
    return sheet.answer({"map_mmhg": value, "pulse_pressure_mmhg": systolic - diastolic})


def shock_index(inputs: Mapping[str, Any]) -> Result:
    """`score shock_index`: heart rate over systolic pressure, and its band."""
    sheet = Sheet(inputs)
    rate, systolic = sheet.need("hr_bpm"), sheet.need("sbp_mmhg")
    row = _SCORES["shock_index"]
    value = rate / systolic
    label = None
    for band in row["bands"]:
        low, high = band.get("range", (band.get("gte", 0), band.get("lt", float("inf"))))
        if low <= value <= high:
            label = band["label"]
    sheet.because("shock_index", round(value, 3), label, row["source"], None)
    return sheet.answer({"shock_index": value, "band": label})


def sipa(inputs: Mapping[str, Any]) -> Result:
    """`score sipa`: paediatric shock index; `elevated` is None outside the ages of the source."""
    sheet = Sheet(inputs)
    rate, systolic = sheet.need("hr_bpm"), sheet.need("sbp_mmhg")
    years = sheet.number("age_years")
    value = rate / systolic
    limit = None if years is None else _sipa_limit(int(years))
    row = _SCORES["sipa"]
    sheet.because(
        "sipa_high", round(value, 3), None if limit is None else f">{limit:g}", row["source"], None
    )
    return sheet.answer({"sipa": value, "elevated": None if limit is None else value > limit})


def _sipa_limit(completed_years: int) -> float | None:
    row = _SCORES["sipa"]
    for cut in row["cutoffs"]:
        first, last = numbers(cut["age"])
        if first <= completed_years <= last:
            return float(cut["gt"])
    first, last = numbers(row["extension_1_3y"]["source"].split(":")[1].split(" y")[0])
    if first <= completed_years <= last:
        return float(row["extension_1_3y"]["gt"])
    return None


_DRUGS: Final = ("dopamine", "dobutamine", "epinephrine", "milrinone", "norepinephrine")


def _vis_factors() -> dict[str, float]:
    """Factor of each drug, from the published formula "... + 100*epinephrine + ..."."""
    factors: dict[str, float] = {}
    for term in _INDICATORS["vis"]["formula"].split("+"):
        factor, _, drug = term.strip().rpartition("*")
        factors[drug] = float(factor or 1)
    return factors


VIS_FACTORS: Final = _vis_factors()
_MINUTES_PER_HOUR: Final = 60


def vis(inputs: Mapping[str, Any]) -> Result:
    """`score vis`: vasoactive-inotropic score from rates in ug/kg/min (vasopressin U/kg/min).

    Vasopressin per minute or hour needs the weight; a rate that was sent but is no figure gives
    no score, because an unknown rate is not a pump that stands still. A drug that is not named
    is taken as not connected.
    """
    sheet = Sheet(inputs)
    rates = {drug: sheet.number(f"{drug}_ug_kg_min", optional=True) for drug in _DRUGS}
    rates["vasopressin"] = _vasopressin(sheet)
    if sheet.missing:
        raise CannotScore("missing_input", f"{', '.join(sheet.missing)}: no usable rate or weight")
    given = {drug: rate for drug, rate in rates.items() if rate is not None}
    if not given:
        raise CannotScore("missing_input", "at least one rate in ug/kg/min is needed")
    source = _INDICATORS["vis"]["source"]
    total = 0.0
    for drug, rate in given.items():
        points = VIS_FACTORS[drug] * rate
        total += points
        sheet.because(f"vis_{drug}", rate, None, source, round(points, 4))
    return sheet.answer({"vis": total})


def _vasopressin(sheet: Sheet) -> float | None:
    direct = sheet.number("vasopressin_u_kg_min", optional=True)
    if direct is not None:
        return direct
    per_minute = sheet.number("vasopressin_u_min", optional=True)
    if per_minute is None:
        per_hour = sheet.number("vasopressin_u_h", optional=True)
        per_minute = None if per_hour is None else per_hour / _MINUTES_PER_HOUR
    if per_minute is None:
        return None
    weight = sheet.number("weight_kg")
    return None if weight is None else per_minute / weight


_LACTATE: Final = _INDICATORS["lactate_clearance"]
# "nguyen_met = clearance >= 10, only when 5 <= hours <= 7, else null; jansen_met = per_2h_pct >=
# 20, only when first >= 3.0 and hours <= 8, else null; later <= 2.0 makes jansen_met true"
_NGUYEN, _JANSEN, _CLEARED = _LACTATE["expected"].split(";")[-3:]
_NGUYEN_PCT, _NGUYEN_FROM_H, _NGUYEN_TO_H = numbers(_NGUYEN)
_JANSEN_PCT, _JANSEN_FIRST, _JANSEN_TO_H = numbers(_JANSEN.replace("per_2h_pct", ""))
_CLEARED_MMOL: Final = numbers(_CLEARED)[0]


def lactate_clearance(inputs: Mapping[str, Any]) -> Result:
    """`score lactate_clearance`: percent, percent per 2 h, and both published criteria.

    A criterion is None where its study gives no answer (hours or first value outside it).
    """
    sheet = Sheet(inputs)
    first, later = sheet.need("first_mmol_l"), sheet.need("later_mmol_l")
    hours = sheet.need("hours")
    if hours <= 0 or first <= 0:
        raise CannotScore("out_of_range", "hours and first_mmol_l must be above zero")
    clearance = 100 * (first - later) / first
    per_2h = clearance * 2 / hours
    nguyen = clearance >= _NGUYEN_PCT if _NGUYEN_FROM_H <= hours <= _NGUYEN_TO_H else None
    jansen: bool | None = None
    if first >= _JANSEN_FIRST and hours <= _JANSEN_TO_H:
        jansen = per_2h >= _JANSEN_PCT or later <= _CLEARED_MMOL
    sheet.because("lactate_clearance", round(clearance, 2), None, _LACTATE["source"], None)
    return sheet.answer(
        {
            "clearance_pct": clearance,
            "per_2h_pct": per_2h,
            "nguyen_met": nguyen,
            "jansen_met": jansen,
        }
    )
