"""From a pre-arrival case to the inputs of the engine: the newest known of everything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.board import Shown

# Key of the engine's vitals to keys of clinical/codes.json, the first that is known counts.
SOURCES: Final[dict[str, tuple[str, ...]]] = {
    "hr_bpm": ("hr", "pr"),
    "rr_bpm": ("rr",),
    "spo2_pct": ("spo2",),
    "temp_c": ("temp",),
    "sbp_mmhg": ("nibp_sys", "abp_sys"),
    "dbp_mmhg": ("nibp_dia", "abp_dia"),
    "avpu": ("avpu",),
    "gcs": ("gcs",),
}
FACTS: Final = (
    "age_years",
    "age_days",
    "age_band",
    "age_sub_band",
    "adult",
    "sex",
    "pregnant",
    "complaint",
    "not_measurable",
    "spo2_scale",
    "pews_brighton",
    "ecg_findings",
)


def engine_inputs(facts: Mapping[str, Any], values: Mapping[str, Shown]) -> dict[str, Any]:
    """The `inputs` object of the command `triage`; invalid values are left out, so missing."""
    inputs: dict[str, Any] = {key: facts[key] for key in FACTS if facts.get(key) is not None}
    if facts.get("signs") is not None:  # absent: nobody has looked yet, which is not "none"
        inputs["signs"] = sorted(facts["signs"])
    vitals: dict[str, Any] = {}
    for vital, sources in SOURCES.items():
        known = [values[code] for code in map(_code, sources) if code in values]
        usable = [v for v in known if v.validity != "Inv" and v.value is not None]
        if usable:
            vitals[vital] = max(usable, key=lambda shown: shown.at).value
    if facts.get("on_oxygen") is not None:
        vitals["on_oxygen"] = facts["on_oxygen"]
    inputs["vitals"] = vitals
    return inputs


def _code(key: str) -> str:
    return codes.by_key[key].code
