"""The course of a day from what the archive holds: SOFA of two windows, then the shared rule.

Window: worst value in the 24 h to the report time against the 24 h before (clinical/dynamics.md).
An organ without a value in a window is unknown there, never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clinical.dynamics import ORGANS, dynamics
from hospital_ops.clinical.organ_failure import sofa
from hospital_ops.clock import SECOND
from notify.condition import GCS, RASS, VENT
from notify.figures import Readings

DAY: Final = 24 * 3600 * SECOND
PAO2, FIO2 = "2703-7", "3150-0"
MEAN: Final = ("76214-6", "8478-0")
PRESSORS: Final = ("dopamine", "dobutamine", "epinephrine", "norepinephrine")
PLATELETS, BILIRUBIN, CREATININE = "777-3", "14631-6", "14682-9"


def assess(
    readings: Readings,
    now: int,
    admitted_at: int,
    *,
    treatment_limited: bool = False,
    facts: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The proposal: the answer of the shared rule, with `organs_prev` and `organs_today` beside.

    `readings` are usable ones of the last 48 h; `facts` are further inputs of the rule
    (`new_organ_support`, `support_stopped_documented` ...) that a person or an order documented.
    """
    before = organs([r for r in readings if now - 2 * DAY < r.at <= now - DAY])
    today = organs([r for r in readings if now - DAY < r.at <= now])
    inputs: dict[str, Any] = {
        "organs_prev": before,
        "organs_today": today,
        "first_24h": now - admitted_at < DAY,
        "treatment_limited": treatment_limited,
        "new_organ_support": _new_support(readings, now),
        **(facts or {}),
    }
    return dynamics(inputs) | {"organs_prev": before, "organs_today": today}


def organs(readings: Readings) -> dict[str, int | None]:
    """SOFA points of a window by organ from its worst values; None where nothing is known."""
    inputs = _worst(readings)
    points = sofa(inputs)["components"]
    known = {
        "resp": "pf_mmhg" in inputs,
        "coag": "platelets_10e9_l" in inputs,
        "liver": "bilirubin_umol_l" in inputs,
        "cv": "map_mmhg" in inputs or any(drug in inputs for drug in PRESSORS),
        "cns": "gcs" in inputs,
        "renal": "creatinine_umol_l" in inputs,
    }
    return {organ: points[organ] if known[organ] else None for organ in ORGANS}


def _worst(readings: Readings) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    values: dict[str, list[tuple[int, float]]] = {}
    for reading in readings:
        if isinstance(reading.value, int | float):
            values.setdefault(reading.code, []).append((reading.at, float(reading.value)))
    for name, code, pick in (
        ("platelets_10e9_l", PLATELETS, min),
        ("bilirubin_umol_l", BILIRUBIN, max),
        ("creatinine_umol_l", CREATININE, max),
        ("gcs", GCS, min),
        *((drug, drug, max) for drug in PRESSORS),
    ):
        if code in values:
            inputs[name] = pick(value for _, value in values[code])
    if any(value < 0 for _, value in values.get(RASS, ())):
        inputs.pop("gcs", None)  # a GCS under sedation says nothing about the brain
    means = [value for code in MEAN for _, value in values.get(code, ())]
    if means:
        inputs["map_mmhg"] = min(means)
    ratios = _ratios(values.get(PAO2, []), values.get(FIO2, []))
    if ratios:
        inputs["pf_mmhg"] = min(ratios)
        inputs["resp_support"] = any(
            r.code == VENT and str(r.value) in ("invasive", "niv") for r in readings
        )
    return inputs


def _ratios(oxygen: list[tuple[int, float]], fractions: list[tuple[int, float]]) -> list[float]:
    """P/F with the oxygen fraction (per cent) that held when the sample was taken."""
    found = []
    for at, pressure in oxygen:
        earlier = [part for part in fractions if part[0] <= at]
        if earlier:
            found.append(pressure / (max(earlier)[1] / 100))
    return found


def _new_support(readings: Readings, now: int) -> bool:
    """Ventilation or a vasopressor documented today that was documented absent the day before."""
    today = [r for r in readings if r.at > now - DAY]
    before = [r for r in readings if r.at <= now - DAY]
    ventilated = _ventilated(today) and bool(before) and not _ventilated(before)
    pressors = {r.code for r in today if _running(r)} - {r.code for r in before if _running(r)}
    return bool(before) and (ventilated or bool(pressors))


def _ventilated(readings: Readings) -> bool:
    return any(r.code == VENT and str(r.value) in ("invasive", "niv") for r in readings)


def _running(reading: Any) -> bool:
    value = reading.value
    return reading.code in PRESSORS and isinstance(value, int | float) and value > 0
