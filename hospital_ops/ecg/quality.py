"""Can this ECG be read: leads off, saturated, unsteady, noisy, and a limb-lead swap.

One score for the whole recording (lower is better), one state for each lead with the reason.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np

from hospital_ops.ecg.hops import Array

RULES: Final[dict[str, Any]] = json.loads(
    (resources.files("hospital_ops.ecg") / "twelve.json").read_text(encoding="utf-8")
)
_RULE: Final = RULES["quality"]
_FLAT_S: Final = 0.2
_LEVEL_S: Final = 0.6
_STEP_S: Final = 0.1
_NOISE_S: Final = 0.002  # second differences over this long: muscle and mains


@dataclass(frozen=True, slots=True)
class LeadQuality:
    """State of one lead: "good", "noisy", "unsteady", "saturated" or "off"."""

    state: str
    flat_share: float
    step_mv: float
    noise_mv: float


@dataclass(frozen=True, slots=True)
class Quality:
    """The recording: `score` rises with faults; `reasons` say why it is not acceptable."""

    score: float
    acceptable: bool
    leads: dict[str, LeadQuality]
    reasons: tuple[str, ...]

    def trust(self) -> dict[str, float]:
        """A weight per lead for the vote on beats: off or saturated leads have none."""
        weights = {"good": 1.0, "noisy": 0.4, "unsteady": 0.6}
        return {name: weights.get(lead.state, 0.0) for name, lead in self.leads.items()}


def judge(leads: dict[str, Array], rate_hz: float) -> Quality:
    """The quality of an ECG, mV by lead, all of one length of at least one second."""
    found = {name: _lead(values, rate_hz) for name, values in leads.items()}
    sizes = [_size(values, rate_hz) for values in leads.values()]
    score = float(
        np.mean([min(lead.step_mv, _RULE["step_most_mv"]) for lead in found.values()])
        + np.mean([min(lead.noise_mv, _RULE["noise_most_mv"]) for lead in found.values()])
        * _RULE["noise_weight"]
        + (_RULE["huge_points"] if max(sizes) > _RULE["huge_mv"] else 0)
        + (_RULE["flat_points"] if any(lead.state == "off" for lead in found.values()) else 0)
    )
    reasons = [f"{name}: {lead.state}" for name, lead in found.items() if lead.state != "good"]
    acceptable = score < _RULE["acceptable_below"]
    return Quality(score, acceptable, found, () if acceptable else tuple(reasons or ["unsteady"]))


def _lead(values: Array, rate_hz: float) -> LeadQuality:
    gaps = float(np.mean(~np.isfinite(values)))
    values = np.nan_to_num(values)
    piece = max(2, round(_FLAT_S * rate_hz))
    count = max(len(values) // piece, 1)
    pieces = np.resize(values, count * piece).reshape(count, piece)
    flat = max(float(np.mean(np.ptp(pieces, axis=1) < _RULE["flat_range_mv"])), gaps)
    level = _moving(values, max(1, round(_LEVEL_S * rate_hz)))[:: max(1, round(_STEP_S * rate_hz))]
    step = float(np.abs(np.diff(level)).max(initial=0.0))
    lag = max(1, round(_NOISE_S * rate_hz))
    bends = values[2 * lag :] - 2 * values[lag:-lag] + values[: -2 * lag]
    # At lower rates the lag is longer, and the same wave bends more within it.
    scale = (_NOISE_S * rate_hz / lag) ** 2
    noise = float(np.quantile(np.abs(bends), 0.95) * scale) if len(bends) else 0.0
    edge = max(float(values.max()), -float(values.min()))
    stuck = float(np.mean(np.abs(values) >= edge - 1e-9)) if edge > 1 else 0.0
    state = "good"
    if flat > _RULE["flat_share"]:
        state = "off"
    elif stuck > _RULE["saturated_share"]:
        state = "saturated"
    elif noise > _RULE["noisy_mv"]:
        state = "noisy"
    elif step > _RULE["step_mv"]:
        state = "unsteady"
    return LeadQuality(state, flat, step, noise)


def _size(values: Array, rate_hz: float) -> float:
    """The usual range within a second, mV, without the slow level."""
    values = np.nan_to_num(values)
    level = _moving(values, max(1, round(_LEVEL_S * rate_hz)))
    start = (len(values) - len(level)) // 2
    steady = values[start : start + len(level)] - level
    piece = min(round(rate_hz), len(steady))
    count = max(len(steady) // max(piece, 1), 1)
    ranges = np.ptp(np.resize(steady, count * piece).reshape(count, piece), axis=1)
    return float(np.median(ranges))


def _moving(values: Array, length: int) -> Array:
    length = min(length, max(len(values) - 1, 1))
    sums = np.cumsum(np.concatenate([[0.0], values]))
    return np.asarray((sums[length:] - sums[:-length]) / length)


def calibrated(leads: dict[str, Array]) -> bool:
    """Whether I + III = II holds (ecg.json): if not, one gain or electrode is wrong.

    True where the three are not all there: then nothing speaks against it.
    """
    if not {"I", "II", "III"} <= leads.keys():
        return True
    one, two, three = (np.nan_to_num(leads[name]) for name in ("I", "II", "III"))
    rest, whole = np.std(one + three - two), np.std(two)
    return bool(rest <= RULES["calibration"]["residual_share_max"] * max(float(whole), 0.05))
