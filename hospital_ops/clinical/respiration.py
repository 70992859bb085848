"""Lungs and ventilator: P/F, ROX, oxygenation index, driving pressure, ARDS bands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clinical.prose import bound, bounds
from hospital_ops.clinical.sheet import CannotScore, Result, Sheet
from hospital_ops.clinical.tables import table

_SCORES: Final = table("scores")
_INDICATORS: Final = table("icu_indicators")["indicators"]
_DRIVING: Final = _INDICATORS["driving_pressure"]
_ARDS: Final = _INDICATORS["ards"]
_PERCENT: Final = 100


def pf_ratio(inputs: Mapping[str, Any]) -> Result:
    """`score pf_ratio`: PaO2 (mmHg) over FiO2 (0.21-1.0)."""
    sheet = Sheet(inputs)
    value = sheet.need("pao2_mmhg") / sheet.need("fio2")
    sheet.because("pf_mmhg", round(value, 1), None, "PaO2 / FiO2", None)
    return sheet.answer({"pf_mmhg": value})


def rox(inputs: Mapping[str, Any]) -> Result:
    """`score rox`: (SpO2 / FiO2) / respiratory rate (Roca 2019)."""
    sheet = Sheet(inputs)
    rate = sheet.need("rr_bpm")
    if rate <= 0:
        raise CannotScore("out_of_range", "rr_bpm must be above zero")
    value = sheet.need("spo2_pct") / sheet.need("fio2") / rate
    low_risk = bound(_SCORES["rox"]["low_risk"])
    sheet.because("rox", round(value, 2), str(low_risk), _SCORES["rox"]["source"], None)
    return sheet.answer({"rox": value, "low_risk": low_risk.met(value)})


def oxygenation_index(inputs: Mapping[str, Any]) -> Result:
    """`score oxygenation_index`: mean airway pressure x FiO2 (%) / PaO2 (mmHg).

    The index is defined with cmH2O; a pressure under `paw_mmhg` is used as it is and named.
    """
    sheet = Sheet(inputs)
    pressure = sheet.number("paw_cmh2o", optional=True)
    if pressure is None:
        pressure = sheet.need("paw_mmhg")
        sheet.warn("unit_of_index", "paw_mmhg")
    value = pressure * sheet.need("fio2_pct") / sheet.need("pao2_mmhg")
    formula = _SCORES["oxygenation_index"]["formula"]
    sheet.because("oxygenation_index", round(value, 2), None, formula, None)
    return sheet.answer({"oi": value})


# "PBW male 50 + 0.91*(height-152.4), female 45.5 + 0.91*(height-152.4)"
_WEIGHT: Final = {
    sex: tuple(float(figure) for figure in figures)
    for sex, figures in zip(
        ("M", "F"),
        re.findall(r"([\d.]+) \+ ([\d.]+)\*\(height-([\d.]+)\)", _DRIVING["formula"]),
        strict=True,
    )
}
_WORSE: Final = bounds(_DRIVING["source"])[0]


def driving_pressure(inputs: Mapping[str, Any]) -> Result:
    """`score driving_pressure`: plateau minus PEEP, compliance, mL/kg of predicted weight.

    None with spontaneous effort (needs a passive hold) or a plateau not above PEEP.
    """
    sheet = Sheet(inputs)
    plateau, peep = sheet.number("pplat_cmh2o"), sheet.number("peep_cmh2o")
    effort = sheet.flag("spontaneous_effort", optional=True)
    pressure: float | None = None
    if plateau is not None and peep is not None:
        if plateau <= peep:
            sheet.because("plateau_not_above_peep", plateau, peep, _DRIVING["not_when"], None)
        elif effort:
            sheet.because("spontaneous_effort", True, None, _DRIVING["not_when"], None)
        else:
            pressure = plateau - peep
            sheet.because("driving_pressure", pressure, str(_WORSE), _DRIVING["source"], None)
    volume = sheet.number("vt_ml", optional=True)
    height = sheet.number("height_cm", optional=True)
    sex = sheet.choice("sex", _WEIGHT, optional=True)
    per_kg: float | None = None
    if volume is not None and height is not None and sex is not None:
        base, slope, from_cm = _WEIGHT[sex]
        predicted = base + slope * (height - from_cm)
        per_kg = volume / predicted if predicted > 0 else None
    return sheet.answer(
        {
            "driving_pressure_cmh2o": pressure,
            "above_15": None if pressure is None else _WORSE.met(pressure),
            "compliance": volume / pressure if volume is not None and pressure else None,
            "vt_ml_kg_pbw": per_kg,
        }
    )


_BERLIN: Final = _ARDS["berlin_2012"]
_GLOBAL: Final = _ARDS["global_2023"]
_ONSET_DAYS: Final = bound(_ARDS["common"])
_PEEP: Final = bound(_BERLIN["needs"])
_HFNO: Final = re.search(r"HFNO >= (\d+)", _GLOBAL["nonintubated"])
_READABLE_SPO2: Final = bound(re.sub(r".*SpO2", "", _GLOBAL["nonintubated"].split(")")[0]))
_GRADES: Final = ("mild", "moderate", "severe")


def _tops(sentence: str) -> tuple[float, ...]:
    """The upper limits of a grade: P/F and, where it stands there, S/F."""
    return tuple(float(figure) for figure in re.findall(r"[PS]/F <= (\d+)", sentence))


def _grade(rows: Mapping[str, str], column: int, ratio: float) -> str | None:
    """The worst grade whose upper limit the ratio does not pass; None above the mildest."""
    found = None
    for grade in _GRADES:
        if ratio <= _tops(rows[grade])[column]:
            found = grade
    return found


def ards(inputs: Mapping[str, Any]) -> Result:
    """`score ards`: whether the bands and conditions of a definition are met, and the category.

    P/F where PaO2 is known; S/F only in the global definition with a readable saturation.
    """
    sheet = Sheet(inputs)
    definition = sheet.choice("definition", _ARDS["sources"], optional=True) or "berlin_2012"
    support = sheet.choice("support", ("none", "hfno", "niv_cpap", "invasive"))
    common = (
        sheet.flag("bilateral") is True
        and sheet.flag("cardiac_explained") is False
        and (onset := sheet.number("onset_days")) is not None
        and _ONSET_DAYS.met(onset)
    )
    ratio, kind = _ratio(sheet, definition)
    category = "none"
    if common and ratio is not None and support is not None:
        column = 0 if kind == "pf" else 1
        if definition == "berlin_2012":
            category = _berlin(sheet, support, ratio)
        else:
            category = _global(sheet, support, ratio, column)
    if category != "none":
        sheet.because("ards", round(ratio or 0, 1), category, _ARDS["sources"][definition], None)
    return sheet.answer({"ards": category != "none", "category": category, "ratio": kind})


def _ratio(sheet: Sheet, definition: str) -> tuple[float | None, str | None]:
    fraction = sheet.number("fio2")
    oxygen = sheet.number("pao2_mmhg", optional=True)
    if fraction and oxygen is not None:
        return oxygen / fraction, "pf"
    saturation = sheet.number("spo2_pct", optional=True)
    if definition == "berlin_2012" or saturation is None:
        sheet.lacks("pao2_mmhg")
        return None, None
    if fraction and _READABLE_SPO2.met(saturation):
        return saturation / fraction, "sf"
    return None, None


def _berlin(sheet: Sheet, support: str, ratio: float) -> str:
    peep = sheet.number("peep_cmh2o")
    if peep is None or not _PEEP.met(peep) or support not in ("invasive", "niv_cpap"):
        return "none"
    grade = _grade(_BERLIN, 0, ratio)
    if grade is None:
        return "none"
    return grade if support == "invasive" else _GRADES[0]


def _global(sheet: Sheet, support: str, ratio: float, column: int) -> str:
    if support == "invasive":
        return _grade(_GLOBAL["intubated"], column, ratio) or "none"
    if ratio > _tops(_GLOBAL["nonintubated"])[column]:
        return "none"
    flow = sheet.number("hfno_l_min", optional=support != "hfno")
    peep = sheet.number("peep_cmh2o", optional=support != "niv_cpap")
    if support == "hfno" and flow is not None and _HFNO and flow >= float(_HFNO[1]):
        return "nonintubated"
    if support == "niv_cpap" and peep is not None and _PEEP.met(peep):
        return "nonintubated"
    limited = sheet.flag("resource_limited", optional=True)
    return "resource_limited" if limited and column == 1 else "none"
