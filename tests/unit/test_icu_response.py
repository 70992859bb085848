"""Order and response: what is said of a dose, and when nothing is said."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops.clock import SECOND, from_iso
from icu import response
from icu.response import (
    AFTER_US,
    BEFORE_US,
    BIN_US,
    FOLLOWED,
    PENDING,
    SILENT,
    STEADY,
    Bin,
    Change,
    Disturbance,
    Response,
    responses,
    summaries,
    together,
)

NOON = from_iso("2026-11-21T12:00:00Z")
MINUTE = 60 * SECOND
DOSE = Change(NOON, "norepinephrine", "dose", 0.08, 0.12, "ug/kg/min")
LATER = NOON + AFTER_US


def course(
    base: float, rise: float, *, minutes: float = 9, noise: float = 1.0, seed: int = 1
) -> list[Bin]:
    """A signal at a level that rises evenly after the dose and stays there."""
    chance = random.Random(seed)
    bins = []
    for at in range(NOON - BEFORE_US, NOON + AFTER_US, BIN_US):
        share = min(1.0, max(0.0, (at - NOON) / (minutes * MINUTE)))
        bins.append(Bin(at, base + rise * share + chance.uniform(-noise, noise)))
    return bins


def mean_after(bins: list[Bin], **more: Any) -> Response:
    others, technical = more.get("others", ()), more.get("technical", ())
    signals = {"abp_mean": bins, **more.get("signals", {})}
    found = responses(DOSE, signals, others, technical, more.get("now", LATER))
    return next(each for each in found if each.signal == "abp_mean")


def test_a_dose_is_followed_by_so_much_in_so_many_minutes() -> None:
    found = mean_after(course(58, 14))
    assert found.state == FOLLOWED
    assert found.delta == pytest.approx(14, abs=1.5)
    assert found.seconds == pytest.approx(9 * 60, abs=120)


@pytest.mark.parametrize("noise", [0.5, 2.0, 6.0])
def test_noise_alone_is_hardly_ever_a_response(noise: float) -> None:
    """By chance some noise looks like a change; of 300 courses of it, at most one in fifty."""
    found = [mean_after(course(70, 0, noise=noise, seed=seed)).state for seed in range(300)]
    assert set(found) <= {STEADY, FOLLOWED}
    assert found.count(FOLLOWED) <= 6


@given(st.floats(-30, 60), st.integers(0, 10**6))
def test_the_level_does_not_matter_only_the_change_does(shift: float, seed: int) -> None:
    bins = course(60, -12, seed=seed)
    moved = [each._replace(value=(each.value or 0) + shift) for each in bins]
    first, second = mean_after(bins), mean_after(moved)
    assert first.state == second.state == FOLLOWED
    assert first.delta == pytest.approx(second.delta)
    assert first.seconds == second.seconds


OTHERS = st.sampled_from(
    [
        Change(0, "propofol", "given"),
        Change(0, "peep", "setting", 8, 10, "cm[H2O]"),
        Change(0, "norepinephrine", "dose", 0.12, 0.14, "ug/kg/min"),
    ]
)


@given(OTHERS, st.integers(-BEFORE_US, AFTER_US - 1))
def test_nothing_is_said_where_anything_else_was_changed_and_that_is_listed(
    other: Change, offset: int
) -> None:
    other = other._replace(at=NOON + offset)
    found = mean_after(course(58, 14), others=(other,))
    assert (found.state, found.delta) == (SILENT, None)
    assert found.because == (Disturbance(other.at, other.kind, other.what),)


@given(OTHERS, st.sampled_from([-BEFORE_US - 1, AFTER_US]))
def test_what_lies_outside_the_window_does_not_matter(other: Change, offset: int) -> None:
    found = mean_after(course(58, 14), others=(other._replace(at=NOON + offset),))
    assert found.state == FOLLOWED


@given(st.integers(0, (BEFORE_US + AFTER_US) // BIN_US - 1))
def test_an_artefact_anywhere_in_the_window_silences_its_own_signal(place: int) -> None:
    bins = course(58, 14)
    bins[place] = bins[place]._replace(bad=True)
    found = responses(DOSE, {"abp_mean": bins, "hr": course(90, 0)}, (), (), LATER)
    assert [each.state for each in found] == [SILENT, STEADY]
    assert found[0].because[0].what == "artefact"


def test_a_zeroed_line_silences_the_pressures_and_not_the_heart_rate() -> None:
    at = NOON + 4 * MINUTE
    line = {"abp_sys": [Bin(at, 2.0)], "abp_dia": [Bin(at, 1.0)], "hr": course(90, 0)}
    found = responses(DOSE, {"abp_mean": course(58, 14), **line}, (), (), LATER)
    assert [each.state for each in found] == [SILENT, STEADY]
    assert found[0].because == (Disturbance(at, "zeroing"),)


def test_a_technical_alarm_about_the_signal_silences_it() -> None:
    technical = Disturbance(NOON + MINUTE, "technical", "76214-6")
    assert mean_after(course(58, 14), technical=(technical,)).state == SILENT
    elsewhere = technical._replace(detail="59408-5")
    assert mean_after(course(58, 14), technical=(elsewhere,)).state == FOLLOWED


def test_before_the_window_has_passed_the_answer_is_not_yet_clear() -> None:
    assert mean_after(course(58, 14), now=LATER - SECOND).state == PENDING


def test_a_signal_that_was_already_rising_is_not_given_to_the_dose() -> None:
    rising = [Bin(each.at, 60 + (each.at - NOON) / MINUTE) for each in course(0, 0)]
    falling_first = [
        each._replace(value=60 - (each.at - NOON) / MINUTE) if each.at < NOON else each
        for each in course(60, 14)
    ]
    assert mean_after(rising).because[0].what == "already_moving"
    assert mean_after(falling_first).state == FOLLOWED


def test_too_few_values_say_nothing() -> None:
    assert mean_after(course(58, 14)[::2]).because[0].what == "too_little"
    assert mean_after([]).state == SILENT


def test_a_ramp_of_the_pump_is_one_change() -> None:
    series = [(NOON + n * 10 * SECOND, 0.1 + n * 0.01) for n in range(4)]
    ramp = response.steps(series, "norepinephrine", "dose", "ug/kg/min")
    [change] = together(ramp)
    assert change.before == 0.1
    assert change.after == pytest.approx(0.13)
    back = [Change(NOON, "x", "dose", 1, 2), Change(NOON + SECOND, "x", "dose", 2, 1)]
    assert together(back) == []


def test_the_jitter_of_a_measured_setting_is_no_change() -> None:
    series = [(NOON + n * MINUTE, 40 + n % 2) for n in range(5)]
    assert response.steps(series, "fio2", "setting", "%") == []


def test_the_same_dose_three_times_is_told_as_three_times() -> None:
    told = [
        (DOSE._replace(at=NOON + n), [Response("abp_mean", FOLLOWED, delta, 500 + n)])
        for n, delta in enumerate((12.0, 14.0, 16.0))
    ]
    told.append((DOSE, [Response("abp_mean", STEADY)]))
    told.append((DOSE, [Response("abp_mean", SILENT)]))
    told.append((DOSE._replace(before=0.2), [Response("abp_mean", FOLLOWED, -9.0, 60)]))
    first, second = summaries(told)
    assert (first.times, first.of, first.silent, first.delta) == (3, 4, 1, 14.0)
    assert (second.direction, second.times, second.delta) == ("down", 1, -9.0)


@pytest.mark.parametrize(
    ("text", "drug"),
    [("Норадреналин 0,1", "norepinephrine"), ("adrenaline", "epinephrine"), ("saline", "")],
)
def test_a_pump_and_an_order_name_the_same_drug(text: str, drug: str) -> None:
    assert response.drug_of(text) == drug
