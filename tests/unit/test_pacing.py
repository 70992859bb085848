"""A device that brings its day does not hold up the live beds, and has brought it in a minute."""

from __future__ import annotations

import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND, ManualClock
from streams.pacing import LATE_US, VALUES_PER_S, WAIT_MOST_S, Pace

NOW = 1_772_359_200_000_000
DAY_S = 86_400
VALUES = 10  # of a message


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def pace(clock: ManualClock) -> Pace:
    return Pace(clock)


def message(at: int | None, bed: str = "b1", values: int = VALUES, case: str = "") -> wire.Observed:
    """Values of one moment."""
    return wire.Observed(
        unit="u", source="s", message_id="1", identity=b"", received_at=NOW, mode="Test",
        observations=tuple(
            wire.Observation(code="8867-4", value=80.0, determined_at=at) for _ in range(values)
        ),
        bed=bed, case=case,
    )  # fmt: skip


def brought(pace: Pace, clock: ManualClock, messages: list[list[wire.Observed]]) -> float:
    """Seconds until all portions were taken, one after the other."""
    began = clock.monotonic_s()
    for portion in messages:
        clock.advance(pace.wait_s(portion))
    return clock.monotonic_s() - began


def test_a_device_brings_a_day_of_a_value_a_second_within_a_minute(
    pace: Pace, clock: ManualClock
) -> None:
    late = [
        [message(NOW - DAY_S * SECOND + n * VALUES * SECOND)] for n in range(DAY_S // VALUES - 10)
    ]
    took_s = brought(pace, clock, late)
    assert took_s == pytest.approx(len(late) * VALUES / VALUES_PER_S, rel=0.01)
    assert took_s < 60


def test_in_any_second_a_backlog_takes_no_more_than_its_pace(
    pace: Pace, clock: ManualClock
) -> None:
    one_second = [[message(NOW - DAY_S * SECOND)] for _ in range(VALUES_PER_S // VALUES)]
    brought(pace, clock, one_second)
    assert brought(pace, clock, one_second) == pytest.approx(1.0, abs=0.001)


def test_what_is_live_never_waits_nor_does_what_comes_with_it(
    pace: Pace, clock: ManualClock
) -> None:
    live, late = message(NOW), message(NOW - DAY_S * SECOND, values=VALUES_PER_S)
    pace.wait_s([late])
    assert pace.wait_s([late]) > 0, "the bed has used its second up"
    assert pace.wait_s([live]) == 0
    assert pace.wait_s([late, live]) == 0
    assert pace.wait_s([message(NOW - LATE_US)]) == 0, "a short gap is caught up at once"
    assert pace.wait_s([message(None)]) == 0, "a value without a time counts from its receipt"


def test_an_order_or_an_alarm_among_the_late_values_does_not_wait(pace: Pace) -> None:
    late = message(NOW - DAY_S * SECOND, values=VALUES_PER_S)
    pace.wait_s([late])
    note = wire.Kept("u", "s", NOW, "no_content", "")
    assert pace.wait_s([late, note]) == 0
    assert pace.wait_s([note]) == 0


def test_the_beds_of_a_unit_that_was_cut_off_do_not_wait_for_each_other(
    pace: Pace, clock: ManualClock
) -> None:
    beds = [f"b{n}" for n in range(50)]
    minutes = [[message(NOW - 600 * SECOND, bed)] for _ in range(100) for bed in beds]
    alone = brought(pace, clock, [portion for portion in minutes if portion[0].bed == "b1"])
    assert brought(pace, clock, minutes) < 2 * alone


def test_a_monitor_whose_clock_is_an_hour_slow_sends_as_it_always_does(
    pace: Pace, clock: ManualClock
) -> None:
    for _ in range(60):
        assert pace.wait_s([message(clock.now_us() - 3600 * SECOND)]) == 0
        clock.advance(1.0)


def test_no_message_waits_longer_than_a_second_however_large_the_one_before(pace: Pace) -> None:
    huge = message(NOW - DAY_S * SECOND, values=10 * VALUES_PER_S)
    assert [pace.wait_s([huge]) for _ in range(3)] == [0, WAIT_MOST_S, WAIT_MOST_S]


def test_a_tablets_cases_are_told_apart(pace: Pace) -> None:
    pace.wait_s([message(NOW - DAY_S * SECOND, "", VALUES_PER_S, "case1")])
    assert pace.wait_s([message(NOW - DAY_S * SECOND, "", VALUES, "case2")]) == 0
    assert pace.wait_s([message(NOW - DAY_S * SECOND, "", VALUES, "case1")]) > 0


def test_what_many_beds_once_brought_is_forgotten(pace: Pace, clock: ManualClock) -> None:
    for n in range(3000):
        pace.wait_s([message(NOW - DAY_S * SECOND, f"b{n}")])
        clock.advance(0.01)
    assert len(pace._turns) <= 1001
