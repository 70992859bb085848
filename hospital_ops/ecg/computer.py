"""The computer's reading of a case's ECG: what `analyse` says, fit for the wire, never a fault.

An analysis that fails must not keep the ECG from its physician: then it says that it failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from hospital_ops.ecg.files.recording import TWELVE_LEADS, EcgRecording, Samples
from hospital_ops.ecg.quality import RULES
from hospital_ops.ecg.twelve import analyse

LONGEST_S: Final = 30.0  # a resting ECG; of a longer one the beginning is read
DAYS_OF_A_YEAR: Final = 365.25
ABOUT: Final = ("age_years", "age_days", "age_band", "age_sub_band", "adult", "sex")
KEPT: Final = ("rhythm", "measurements", "findings", "quality")


def read_by_computer(recording: EcgRecording, facts: Mapping[str, Any]) -> dict[str, Any]:
    """`rhythm`, `measurements`, `findings` (with evidence), `quality`; or `failed`, why not.

    `facts` are the crew's: age and sex change limits; without them the lower limit holds. What was
    known of them is kept as `read_for`.
    """
    count = round(LONGEST_S * recording.rate_hz)
    leads: dict[str, Samples] = {
        name: np.nan_to_num(recording.leads[name][:count])
        for name in TWELVE_LEADS
        if name in recording.leads and np.isfinite(recording.leads[name][:count]).any()
    }
    if not leads:
        return {"failed": "none of the twelve leads was recorded"}
    sex, (years, why) = facts.get("sex"), _age(facts)
    told: dict[str, Any] = {"read_for": about(facts)}
    if recording.low_cut_hz is not None:
        told["low_cut_hz"] = recording.low_cut_hz
    try:
        answer = analyse(
            leads,
            recording.rate_hz,
            age_years=years,
            sex=sex if sex in ("F", "M") else None,
            reduced=monitor_filter(recording) or why,
        )
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError) as problem:
        text = f"the analysis failed ({type(problem).__name__}): read it yourself"
        return {"failed": text, **told}
    return {key: _plain(answer[key]) for key in KEPT if key in answer} | told


def monitor_filter(recording: EcgRecording) -> str | None:
    """Why the recorder's filter allows no statement about ST, if it does not."""
    low = recording.low_cut_hz
    if low is None or low < RULES["monitor_filter"]["low_cut_hz"]:
        return None
    return f"monitor filter, from {low:g} Hz"


def found(reading: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes of the findings that are there, for the triage of the case."""
    findings = reading.get("findings", ())
    return tuple(str(one["code"]) for one in findings if one.get("state") == "found")


def about(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Of what the crew says, that by which a reading differs: age and sex."""
    return {name: facts[name] for name in ABOUT if facts.get(name) is not None}


def _age(facts: Mapping[str, Any]) -> tuple[float | None, str | None]:
    """The exact age in years; else why an estimated one allows no statement about ST, if so."""
    years, days = facts.get("age_years"), facts.get("age_days")
    if isinstance(years, int | float):
        return float(years), None
    if isinstance(days, int | float):
        return days / DAYS_OF_A_YEAR, None
    band, least = facts.get("age_band"), RULES["least_age"]
    if band in RULES["bands"]["child"]:
        return None, f"under {least} years, as estimated"
    if band in RULES["bands"]["may_be_child"] and facts.get("adult") is not True:
        return None, f"perhaps under {least} years: the age is estimated"
    return None, None


def _plain(value: Any) -> Any:
    """The same without numpy's own numbers; what is not finite is nothing."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value
