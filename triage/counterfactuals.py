"""What would change the proposal: the smallest step of each vital, and each missing answer.

Asked on demand, because it judges the patient again at every limit of every table. The limits
are collected from the tables; each is tried at the limit and one step of resolution on either
side, nearest first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from functools import cache
from typing import Any, Final

from hospital_ops.clinical import news2
from hospital_ops.clinical.bounds import BOUNDS
from hospital_ops.clinical.rules import Limit
from triage import age, chart, net
from triage.chart import RANK
from triage.engine import Assessment, judge
from triage.patient import NUMBERS, Patient, read

Change = dict[str, Any]

_NEWS2: Final = {
    "rr_bpm": (news2.RR,),
    "spo2_pct": (news2.SPO2_SCALE_1, news2.SPO2_SCALE_2_AIR, news2.SPO2_SCALE_2_OXYGEN),
    "sbp_mmhg": (news2.SBP,),
    "hr_bpm": (news2.HR,),
    "temp_c": (news2.TEMPERATURE,),
}
_NORMAL_AVPU: Final = next(word for word, points in news2.ACVPU.items() if points == 0)


@cache
def limits_of(key: str) -> tuple[float, ...]:
    """Every limit any table of triage holds for this vital that does not depend on age."""
    found = {edge for bands in _NEWS2.get(key, ()) for edge in bands.edges()}
    rules: list[Limit] = [
        limit
        for one in (chart.ADULT, chart.CHILD)
        for group in (one.red_rules, one.yellow_rules, one.pregnancy_rules)
        for _, rule in group
        for limit in rule.limits
    ]
    found |= {limit.limit for limit in rules if limit.name == key}
    for name, low, high in net.MEWC:
        if name == key:
            found |= {edge for edge in (low, high) if edge is not None}
    if key == "gcs":
        found.add(net.GCS_LIMIT)
    return tuple(sorted(found))


def _limits_for(patient: Patient, key: str) -> set[float]:
    found = set(limits_of(key))
    pressure, rate = patient.numbers["sbp_mmhg"], patient.numbers["hr_bpm"]
    for one in patient.ages.ages:
        for limit in chart.limits_at(one):
            if limit.key == key:
                found |= {edge for edge in (limit.low, limit.high) if edge is not None}
        lowest, index = net.hypotension_limit(one), net.sipa_limit(one)
        if key == "sbp_mmhg" and lowest is not None:
            found.add(lowest)
        if index is not None and key == "hr_bpm" and pressure:
            found.add(float(int(index * pressure)))
        if index is not None and key == "sbp_mmhg" and rate:
            found.add(float(int(rate / index)))
    return found


def _tries(patient: Patient, key: str, origin: float | None) -> Iterator[float]:
    """Values to try, nearest first; with no value yet, from the middle of normal outwards."""
    low, high, *_, step = BOUNDS[key]
    values = {
        round(edge + side * step, 3)
        for edge in _limits_for(patient, key)
        for side in (-1, 0, 1)
        if low <= edge + side * step <= high
    }
    start = origin if origin is not None else _normal(key)
    yield from sorted(values - {origin}, key=lambda value: (abs(value - start), value))


@cache
def _normal(key: str) -> float:
    """A value in the band without points (the highest GCS for consciousness)."""
    for bands in _NEWS2.get(key, ())[:1]:
        row = next(row for row in bands.rows if row["score"] == 0)
        top = row["max"] if row["max"] is not None else BOUNDS[key].high
        return float(round((row["min"] + top) / 2, 1))
    return BOUNDS[key].high if key == "gcs" else 70.0


def counterfactuals(inputs: Mapping[str, Any], assessment: Assessment) -> list[Change]:
    """Readable changes of one input that would change the proposed colour.

    Each is {"input", "from", "to", "colour"}; `from` None means not known yet. Per vital at most
    the nearest change up and the nearest change down.
    """
    patient = read(inputs)
    now = assessment.proposed
    changes: list[Change] = []
    for key in NUMBERS:
        changes += _of_number(patient, key, now)
    changes += _of_words(patient, "avpu", tuple(news2.ACVPU), now)
    changes += _of_words(patient, "on_oxygen", (True, False), now)
    if patient.ages.known != "exact":
        changes += _of_age(patient, now)
    changes.sort(key=lambda change: change["from"] is not None)
    return changes


def _colour(patient: Patient) -> str:
    patient.warnings = []
    return judge(patient).proposed


def _of_number(patient: Patient, key: str, now: str) -> list[Change]:
    origin = patient.numbers[key]
    seen: set[str] = set()
    found: list[Change] = []
    for value in _tries(patient, key, origin):
        changed = copy(patient)
        changed.numbers = {**patient.numbers, key: value}
        if key == "sbp_mmhg":
            changed.not_measurable = patient.not_measurable - {key}
        colour = _colour(changed)
        if colour != now and colour not in seen:
            seen.add(colour)
            found.append({"input": key, "from": origin, "to": value, "colour": colour})
        if len(seen) == len(RANK) - 1:
            break
    return found


def _of_words(patient: Patient, key: str, values: Iterable[Any], now: str) -> list[Change]:
    origin = getattr(patient, key)
    seen: set[str] = set()
    found: list[Change] = []
    for value in values:
        if value == origin:
            continue
        changed = copy(patient)
        setattr(changed, key, value)
        colour = _colour(changed)
        if colour != now and colour not in seen:
            seen.add(colour)
            found.append({"input": key, "from": origin, "to": value, "colour": colour})
    return found


def _of_age(patient: Patient, now: str) -> list[Change]:
    found: list[Change] = []
    bands = age.SUB_BAND_NAMES if patient.ages.known == "band" else age.BAND_NAMES
    for name in bands:
        if patient.ages.known == "band" and patient.ages.band != "lt12y":
            break
        changed = copy(patient)
        changed.ages = age.BANDS[name]
        colour = _colour(changed)
        if colour != now:
            found.append({"input": "age", "from": patient.ages.band, "to": name, "colour": colour})
    return found
