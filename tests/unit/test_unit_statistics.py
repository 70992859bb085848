"""What a unit did in a period: counted as by hand, by local days, and of nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hospital_ops.clock import SECOND, from_datetime
from icu.statistics.figures import DEVICES, LEAST, READMISSION_US, Stayed, counted, days_of

DAY = 86_400 * SECOND
SPAN = (100 * DAY, 110 * DAY)
NONE = dict.fromkeys(DEVICES, 0)


def told(stays: list[Stayed], beds: int = 4, **devices: int) -> dict[str, Any]:
    return counted(stays, beds, NONE | devices, SPAN)


def days(admitted: float, ended: float | None, reason: str = "", who: str = "") -> Stayed:
    end = None if ended is None else round(ended * DAY)
    return Stayed(who or f"p{admitted}{ended}", round(admitted * DAY), end, reason)


SIX = [
    days(98, 102, "discharge"),
    days(101, 103, "discharge"),
    days(101, 104, "discharge"),
    days(102, 107, "discharge"),
    days(103, 109, "discharge"),
    days(108, None),
]


def test_occupancy_and_length_of_stay_are_those_counted_by_hand() -> None:
    found = told(SIX, ventilator=6)
    assert found["patient_days"] == 2 + 2 + 3 + 5 + 6 + 2
    assert found["occupancy"] == 20 / 40
    assert found["counts"]["admissions"] == 5
    assert found["counts"]["discharge"] == 5
    assert found["counts"]["death"] == 0
    assert found["length_of_stay_days"] == {"lower": 3.0, "median": 4.0, "upper": 5.0}
    assert (found["device_days"]["ventilator"], found["device_share"]["ventilator"]) == (6, 0.3)


def test_fewer_than_a_handful_are_not_told_nor_what_would_tell_them() -> None:
    few = [*SIX[1:3], days(101, 105, "death")]
    found = told(few, ventilator=3)
    assert found["counts"]["admissions"] is None
    assert found["counts"]["death"] is None
    assert found["counts"]["readmissions"] == 0
    assert found["length_of_stay_days"] is None
    assert (found["occupancy"], found["patient_days"]) == (None, None)
    assert found["device_days"]["ventilator"] is None
    assert LEAST > 1


def test_who_comes_back_soon_after_leaving_is_a_readmission_and_later_or_after_a_death_is_not() -> (
    None
):
    hours = READMISSION_US / DAY
    back = [
        stay
        for number in range(LEAST)
        for stay in (
            days(101, 102, "transfer", f"a{number}"),
            days(102 + hours - 0.1, None, "", f"a{number}"),
        )
    ]
    late = [days(101, 102, "discharge", "b"), days(102 + hours + 0.1, None, "", "b")]
    assert told([*back, *late])["counts"]["readmissions"] == LEAST
    before = [days(99, 99.5, "discharge", f"c{n}") for n in range(LEAST)]
    again = [days(100.5, None, "", f"c{n}") for n in range(LEAST)]
    assert told([*before, *again])["counts"]["readmissions"] == LEAST  # left before the period


def test_a_day_is_a_local_one_also_when_the_clock_is_changed() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now = from_datetime(datetime(2026, 3, 30, 10, tzinfo=UTC))
    spans = days_of(now, 3, berlin)
    hours = [(end - begin) / (3600 * SECOND) for begin, end in spans]
    assert hours == [24, 23, 12]
    assert spans[-1][1] == now
