"""A value is worth the same whichever way it came: HL7, a native device, a CARE gateway."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import care, codes, events
from hospital_ops.hl7.codes import plan
from hospital_ops.hl7.parse import PLAIN
from hospital_ops.hl7.values import measured
from hospital_ops.judging import Judged

BY_CARE = {vital.key: name for name, vital in codes.by_care.items()}
NUMERIC = sorted(
    key
    for key, vital in codes.by_key.items()
    if vital.reject_outside and codes.by_loinc.get(vital.code) is vital
)


def by_hl7(key: str, text: str, unit: str) -> Judged:
    vital = codes.by_key[key]
    made = plan(f"{vital.code}^x^LN", unit, PLAIN)
    return measured(made, vital, text)


def by_event(key: str, value: Any, unit: str) -> Judged:
    return events.valued(value, unit, codes.by_key[key])[0]


def by_care(key: str, value: Any, unit: str) -> Judged:
    sent = {"observation_id": BY_CARE[key], "device_id": "m", "value": value, "unit": unit}
    (row,) = care.read([sent], 0, ["UTC"]).devices["m"].observations
    return Judged(row.value, row.validity, row.reason)


@given(st.sampled_from(NUMERIC), st.integers(-500, 5000).map(lambda n: n / 10))
def test_a_number_is_believed_doubted_or_refused_alike(key: str, value: float) -> None:
    if value == -100:
        return  # how some HL7 monitors say that a sensor is off
    unit = codes.by_key[key].ucum
    hl7, event = by_hl7(key, f"{value:.1f}", unit), by_event(key, value, unit)
    assert hl7 == event
    if key in BY_CARE:
        assert by_care(key, value, unit) == event


@pytest.mark.parametrize(
    ("key", "value", "unit", "found"),
    [
        ("fio2", 0.4, "%", (40.0, "Vld")),  # a fraction in a per cent field
        ("hr", 320.0, "/min", (320.0, "Qst")),
        ("hr", 400.0, "/min", (None, "Inv")),
        ("spo2", 101.0, "%", (None, "Inv")),
        ("temp", 98.6, "[degF]", (37.0, "Vld")),
        ("hr", 80.0, "mm[Hg]", (None, "Inv")),
    ],
)
def test_units_fractions_and_limits_are_those_of_the_table(
    key: str, value: float, unit: str, found: tuple[float | None, str]
) -> None:
    judged = [by_hl7(key, f"{value}", unit), by_event(key, value, unit)]
    assert [one[:2] for one in judged] == [found, found]
    assert judged[0].reason == judged[1].reason


@pytest.mark.parametrize(("said", "letter"), [("Alert", "A"), ("v", "V"), ("CONFUSED", "C")])
def test_consciousness_is_understood_as_a_word_or_a_letter(said: str, letter: str) -> None:
    assert by_hl7("avpu", said, "") == by_event("avpu", said, "") == Judged(letter)


def test_an_unknown_word_for_consciousness_is_no_value() -> None:
    assert by_hl7("avpu", "sleepy", "") == by_event("avpu", "sleepy", "")
    assert by_event("avpu", "sleepy", "").validity == "Inv"


def test_a_device_that_doubts_a_good_value_is_believed_and_never_the_other_way_round() -> None:
    def read(value: float, validity: str) -> str:
        event = {
            "event_id": "0196a3d6-0000-7000-8000-000000000001", "code": "8867-4", "unit": "/min",
            "value": value, "validity": validity, "mode": "Test",
        }  # fmt: skip
        return events.read(event, origin="monitor")[0].validity

    assert [read(80, each) for each in ("Vld", "Qst", "Inv")] == ["Vld", "Qst", "Inv"]
    assert [read(320, each) for each in ("Vld", "Qst", "Inv")] == ["Qst", "Qst", "Inv"]
    assert [read(400, each) for each in ("Vld", "Qst", "Inv")] == ["Inv", "Inv", "Inv"]
