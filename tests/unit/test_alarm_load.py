"""The alarm load counts what sounded and what was answered, and knows of no person."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from hospital_ops.clock import SECOND, from_iso
from icu.load.figures import FEW, Episode, Event, episodes, figures, shift_of, table_of

MOSCOW = ZoneInfo("Europe/Moscow")
NOON = from_iso("2026-03-01T09:00:00.000Z")  # in Moscow


def steps(
    alarm: str, *told: tuple[str, float], rule: str = "spo2_low", bed: str = "b-01"
) -> list[Event]:
    return [Event(alarm, bed, rule, "medium", s, NOON + round(at * SECOND)) for s, at in told]


def test_an_alarm_sounds_until_it_is_taken_on_and_again_when_it_gets_worse() -> None:
    told = steps("a", ("active", 0), ("acknowledged", 30), ("active", 100), ("inactive", 110))
    (found,) = episodes(told, NOON + 999 * SECOND)
    assert found.sounded_us == 40 * SECOND
    assert found.answered == NOON + 30 * SECOND


def test_a_latched_alarm_is_answered_by_its_end_and_another_by_nobody() -> None:
    latched = steps("a", ("active", 0), ("latched", 20), ("inactive", 50))
    own_end = steps("b", ("active", 0), ("inactive", 5))
    going_on = steps("c", ("active", 0))
    a, b, c = episodes([*latched, *own_end, *going_on], NOON + 70 * SECOND)
    assert (a.answered, a.sounded_us) == (NOON + 50 * SECOND, 50 * SECOND)
    assert (b.answered, b.sounded_us) == (None, 5 * SECOND)
    assert c.sounded_us == 70 * SECOND


def test_what_began_before_the_days_asked_for_is_not_counted_as_a_new_alarm() -> None:
    assert not episodes(steps("a", ("acknowledged", 3), ("inactive", 9)), NOON)


def test_rows_are_of_bed_shift_and_rule_with_few_events_called_few() -> None:
    told = [
        *steps("a", ("active", 0)),
        *steps("b", ("active", 12 * 3600)),
        *steps("c", ("active", 1)),
    ]
    rows = table_of(
        episodes(told, NOON + 13 * 3600 * SECOND), {"b-01": [NOON + 60 * SECOND]}, MOSCOW
    )
    assert [(row["shift"], row["count"], row["followed_share"]) for row in rows] == [
        ("day", 2, 1.0), ("night", 1, 0.0),
    ]  # fmt: skip
    assert all(row["too_few"] for row in rows)
    many = [Episode("b", "r", "low", NOON, None, 0, "") for _ in range(FEW)]
    assert not figures(many, {})["too_few"]


def test_shifts_follow_the_clock_of_the_house() -> None:
    assert shift_of(from_iso("2026-03-01T04:59:59.000Z"), MOSCOW) == "night"
    assert shift_of(from_iso("2026-03-01T05:00:00.000Z"), MOSCOW) == "day"


def test_there_is_no_field_for_a_person() -> None:
    assert not {"actor", "by", "user", "name"} & {*Event._fields, *Episode._fields}
