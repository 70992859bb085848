"""SOFA (as printed in Singer 2016) and SOFA-2 (one encoding only: behind a switch)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hospital_ops.clinical.bands import falling
from hospital_ops.clinical.prose import Bound, bound, bounds, numbers
from hospital_ops.clinical.sheet import Result, Sheet
from hospital_ops.clinical.tables import table

_SOFA: Final = table("scores")["sofa"]
_SOFA2: Final = table("scores")["sofa2"]
_SOURCE: Final = _SOFA["source"]


class _Dose(NamedTuple):
    """One drug of a row of the cardiovascular table; no bound: any dose."""

    drug: str
    limit: Bound | None


def _doses(text: str) -> tuple[_Dose, ...]:
    found = re.findall(
        r"(dopamine|epinephrine|norepinephrine|dobutamine)\s*(any|[<>]=?[\d.]+)", text
    )
    return tuple(_Dose(drug, None if what == "any" else bound(what)) for drug, what in found)


_PRESSORS: Final = tuple(
    (row["score"], _doses(row["when"]))
    for row in _SOFA["cardiovascular"]
    if not row["when"].startswith("MAP")
)
_LOW_MAP, _LOW_MAP_POINTS = next(
    (bound(row["when"]), row["score"])
    for row in _SOFA["cardiovascular"]
    if row["when"].startswith("MAP <")
)


def sofa(inputs: Mapping[str, Any]) -> Result:
    """`score sofa`: six components 0-4 and their sum, worst values of 24 h as given.

    A component without its value counts 0, is listed missing, and the total is `incomplete`. Each
    figure is scored in the unit it came in. Without respiratory support P/F gives at most 2.
    """
    sheet = Sheet(inputs)
    parts = {
        "resp": _respiration(sheet),
        "coag": _row(sheet, "platelets_10e9_l", _SOFA["platelets_10e9_l"]),
        "liver": _either(sheet, "bilirubin"),
        "cv": _cardiovascular(sheet),
        "cns": _row(sheet, "gcs", _SOFA["gcs"]),
        "renal": _renal(sheet),
    }
    return sheet.answer(
        {
            "total": sum(parts.values()),
            "components": parts,
            "incomplete": bool(sheet.missing),
        }
    )


def _row(sheet: Sheet, key: str, rows: Any, *, optional: bool = False) -> int:
    value = sheet.number(key, optional=optional)
    points = 0 if value is None else falling(rows, value)
    if points:
        sheet.because(f"sofa_{key}", value, None, _SOURCE, points)
    return points


def _either(sheet: Sheet, name: str) -> int:
    """A value that comes in mg/dL or umol/L; the columns of the table are no exact conversions."""
    keys = (f"{name}_mg_dl", f"{name}_umol_l")
    given = [key for key in keys if sheet.inputs.get(key) is not None]
    if not given:
        sheet.lacks(keys[0])
        return 0
    return max(_row(sheet, key, _SOFA[key]) for key in given)


def _respiration(sheet: Sheet) -> int:
    ratio = sheet.number("pf_mmhg", optional=True)
    if ratio is None:
        oxygen, fraction = (
            sheet.number("pao2_mmhg", optional=True),
            sheet.number("fio2", optional=True),
        )
        if oxygen is None or not fraction:
            sheet.lacks("pf_mmhg")
            return 0
        ratio = oxygen / fraction
    points = falling(_SOFA["respiration_pf_mmhg"], ratio)
    if not sheet.flag("resp_support", optional=True):
        points = min(points, _SOFA["pf_without_support_cap"])
    if points:
        sheet.because("sofa_pf_mmhg", round(ratio, 1), None, _SOURCE, points)
    return points


def _cardiovascular(sheet: Sheet) -> int:
    drugs = ("dopamine", "dobutamine", "epinephrine", "norepinephrine")
    given = {drug: sheet.number(drug, optional=True) for drug in drugs}
    for points, doses in _PRESSORS:
        for drug, limit in doses:
            dose = given[drug]
            if dose and (limit is None or limit.met(dose)):
                sheet.because(f"sofa_{drug}", dose, str(limit or "any"), _SOURCE, points)
                return int(points)
    pressure = sheet.number("map_mmhg", optional=any(dose for dose in given.values()))
    if pressure is not None and _LOW_MAP.met(pressure):
        sheet.because("sofa_map_mmhg", pressure, str(_LOW_MAP), _SOURCE, _LOW_MAP_POINTS)
        return int(_LOW_MAP_POINTS)
    return 0


def _renal(sheet: Sheet) -> int:
    urine = sheet.number("urine_ml_24h", optional=True)
    by_urine = 0 if urine is None else falling(_SOFA["urine_ml_24h"], urine)
    if by_urine:
        sheet.because("sofa_urine_ml_24h", urine, None, _SOURCE, by_urine)
    keys = ("creatinine_mg_dl", "creatinine_umol_l")
    if urine is not None and not any(sheet.inputs.get(key) is not None for key in keys):
        return by_urine
    return max(by_urine, _either(sheet, "creatinine"))


def _cells(text: str) -> list[tuple[str, int]]:
    """ "<=300:1; <=225:2" as [("<=300", 1), ("<=225", 2)]."""
    found = []
    for cell in text.split(";"):
        condition, _, points = cell.strip().rpartition(":")
        if "(" in condition + points:
            condition, _, points = cell.split("(")[0].strip().rpartition(":")
        found.append((condition, int(points)))
    return found


def sofa2(inputs: Mapping[str, Any]) -> Result:
    """`score sofa2`: the components whose inputs are given, and their sum as a lower bound.

    One encoding of the table stands behind it: the answer says `verify`.
    """
    sheet = Sheet(inputs)
    found = {
        "brain": _brain2(sheet),
        "respiratory": _respiratory2(sheet),
        "cardiovascular": _cardiovascular2(sheet),
        "liver": _highest(sheet, "bilirubin_mg_dl", _SOFA2["liver_mg_dl"]),
        "kidney": _kidney2(sheet),
        "hemostasis": _highest(sheet, "platelets_10e9_l", _SOFA2["platelets"]),
    }
    parts = {name: points for name, points in found.items() if points is not None}
    for name, points in parts.items():
        if points:
            sheet.because(f"sofa2_{name}", None, None, _SOFA2["source"], points)
    return sheet.answer(
        {
            "total": sum(parts.values()),
            "components": parts,
            "incomplete": len(parts) < len(found),
            "verify": True,
        }
    )


def _highest(sheet: Sheet, key: str, text: str) -> int | None:
    value = sheet.number(key)
    if value is None:
        return None
    return max((points for cell, points in _cells(text) if bounds(cell)[0].met(value)), default=0)


def _brain2(sheet: Sheet) -> int | None:
    drug = sheet.flag("delirium_drug", optional=True)
    value = sheet.number("gcs", optional=bool(drug))
    if value is None:
        return 1 if drug else None
    for cell, points in _cells(_SOFA2["brain"]):
        edges = numbers(cell)
        if edges[0] <= value <= edges[-1]:
            return max(points, 1 if drug else 0)
    return None


def _respiratory2(sheet: Sheet) -> int | None:
    cells = _cells(_SOFA2["resp_pf"])
    if sheet.flag("ecmo", optional=True):
        return cells[-1][1]
    ratio = sheet.number("pf_mmhg")
    if ratio is None:
        return None
    support = sheet.flag("advanced_support", optional=True)
    return max(
        points
        for cell, points in cells
        if bounds(cell)[0].met(ratio) and (support or "support" not in cell)
    )


def _cardiovascular2(sheet: Sheet) -> int | None:
    normal, low, *pressors = _cells(_SOFA2["cardio"])
    dose = sheet.number("ne_plus_epi", optional=True)
    if dose:
        return (
            max(points for cell, points in pressors if bounds(cell)[0].met(dose))
            if any(bounds(cell)[0].met(dose) for cell, _ in pressors)
            else low[1]
        )
    pressure = sheet.number("map_mmhg")
    if pressure is None:
        return None
    return normal[1] if bound(normal[0]).met(pressure) else low[1]


def _kidney2(sheet: Sheet) -> int | None:
    *cells, replacement = _cells(_SOFA2["kidney"])
    if sheet.flag("rrt", optional=True):
        return replacement[1]
    creatinine = sheet.number("creatinine_mg_dl", optional=True)
    rates = [sheet.number(f"uo_{hours}h_ml_kg_h", optional=True) for hours in (6, 12, 24)]
    if creatinine is None and all(rate is None for rate in rates):
        sheet.lacks("creatinine_mg_dl")
        return None
    best = 0
    passed = creatinine is not None
    for (cell, points), rate in zip(cells, [None, *rates], strict=True):
        by_creatinine, _, by_urine = cell.partition(" or ")
        if rate is not None and by_urine and bounds(by_urine)[0].met(rate):
            best = max(best, points)
        if passed and creatinine is not None and bounds(by_creatinine)[0].met(creatinine):
            best, passed = max(best, points), False
    return best
