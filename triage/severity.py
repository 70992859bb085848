"""Urgency: one number that orders patients across colours and within one.

The colour decides first (`urgency.json`, floor). Within it every term only ever adds: criteria
met, points of the NEWS2 bands (read between the printed edges as a line, so that each step
counts), distance from the child limits, depth of consciousness, what could not be measured. A
missing value adds a hair, a worse value always adds at least as much as a better one.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import Final

from hospital_ops.clinical import news2
from hospital_ops.clinical.bands import Bands
from hospital_ops.clinical.tables import at, table
from triage import net
from triage.age import Age
from triage.chart import INCOMPLETE, limits_at
from triage.patient import Patient

_TABLE: Final = at("triage/urgency")
_FLOOR: Final[dict[str, float]] = _TABLE["floor"]
_SPAN: Final[float] = _TABLE["span"]
_HALF: Final[float] = _TABLE["half"]
W: Final[dict[str, float]] = _TABLE["weights"]
_WITHOUT_AGE: Final = "incomplete_without_age"


class Line:
    """The points of a banded parameter as a line through its printed edges."""

    __slots__ = ("_slopes", "_starts", "_values")

    def __init__(self, bands: Bands) -> None:
        rows = bands.rows
        normal = next(place for place, row in enumerate(rows) if row["score"] == 0)
        last = next(
            len(rows) - 1 - place for place, row in enumerate(rows[::-1]) if row["score"] == 0
        )
        below = [(row["max"], row["score"]) for row in rows[:normal]]
        above = [(row["min"], row["score"]) for row in rows[last + 1 :]]
        knots: list[tuple[float, float]] = list(below)
        if below:
            knots.append((rows[normal]["min"], 0))
        if above:
            knots += [(rows[last]["max"], 0), *above]
        self._starts, self._values, self._slopes = _segments(knots, bool(below), bool(above))

    def __call__(self, value: float) -> float:
        """Points at `value`, between bands in proportion, beyond the last band still rising."""
        place = bisect_right(self._starts, value) - 1
        return self._values[place] + self._slopes[place] * (value - self._starts[place])


def _segments(
    knots: list[tuple[float, float]], below: bool, above: bool
) -> tuple[list[float], list[float], list[float]]:
    """Start, value at the start and slope of each straight piece, from far below to far above."""
    far = 1e6
    tail = W["beyond_last_band"]
    starts, values, slopes = [-far], [0.0], [0.0]
    if below:
        (lowest, points), (zero, _) = knots[0], _first_zero(knots)
        slope = -tail * points / (zero - lowest)
        values[0], slopes[0] = points - slope * (lowest + far), slope
    for (left, from_points), (right, to_points) in pairwise(knots):
        if right > left:
            starts.append(left)
            values.append(from_points)
            slopes.append((to_points - from_points) / (right - left))
    highest, points = knots[-1]
    starts.append(highest)
    values.append(points)
    zero = _first_zero(knots[::-1])[0]
    slopes.append(tail * points / (highest - zero) if above else 0.0)
    return starts, values, slopes


def _first_zero(knots: list[tuple[float, float]]) -> tuple[float, float]:
    return next(knot for knot in knots if knot[1] == 0)


_RR: Final = Line(news2.RR)
_HR: Final = Line(news2.HR)
_SBP: Final = Line(news2.SBP)
_TEMPERATURE: Final = Line(news2.TEMPERATURE)
_SATURATION: Final = {
    (scale, oxygen): Line(news2.saturation_bands(scale, oxygen))
    for scale in (1, 2)
    for oxygen in (None, False, True)
}
_LINES: Final = (("rr_bpm", _RR), ("hr_bpm", _HR), ("sbp_mmhg", _SBP), ("temp_c", _TEMPERATURE))
_GCS: Final[dict[str, int]] = table("scores")["avpu_gcs"]["median_gcs"]
_FULL_GCS: Final = max(_GCS.values())
_AVPU: Final = {
    word: W["news2_point"] * points + W["gcs_point"] * (_FULL_GCS - _GCS.get(word, _FULL_GCS))
    for word, points in news2.ACVPU.items()
}
_OXYGEN: Final = news2.OXYGEN["oxygen"]
# A fall of GCS counts as much as the same answer on AVPU would.
_GCS_WEIGHT: Final = max(_AVPU.values()) / (_FULL_GCS - min(_GCS.values()))


def of_vitals(patient: Patient, age: Age) -> float:
    """How far the vitals stand from normal at this age; 0 for all normal or missing."""
    numbers = patient.numbers
    if age.adult_chart:
        distance = 0.0
        for key, line in _LINES:
            value = numbers[key]
            if value is not None:
                distance += line(value)
        saturation = numbers["spo2_pct"]
        if saturation is not None:
            distance += _SATURATION[patient.spo2_scale, patient.on_oxygen](saturation)
        if patient.on_oxygen:
            distance += _OXYGEN
        distance *= W["news2_point"]
    else:
        distance = _of_child(patient, age)
    awareness = _AVPU[patient.avpu] if patient.avpu is not None else 0.0
    gcs = numbers["gcs"]
    if gcs is not None:
        awareness = max(awareness, _GCS_WEIGHT * (_FULL_GCS - gcs))
    return distance + awareness


def _of_child(patient: Patient, age: Age) -> float:
    numbers = patient.numbers
    distance = W["news2_point"] * _OXYGEN if patient.on_oxygen else 0.0
    for key, low, high in limits_at(age):
        distance += _outside(numbers[key], low, high)
    distance += _outside(numbers["sbp_mmhg"], net.hypotension_limit(age), None)
    if patient.pews is not None:
        distance += W["pews_point"] * net.pews(patient.pews)[0]
    return distance


def _outside(value: float | None, low: float | None, high: float | None) -> float:
    if value is None:
        return 0.0
    if low is not None and value < low:
        return W["child_vital_outside"] + W["child_vital_per_limit"] * (low - value) / low
    if high is not None and value > high:
        return W["child_vital_outside"] + W["child_vital_per_limit"] * (value - high) / high
    return 0.0


def urgency(colour: str, age_known: bool, weight: float) -> float:
    """The number boards sort by; `weight` is the sum of all terms, from 0 upwards."""
    floor = _FLOOR[_WITHOUT_AGE if colour == INCOMPLETE and not age_known else colour]
    return round(floor + _SPAN * weight / (weight + _HALF), 4)
