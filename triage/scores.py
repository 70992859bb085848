"""`score iitt`, `score safety_net` and `score age_unknown`: the triage rules one at a time.

They answer with the keys of their vectors' `expected`, and `missing`, `reasons`, `warnings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from triage.chart import STEP_3_KEYS
from triage.engine import assess

Result = dict[str, Any]

_CHART_ASKS: Final = frozenset({*STEP_3_KEYS, "avpu", "signs", "age"})


def iitt(inputs: Mapping[str, Any]) -> Result:
    """The chart alone: colour, criteria, review_required (a step-3 vital or an ECG finding)."""
    found = assess(inputs)
    own = [reason for reason in found.reasons if "colour" not in reason]
    return {
        "colour": found.colour,
        "criteria": found.criteria,
        "review_required": any(reason["code"].startswith("vital_") for reason in own)
        or "ecg_acute_ischaemia" in found.criteria,
        "colour_if_normal": found.colour_if_normal,
        "missing": [key for key in found.missing if key in _CHART_ASKS],
        "reasons": own,
        "warnings": found.warnings,
    }


def safety_net(inputs: Mapping[str, Any]) -> Result:
    """The net beside the chart: proposed, safety_net_colour (None: silent), review_required."""
    found = assess(inputs)
    return {
        "proposed": found.proposed,
        "safety_net_colour": found.net_colour,
        "review_required": found.review_required,
        "missing": found.missing,
        "reasons": found.net_reasons,
        "warnings": found.warnings,
    }


def age_unknown(inputs: Mapping[str, Any]) -> Result:
    """The proposal with an estimated or unknown age: the higher of chart and net."""
    found = assess(inputs)
    return {
        "proposed": found.proposed,
        "missing": found.missing,
        "reasons": found.reasons,
        "warnings": found.warnings,
    }


SCORES: Final[dict[str, Callable[[Mapping[str, Any]], Result]]] = {
    "iitt": iitt,
    "safety_net": safety_net,
    "age_unknown": age_unknown,
}
