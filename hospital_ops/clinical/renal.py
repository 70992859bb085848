"""Kidney: KDIGO stages by creatinine and urine, fluid balance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from hospital_ops.clinical.bounds import checked
from hospital_ops.clinical.prose import bound, bounds, numbers
from hospital_ops.clinical.sheet import CannotScore, Result, Sheet
from hospital_ops.clinical.tables import own, table

_AKI: Final = table("scores")["kdigo_aki"]
_URINE: Final = table("icu_indicators")["indicators"]["kdigo_urine"]
_BALANCE: Final = table("scores")["fluid_balance"]
_ANURIA_ML_KG_H: Final[float] = own("inputs")["kdigo_anuria_ml_kg_h"]["value"]

# "1.5-1.9 x baseline or rise >=0.3 mg/dL", "2.0-2.9 x", ">=3.0 x, or rise to >=4.0 mg/dL"
_RATIOS: Final = tuple((int(stage), numbers(text)[0]) for stage, text in _AKI["creatinine"].items())
_RISE: Final = bound(_AKI["creatinine"]["1"])
_HIGH: Final = bounds(_AKI["creatinine"]["3"])[1]
_RISE_STAGE, _HIGHEST_STAGE = _RATIOS[0][0], _RATIOS[-1][0]


def kdigo_aki(inputs: Mapping[str, Any]) -> Result:
    """`score kdigo_aki`: stage 0-3 by creatinine (mg/dL) and urine; the higher counts.

    None where nothing given can raise a stage and creatinine has no baseline to compare with.
    """
    sheet = Sheet(inputs)
    current = sheet.number("current_creatinine", optional=True)
    baseline = sheet.number("baseline_creatinine", optional=True)
    rise = sheet.number("creatinine_increase_48h", optional=True)
    rate = sheet.number("urine_output_ml_kg_h", optional=True)
    hours = sheet.number("urine_output_duration_hours", optional=True)
    stages = {0}
    if sheet.flag("on_rrt", optional=True):
        stages.add(_HIGHEST_STAGE)
    if current is not None and baseline:
        ratio = current / baseline
        stages |= {stage for stage, from_ratio in _RATIOS if ratio >= from_ratio}
    if rise is not None and _RISE.met(rise):
        stages.add(_RISE_STAGE)
    if current is not None and _HIGH.met(current):
        stages.add(_HIGHEST_STAGE)
    if rate is not None and hours is not None:
        stages.add(_by_urine(rate, hours))
    stage = max(stages)
    known = (current is not None and baseline) or (rate is not None and hours is not None)
    if current is None:
        sheet.lacks("current_creatinine")
    if not baseline and rise is None:
        sheet.lacks("baseline_creatinine")
    if stage:
        sheet.because("kdigo_stage", stage, None, _AKI["source"], stage)
    elif not known:
        raise CannotScore("missing_input", "creatinine with a baseline, or urine with its hours")
    return sheet.answer({"stage": stage})


def _by_urine(rate: float, hours: float) -> int:
    """Stage by a mean rate (mL/kg/h) held for so many hours."""
    less_1, less_2, less_3 = (bound(_AKI["urine"][stage]) for stage in ("1", "2", "3"))
    from_1 = numbers(_AKI["urine"]["1"])[1]
    from_2 = bounds(_AKI["urine"]["2"])[1].limit
    _, from_3, no_urine = bounds(_AKI["urine"]["3"])
    if less_3.met(rate) and hours >= from_3.limit:
        return 3
    if rate <= _ANURIA_ML_KG_H and no_urine.met(hours):
        return 3
    if less_2.met(rate) and hours >= from_2:
        return 2
    return 1 if less_1.met(rate) and hours >= from_1 else 0


def kdigo_urine(inputs: Mapping[str, Any]) -> Result:
    """`score kdigo_urine`: stage from hourly volumes (mL, newest last) and weight (kg).

    None with fewer than the hours of the shortest window and no higher stage; an hour that is
    unknown makes the windows that hold it unknown.
    """
    sheet = Sheet(inputs)
    weight = sheet.need("weight_kg")
    hourly = inputs.get("hourly_ml")
    if not isinstance(hourly, list):
        raise CannotScore("missing_input", "hourly_ml must be a list of volumes in mL")
    volumes = [checked("urine_ml", volume)[0] for volume in hourly]
    if None in volumes:
        sheet.lacks("hourly_ml")
    stages = _URINE["stages"]
    found: int | None = None
    first_hours = int(numbers(stages["1"])[1])
    rate = _rate(volumes, first_hours, weight)
    if rate is not None:
        found = 1 if rate < numbers(stages["1"])[0] else 0
    limit, hours = numbers(stages["2"])
    mean = _rate(volumes, int(hours), weight)
    if mean is not None and mean < limit:
        found = 2
    limit, hours, dry_hours = numbers(stages["3"])
    mean, dry = _rate(volumes, int(hours), weight), _rate(volumes, int(dry_hours), weight)
    if (mean is not None and mean < limit) or dry == 0:
        found = 3
    if found is None:
        sheet.lacks("hourly_ml")
    elif found:
        sheet.because("kdigo_urine", rate, None, _URINE["source"], found)
    return sheet.answer({"stage": found, "ml_kg_h_6h": rate})


def _rate(volumes: Sequence[float | None], hours: int, weight: float) -> float | None:
    """Mean mL/kg/h of the last `hours`, None where one is missing or unknown."""
    window = volumes[-hours:]
    known = [volume for volume in window if volume is not None]
    return sum(known) / hours / weight if len(known) == hours else None


_ML_PER_KG: Final = 1000


def fluid_balance(inputs: Mapping[str, Any]) -> Result:
    """`score fluid_balance`: balance (mL), urine per kg and hour, overload of the weight (%)."""
    sheet = Sheet(inputs)
    total_in, urine = sheet.number("total_in_ml"), sheet.number("urine_ml")
    weight, hours = sheet.number("weight_kg"), sheet.number("time_since_void_h")
    balance = total_in - urine if total_in is not None and urine is not None else None
    rate = urine / weight / hours if urine is not None and weight and hours and hours > 0 else None
    overload = 100 * balance / weight / _ML_PER_KG if balance is not None and weight else None
    flag = bound(_BALANCE["flag"])
    if overload is not None and flag.met(overload):
        sheet.because("fluid_overload", round(overload, 1), str(flag), _BALANCE["formula"], None)
    return sheet.answer({"balance_ml": balance, "urine_ml_kg_h": rate, "overload_pct": overload})
