"""What may be a heart beat: peaks of QRS energy, described by numbers that a rule can weigh.

A candidate is the highest point of the envelope within the refractory time on both sides. Each is
compared with its own lead around it: height against the reference, shape against the template,
time against its neighbours. The weights of the rule are in `beats.json` with how they were made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from importlib import resources
from typing import Any, Final

import numpy as np

from hospital_ops.ecg.hops import Array, quantile

SETTING: Final[dict[str, Any]] = json.loads(
    (resources.files("hospital_ops.ecg") / "beats.json").read_text(encoding="utf-8")
)
_RULE: Final = SETTING["rule"]
WEIGHTS: Final = np.array([_RULE["weights"][name] for name in _RULE["features"]])
BIAS: Final = float(_RULE["bias"])
_FAR_S: Final = 3.0  # neighbours farther away than this say nothing about a beat
_HOPS_BACK: Final = 11  # intervals are remembered for this many seconds
_CLOSE_S: Final = 0.42  # a T wave follows its QRS within this
_USUAL_RR_S: Final = 0.8  # before any interval is known


@dataclass(slots=True)
class Candidates:
    """Candidates of many leads as columns, ordered by lead and time."""

    lead: Array
    at: Array  # position at the inner rate
    hop: Array  # its second
    height: Array  # envelope in mV; once the reference is known, relative to it
    shape: Array  # logarithm of the mean frequency of the wave, 1/s
    peak: Array  # position of the largest deflection at the inner rate
    wave: Array  # the wave around it, length one, (n, width)
    strong: Array  # high enough to be compared with

    def __len__(self) -> int:
        return len(self.at)

    def take(self, chosen: Array) -> Candidates:
        """Those that `chosen` (mask or indices) names."""
        return Candidates(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def joined(self, more: Candidates) -> Candidates:
        """Both together, ordered by lead and time."""
        both = Candidates(
            *(
                np.concatenate([getattr(self, field.name), getattr(more, field.name)])
                for field in fields(self)
            )
        )
        order = np.lexsort((both.at, both.lead))
        return both.take(order)


def nothing(width: int) -> Candidates:
    """No candidates, of waves `width` wide."""
    whole, real = np.empty(0, np.int64), np.empty(0)
    return Candidates(
        whole, whole, whole, real, real, whole, np.empty((0, width)), np.empty(0, bool)
    )


def _clip(values: Array, low: float, high: float) -> Array:
    return np.minimum(np.maximum(values, low), high)


@dataclass(slots=True)
class Surroundings:
    """What the second of each candidate says: one number per candidate."""

    likeness: Array  # correlation with the template of the lead
    likeness_around: Array  # mean of the same over the last seconds
    shape: Array  # mean `shape` around
    floor: Array  # activity between the beats, relative to the reference


def features(asked: Candidates, known: Candidates, around: Surroundings, rate: float) -> Array:
    """The numbers of the rule for each candidate of `asked`, (n, features) as in beats.json.

    `known` are the strong candidates of the leads around them, ordered; `rate` the inner one, Hz.
    """
    before, after, previous, interval = _neighbours(asked, known, rate)
    level = np.log(np.maximum(asked.height, 0.05))
    earlier = np.where(previous >= 0, np.log(np.maximum(known.height[previous], 0.05)), level)
    shape_before = np.where(previous >= 0, known.shape[previous], asked.shape)
    early = _clip(np.log(before / interval), -1.2, 0.5)
    late = _clip(np.log(after / interval), -1.2, 0.5)
    span = _clip(np.log((before + after) / interval), -0.5, 0.7)
    odd = _clip(np.abs(asked.shape - around.shape), 0, 0.6)
    blunter = _clip(asked.shape - shape_before, -0.7, 0.7)
    lower = _clip(level - earlier, -1.5, 1.0)
    close = before < _CLOSE_S
    noise = _clip((around.floor - 0.08) / 0.15, 0, 1)
    tall = _clip(level, -1.6, 0.3)
    columns = [
        tall,
        _clip(level, -1.6, -0.5),
        around.likeness,
        np.maximum(around.likeness, 0.7),
        odd,
        close * np.minimum(lower, 0),
        close * np.minimum(blunter, 0),
        around.likeness_around,
        noise,
        *(noise * each for each in (early, late, span, around.likeness, tall, odd)),
        noise * blunter,
        noise * lower,
    ]
    return np.stack(columns, axis=1)


def _neighbours(
    asked: Candidates, known: Candidates, rate: float
) -> tuple[Array, Array, Array, Array]:
    """Seconds to the strong neighbours, the earlier one's index (-1: none), the usual interval."""
    far = int(_FAR_S * rate)
    stride = int(max(known.at.max(initial=0), asked.at.max(initial=0))) + 4 * far
    keys = known.lead * stride + known.at
    own = asked.lead * stride + asked.at
    place = np.searchsorted(keys, own)
    after = place + asked.strong
    previous, following = place - 1, np.minimum(after, len(keys) - 1)
    if not len(keys):
        none = np.full(len(own), _FAR_S)
        return none, none, np.full(len(own), -1), np.full(len(own), _USUAL_RR_S)
    gap_before = own - keys[np.maximum(previous, 0)]
    has_before = (previous >= 0) & (gap_before < far)
    gap_after = keys[following] - own
    seen = known.hop[following] <= asked.hop + 1  # later ones are not decided on yet
    has_after = (after < len(keys)) & (gap_after < far) & (gap_after > 0) & seen
    before = np.where(has_before, gap_before / rate, _FAR_S)
    later = np.where(has_after, gap_after / rate, _FAR_S)
    return before, later, np.where(has_before, previous, -1), _usual(asked, known, place, rate)


def _usual(asked: Candidates, known: Candidates, place: Array, rate: float) -> Array:
    """The upper quartile of the intervals around each candidate, seconds."""
    ends = place[:, None] + np.arange(-9, 4)
    inside = (ends >= 1) & (ends < len(known))
    end = np.clip(ends, 1, max(len(known) - 1, 1))
    if len(known) < 2:
        return np.full(len(asked), _USUAL_RR_S)
    lead, hop = asked.lead[:, None], asked.hop[:, None]
    inside &= (known.lead[end] == lead) & (known.lead[end - 1] == lead)
    inside &= (known.hop[end] <= hop + 1) & (known.hop[end - 1] >= hop - _HOPS_BACK)
    intervals = np.where(inside, (known.at[end] - known.at[end - 1]) / rate, np.inf)
    return np.asarray(quantile(intervals, 0.75, _USUAL_RR_S))
