"""Every clinical score by its name: one call, one answer, no exception for a patient's data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from hospital_ops.clinical import (
    apache2,
    circulation,
    consciousness,
    dynamics,
    early_warning,
    ecg_rules,
    news2,
    organ_failure,
    renal,
    respiration,
    sepsis,
)
from hospital_ops.clinical.sheet import CannotScore, Result

Score = Callable[[Mapping[str, Any]], Result]

SCORES: Final[dict[str, Score]] = {
    "apache2_item": apache2.apache2_item,
    "apache2_points": apache2.apache2_points,
    "ards": respiration.ards,
    "driving_pressure": respiration.driving_pressure,
    "dynamics": dynamics.dynamics,
    "ecg_leads": ecg_rules.ecg_leads,
    "esi_danger_zone": early_warning.esi_danger_zone,
    "fluid_balance": renal.fluid_balance,
    "gcs": consciousness.gcs,
    "gcs_paediatric": consciousness.gcs_paediatric,
    "kdigo_aki": renal.kdigo_aki,
    "kdigo_urine": renal.kdigo_urine,
    "lactate_clearance": circulation.lactate_clearance,
    "map": circulation.map_,
    "mews": early_warning.mews,
    "news2": news2.news2,
    "oxygenation_index": respiration.oxygenation_index,
    "pews_brighton": early_warning.pews_brighton,
    "pf_ratio": respiration.pf_ratio,
    "qsofa": early_warning.qsofa,
    "qtc": ecg_rules.qtc,
    "rox": respiration.rox,
    "sepsis_bundle": sepsis.sepsis_bundle,
    "sgarbossa_modified": ecg_rules.sgarbossa_modified,
    "shock_index": circulation.shock_index,
    "sipa": circulation.sipa,
    "sirs": early_warning.sirs,
    "sofa": organ_failure.sofa,
    "sofa2": organ_failure.sofa2,
    "stemi": ecg_rules.stemi,
    "tews": early_warning.tews,
    "vis": circulation.vis,
}


def score(name: str, inputs: Any, scores: Mapping[str, Score] = SCORES) -> Result:
    """The answer of score `name` for these inputs (keys with their unit, as the vectors).

    What cannot be scored is {"error": code, "detail": what to do}. Raises KeyError for a name
    that is no score; `scores` may add those of other rooms.
    """
    found = scores[name]
    if not isinstance(inputs, Mapping):
        return {"error": "not_an_object", "detail": "one JSON object of inputs a line is expected"}
    try:
        return found(inputs)
    except CannotScore as problem:
        return {"error": problem.code, "detail": problem.detail}
