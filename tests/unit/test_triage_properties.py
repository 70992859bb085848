"""What must hold for every patient: worse is never later, missing never helps, nothing raises."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hospital_ops.clinical import news2
from triage import age, chart, net
from triage.counterfactuals import counterfactuals
from triage.engine import assess
from triage.patient import SIGNS

RANGES = {
    "hr_bpm": (20, 300),
    "rr_bpm": (2, 80),
    "temp_c": (25.0, 45.0),
    "spo2_pct": (40, 100),
    "sbp_mmhg": (40, 270),
    "dbp_mmhg": (20, 200),
    "gcs": (3, 15),
}
CHART_KEYS = (*chart.STEP_3_KEYS, "avpu")
AGES: list[dict[str, Any]] = [
    {},
    *({"age_years": years} for years in (0.01, 0.1, 0.4, 0.9, 1, 3, 5, 11, 12, 15, 16, 40, 51, 90)),
    *({"age_band": band} for band in age.BAND_NAMES),
    *({"age_band": "lt12y", "age_sub_band": band} for band in age.SUB_BAND_NAMES),
]

vitals = st.fixed_dictionaries(
    {},
    optional={
        **{
            key: st.floats(low, high).map(lambda value: round(value, 1))
            if key == "temp_c"
            else st.integers(int(low), int(high))
            for key, (low, high) in RANGES.items()
        },
        "avpu": st.sampled_from(list(news2.ACVPU)),
        "on_oxygen": st.booleans(),
    },
)
patients = st.builds(
    lambda how_old, measured, signs, pregnant, failed: {
        **how_old,
        "vitals": measured,
        "signs": sorted(signs),
        "not_measurable": sorted(failed),
        **({"pregnant": True} if pregnant else {}),
    },
    st.sampled_from(AGES),
    vitals,
    st.sets(st.sampled_from(sorted(SIGNS)), max_size=2),
    st.booleans(),
    st.sets(st.sampled_from(sorted(RANGES)), max_size=1),
)


def normal_span(inputs: dict[str, Any], key: str) -> tuple[float, float]:
    """From where to where a value is normal for every table that looks at it."""
    if key == "gcs":
        return 15, 15
    if key == "spo2_pct":
        return 96, 100
    spans = [(0.0, 1000.0)]
    bands = {
        "hr_bpm": news2.HR,
        "rr_bpm": news2.RR,
        "temp_c": news2.TEMPERATURE,
        "sbp_mmhg": news2.SBP,
    }.get(key)
    ages = age.read(inputs, lambda *_: None).ages
    for one in ages:
        if one.adult_chart and bands is not None:
            row = next(row for row in bands.rows if row["score"] == 0)
            spans.append((row["min"], row["max"]))
        for limit in chart.limits_at(one):
            if limit.key == key:
                spans.append((limit.low or 0, limit.high or 1000))
        lowest = net.hypotension_limit(one)
        if key == "sbp_mmhg" and lowest is not None:
            spans.append((lowest, 1000))
    spans += [(low or 0, high or 1000) for name, low, high in net.MEWC if name == key]
    return max(low for low, _ in spans), min(high for _, high in spans)


def with_vital(inputs: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**inputs, "vitals": {**inputs["vitals"], key: value}}


@settings(max_examples=400, deadline=None)
@given(patients, st.sampled_from(sorted(RANGES)), st.data())
def test_a_worse_vital_never_lowers_the_colour_or_the_urgency(
    inputs: dict[str, Any], key: str, data: st.DataObject
) -> None:
    low, high = normal_span(inputs, key)
    lowest, highest = RANGES[key]
    downwards = low > lowest and (key in ("spo2_pct", "gcs") or data.draw(st.booleans()))
    span = (lowest, low) if downwards else (high, highest)
    if span[0] > span[1]:
        return
    numbers = st.floats(*span) if key == "temp_c" else st.integers(int(span[0]), int(span[1]))
    one, other = data.draw(numbers), data.draw(numbers)
    better, worse = sorted((one, other), reverse=downwards)
    milder = assess(with_vital(inputs, key, better))
    graver = assess(with_vital(inputs, key, worse))
    assert chart.RANK[graver.proposed] >= chart.RANK[milder.proposed]
    assert graver.urgency >= milder.urgency - 1e-6


@settings(max_examples=200, deadline=None)
@given(patients)
def test_deeper_unconsciousness_never_lowers_the_urgency(inputs: dict[str, Any]) -> None:
    found = [assess(with_vital(inputs, "avpu", word)) for word in ("A", "C", "V", "P", "U")]
    for milder, graver in pairwise(found):
        assert graver.urgency >= milder.urgency
        assert chart.RANK[graver.proposed] >= chart.RANK[milder.proposed]


@settings(max_examples=200, deadline=None)
@given(patients, st.sampled_from(sorted(SIGNS)))
def test_a_further_sign_never_lowers_the_urgency(inputs: dict[str, Any], sign: str) -> None:
    more = assess({**inputs, "signs": [*inputs["signs"], sign]})
    less = assess(inputs)
    assert more.urgency >= less.urgency - 1e-6
    assert chart.RANK[more.proposed] >= chart.RANK[less.proposed]


@settings(max_examples=200, deadline=None)
@given(patients, st.sampled_from(CHART_KEYS))
def test_a_missing_value_never_helps(inputs: dict[str, Any], key: str) -> None:
    without = {**inputs, "vitals": {k: v for k, v in inputs["vitals"].items() if k != key}}
    found = assess(without)
    assert found.proposed != "green"
    assert key in found.missing
    if key == "avpu":
        answers: list[Any] = ["A"]
    else:
        low, high = RANGES[key]
        answers = [low + (high - low) * part / 40 for part in range(41)]
    assert found.urgency >= min(assess(with_vital(without, key, v)).urgency for v in answers)


@settings(max_examples=150, deadline=None)
@given(patients, st.sampled_from(sorted(RANGES)))
def test_what_could_not_be_measured_raises_the_urgency(inputs: dict[str, Any], key: str) -> None:
    tried = {**inputs, "not_measurable": [*inputs["not_measurable"], key]}
    if key not in inputs["not_measurable"]:
        assert assess(tried).urgency > assess(inputs).urgency
    assert chart.RANK[assess(tried).proposed] >= chart.RANK[assess(inputs).proposed]


@settings(max_examples=100, deadline=None)
@given(patients, st.integers(0, 2**16))
def test_the_order_of_the_inputs_does_not_matter(inputs: dict[str, Any], seed: int) -> None:
    shuffle = random.Random(seed).shuffle
    signs, keys, names = [*inputs["signs"]], list(inputs["vitals"]), list(inputs)
    for each in (signs, keys, names):
        shuffle(each)
    mixed = {**inputs, "signs": signs, "vitals": {key: inputs["vitals"][key] for key in keys}}
    mixed = {name: mixed[name] for name in names}
    assert assess(mixed).as_json() == assess(inputs).as_json()


@settings(max_examples=300, deadline=None)
@given(patients)
def test_colours_keep_their_order_in_the_urgency(inputs: dict[str, Any]) -> None:
    found = assess(inputs)
    floors = {"green": (0, 100), "incomplete": (100, 400), "yellow": (200, 300), "red": (400, 500)}
    low, high = floors[found.proposed]
    assert low <= found.urgency < high
    if not any(name.startswith("age_") for name in inputs) and found.proposed == "incomplete":
        assert found.urgency >= 300


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
KEYS = [
    "age_years",
    "age_days",
    "age_band",
    "age_sub_band",
    "signs",
    "vitals",
    "pregnant",
    "not_measurable",
    "spo2_scale",
    "pews_brighton",
    "ecg_findings",
    "complaint",
    "sex",
    "x",
]


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(st.sampled_from(KEYS), anything),
    st.dictionaries(st.sampled_from([*RANGES, "avpu", "on_oxygen"]), anything),
)
@example({"signs": [float("nan")]}, {"hr_bpm": float("inf"), "temp_c": 10**400})
def test_nothing_that_json_can_hold_makes_triage_raise(
    inputs: dict[str, Any], measured: dict[str, Any]
) -> None:
    answer = assess({"vitals": measured, **inputs}).as_json()
    json.dumps(answer, allow_nan=False)
    assert answer["proposed"] in chart.RANK


@settings(max_examples=25, deadline=None)
@given(patients)
def test_every_change_named_really_changes_the_proposal(inputs: dict[str, Any]) -> None:
    found = assess(inputs)
    for change in counterfactuals(inputs, found):
        assert change["colour"] != found.proposed
        if change["input"] == "age":
            continue
        changed = with_vital(inputs, change["input"], change["to"])
        changed["not_measurable"] = [
            name for name in inputs["not_measurable"] if name != change["input"]
        ]
        assert assess(changed).proposed == change["colour"]
