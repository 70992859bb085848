"""A replay rings what the engine rings; what it says of another limit follows from that."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital_ops.clock import SECOND
from hospital_ops.codes import by_key
from hospital_ops.errors import MessageError
from icu.load.replay import Question, Value, loosest, replayed, rings, standing
from tests.alarm_ward import BED, START, Ward

SPO2 = by_key["spo2"].code
LOW = Question("spo2_low", SPO2, limit=85.0)
# Runs of seconds with one value, or without any (None).
RUNS = st.lists(
    st.tuples(st.sampled_from([86.0, 89.0, 92.0, 95.0, None]), st.integers(1, 24)), max_size=10
)


@settings(max_examples=25, deadline=None)
@given(runs=RUNS)
def test_the_limit_as_it_stands_rings_in_a_replay_when_it_rang_in_the_engine(
    runs: list[tuple[float | None, int]],
) -> None:
    ward, values = Ward(), []
    for value, seconds in runs:
        for _ in range(seconds):
            if value is not None:
                values.append(Value(BED, ward.now, value, "1960-01-01"))
                ward.message(BED, {"spo2": value})
            ward.wait(1)
    ward.wait(40)
    told = [e.since for e in ward.told if e.rule == "spo2_low" and e.state == "active"]
    assert [ring.since for ring in rings(values, standing(LOW))] == told


def test_a_lower_limit_says_what_would_be_missed_and_that_few_alarms_decide_nothing() -> None:
    values = [
        Value(BED, START + n * SECOND, 88.0 if n < 30 else 95.0, "1960-01-01") for n in range(40)
    ]
    found = replayed(values, LOW)
    assert (found["rang"], found["would_ring"], found["missed"], found["new"]) == (1, 0, 1, 0)
    assert found["too_few"] is True
    assert found["missed_list"][0]["bed"] == BED


def test_a_longer_delay_drops_short_alarms_and_children_are_not_counted_among_adults() -> None:
    dip = [
        Value(BED, START + n * SECOND, 88.0 if n < 20 else 95.0, "1960-01-01") for n in range(30)
    ]
    child = [each._replace(bed="b-02", birth_date="2024-01-01") for each in dip]
    found = replayed([*dip, *child], Question("spo2_low", SPO2, delay_s=25))
    assert (found["rang"], found["would_ring"], found["missed"]) == (1, 0, 1)


def test_the_values_asked_for_are_those_that_matter_to_either_limit() -> None:
    assert loosest(LOW) == ("low", 90.0)
    assert loosest(Question("spo2_low", SPO2, limit=94.0)) == ("low", 94.0)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (Question("spo2_desat", SPO2, limit=70.0), "red"),
        (Question("map_low", by_key["abp_mean"].code, limit=50.0), "red"),
        (Question("nothing", SPO2, limit=70.0), "no_limit"),
        (Question("spo2_low", SPO2), "nothing_asked"),
        (Question("spo2_low", SPO2, delay_s=900), "bad_delay"),
        (Question("spo2_low", SPO2, limit=float("nan")), "bad_limit"),
        (Question("spo2_low", SPO2, limit=80, band="grown"), "unknown_band"),
    ],
)
def test_red_alarms_and_senseless_questions_are_refused(question: Question, code: str) -> None:
    with pytest.raises(MessageError) as refused:
        standing(question)
    assert refused.value.code == code
