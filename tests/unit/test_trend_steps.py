"""Of which mode a trend is, what is read by minutes and what by values, which hours are marked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.changes import Change, changes, named
from streams.chart_rows import Again
from tests.unit.test_icu_indicators import BED, UNIT
from web.trends.steps import HOUR, MINUTE, Lying, from_values, of_one_mode


def test_only_real_values_stand_in_the_curve_of_a_real_patient() -> None:
    came = datetime(2026, 3, 1, tzinfo=UTC)
    real, demo = {"mode": "Real"}, {"mode": "Demo"}
    assert of_one_mode([real, demo], Lying(came, "Real")) == ("Real", [real])
    assert of_one_mode([demo], Lying(came, "Real")) == ("Real", [])
    assert of_one_mode([real, demo], Lying(came)) == ("Real", [real])
    assert of_one_mode([demo, demo], Lying(came)) == ("Demo", [demo, demo])
    assert of_one_mode([real, demo], Lying(came, "Test")) == ("Test", [real, demo])
    assert of_one_mode([], Lying(came)) == ("", [])


@given(
    made=st.integers(-5, 60),
    end=st.integers(1, 50),
    marked=st.lists(st.integers(-3, 55)),
)
def test_every_moment_is_read_from_its_minutes_or_from_its_values_and_never_from_both(
    made: int, end: int, marked: list[int]
) -> None:
    pieces = from_values(0, made * HOUR, end * HOUR, [hour * HOUR for hour in marked])
    assert pieces == sorted(pieces)
    assert all(past < first for (_, past), (first, _) in pairwise(pieces))
    inside = {h for first, past in pieces for h in range(first // HOUR, past // HOUR)}
    assert inside == {hour for hour in range(end) if hour >= made or hour in marked}


def test_a_correction_and_what_comes_after_an_hour_was_made_mark_that_hour() -> None:
    hour = 1_780_002_000_000_000
    again = Again()

    def observed(at: int, received: int, bed: str = BED) -> None:
        again.observed(UNIT, wire.Observed(UNIT, "m", "1", b"", received, "Test", (), bed), at)

    observed(hour + 1, hour + 69 * MINUTE)
    observed(hour + 1, hour + 48 * HOUR, bed="")
    assert not again.hours
    observed(hour + 59 * MINUTE, hour + 70 * MINUTE)
    assert again.hours == {(UNIT, BED, hour)}


def test_a_device_change_is_what_differs_from_before_and_the_hours_between_say_nothing() -> None:
    start = datetime(2026, 3, 1, 10, tzinfo=UTC)

    def told(minute: int, said: str, what: str = "ventilation", about: str = "") -> Change:
        return Change(start + timedelta(minutes=minute), "Real", what, about, said)

    known = [
        told(-30, "PC"), told(0, "PC"), told(20, "PS"), told(60, "PS"), told(61, "PC"),
        told(5, "pump-1 A", "pump", "norepinephrine"), told(6, "pump-2 A", "pump", "epinephrine"),
        told(65, "pump-1 B", "pump", "norepinephrine"),
    ]  # fmt: skip
    assert [(one.at.minute, one.said) for one in changes(known, start)] == [
        (5, "pump-1 A"), (6, "pump-2 A"), (20, "PS"), (1, "PC"), (5, "pump-1 B"),
    ]  # fmt: skip
    assert named(told(0, "131330 131329", "leads")).said == "II, I"
