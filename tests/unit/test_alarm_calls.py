"""Who is called for an alarm: by those on duty, the times of the table, and an independent list."""

from __future__ import annotations

import random
from typing import Any

import pytest

from hospital_ops import wire
from hospital_ops.board import AlarmCell
from hospital_ops.clock import SECOND
from tests.alarm_ward import BED, START, UNIT, Ward
from tests.oracle.call_oracle import Alarm, Person, expected_calls

RED: dict[str, Any] = {"hr": 80.0, "abp_mean": 48.0}
LETHAL: dict[str, Any] = {"hr": 20.0, "abp_mean": 90.0}
HOURS = 12 * 3600 * SECOND


def on_duty(
    ward: Ward, who: str, post: str = "nurse", beds: tuple[str, ...] = (BED,), **more: Any
) -> None:
    """Somebody signs on now."""
    version = more.pop("version", 1)
    second, until = more.pop("second", ()), more.pop("until", ward.now + HOURS)
    ward.give(wire.OnDuty(UNIT, who, version, post, beds, second, ward.now, until))


def staffed(**more: Any) -> Ward:
    ward = Ward(**more)
    on_duty(ward, "bed-nurse")
    on_duty(ward, "neighbour", beds=(f"{UNIT}-02",), second=(BED,))
    on_duty(ward, "doctor", "physician", ())
    on_duty(ward, "charge", "charge", ())
    return ward


def called(alarm: AlarmCell) -> list[tuple[str, str, int]]:
    """Post, person, and seconds after the first call."""
    first = min((call.at for call in alarm.called), default=0)
    return [(call.post, call.who, (call.at - first) // SECOND) for call in alarm.called]


def test_the_bed_nurse_then_the_second_then_the_physician_and_the_charge_nurse() -> None:
    ward = staffed()
    ward.send(200, **RED)
    assert called(ward.alarms()["map_low"]) == [
        ("nurse", "bed-nurse", 0),
        ("second", "neighbour", 60),
        ("physician", "doctor", 180),
        ("charge", "charge", 180),
    ]
    assert ward.alarms()["map_low"].next_posts == ()


def test_a_physician_is_called_after_half_a_minute_only_for_what_kills_at_once() -> None:
    ward = staffed()
    ward.send(40, **LETHAL)
    assert called(ward.alarms()["brady_extreme"])[1:3] == [
        ("second", "neighbour", 15),
        ("physician", "doctor", 30),
    ]


def test_the_board_says_who_is_called_next_and_when() -> None:
    ward = staffed()
    ward.send(8, **RED)
    alarm = ward.alarms()["map_low"]
    assert alarm.next_posts == ("second",)
    assert alarm.next_at == alarm.called[0].at + 60 * SECOND


def test_an_acknowledgement_ends_the_calls_and_a_pause_does_not() -> None:
    ward = staffed()
    ward.send(8, **RED)
    ward.act("pause", ward.alarms()["map_low"].id, by="wall")
    ward.send(60, **RED)
    assert [c.who for c in ward.alarms()["map_low"].called] == ["bed-nurse", "neighbour"]
    ward.act("acknowledge", ward.alarms()["map_low"].id, by="neighbour")
    ward.send(150, **RED)
    alarm = ward.alarms()["map_low"]
    assert [c.who for c in alarm.called] == ["bed-nurse", "neighbour"]
    assert [bool(c.read_at) for c in alarm.called] == [False, True]
    assert alarm.next_posts == ()


def test_whoever_was_called_and_opens_the_bed_has_read_it() -> None:
    ward = staffed()
    ward.send(8, **RED)
    ward.act("read", ward.alarms()["map_low"].id, by="stranger")
    assert ward.alarms()["map_low"].called[0].read_at == 0
    ward.act("read", ward.alarms()["map_low"].id, by="bed-nurse")
    assert ward.alarms()["map_low"].called[0].read_at == ward.now


def test_where_nobody_has_signed_on_the_whole_unit_is_called_and_nothing_waits() -> None:
    ward = Ward()
    ward.send(8, **RED)
    alarm = ward.alarms()["map_low"]
    assert [(c.post, c.who) for c in alarm.called] == [("unit", "")]
    on_duty(ward, "late", "physician", ())
    assert [c.who for c in ward.alarms()["map_low"].called] == ["", "late"]


def test_a_step_without_anybody_goes_on_to_the_next_at_once() -> None:
    ward = Ward()
    on_duty(ward, "doctor", "physician", ())
    ward.send(8, **RED)
    assert [c.who for c in ward.alarms()["map_low"].called] == ["doctor"]


def test_duty_ends_by_itself_and_an_older_sign_on_changes_nothing() -> None:
    ward = Ward()
    on_duty(ward, "night", until=ward.now + 60 * SECOND, version=2)
    on_duty(ward, "night", version=1)
    ward.wait(90)
    ward.send(8, **RED)
    assert [c.post for c in ward.alarms()["map_low"].called] == ["unit"]


def test_a_red_that_no_board_shows_takes_its_next_step_at_once() -> None:
    ward = staffed(boards=False)
    ward.send(14, **RED)
    assert called(ward.alarms()["map_low"]) == [
        ("nurse", "bed-nurse", 0),
        ("second", "neighbour", 5),
    ]
    ward.send(60, **RED)
    assert len(ward.alarms()["map_low"].called) == 2
    assert not ward.alarms()["board_lost"].called


def test_nobody_is_called_for_what_comfort_care_silences() -> None:
    ward = staffed()
    ward.bed_act("comfort", by="doctor")
    ward.bed_act("confirm_comfort", by="bed-nurse")
    ward.send(40, **LETHAL)
    assert not ward.alarms()["brady_extreme"].called
    ward.bed_act("resume")
    assert [c.who for c in ward.alarms()["brady_extreme"].called] == ["bed-nurse"]


def test_a_red_that_comes_and_goes_does_not_start_its_calls_anew() -> None:
    ward = staffed()
    ward.send(8, **LETHAL)
    ward.send(20, hr=80.0, abp_mean=90.0)
    ward.send(20, **LETHAL)
    assert "doctor" in [c.who for c in ward.alarms()["brady_extreme"].called]


def test_a_unit_sets_when_the_physician_is_called_and_when_a_red_reminds() -> None:
    ward = staffed()
    ward.give(wire.AlarmSite(UNIT, 1, 60, 120, "admin", ward.now))
    ward.send(130, **RED)
    assert ("physician", "doctor", 120) in called(ward.alarms()["map_low"])
    ward.act("acknowledge", ward.alarms()["map_low"].id)
    ward.send(62, **RED)
    assert ward.alarms()["map_low"].reminded_at


def test_calls_survive_the_owner() -> None:
    ward = staffed()
    ward.send(30, **RED)
    before = ward.alarms()["map_low"].called
    ward.restart()
    ward.send(45, **RED)
    assert ward.alarms()["map_low"].called[:1] == before
    assert len(ward.alarms()["map_low"].called) == 2


def test_memory_that_runs_short_is_an_alarm_of_the_unit() -> None:
    ward = Ward()
    ward.give(wire.Tick(ward.now, 0.61))
    assert [e.rule for e in ward.told] == ["stream_memory"]
    ward.give(wire.Tick(ward.now, 0.4))
    assert [e.state for e in ward.told] == ["active", "inactive"]


@pytest.mark.parametrize("seed", range(30))
def test_calls_are_those_of_the_independent_list(seed: int) -> None:
    chance = random.Random(seed)
    boards = chance.random() < 0.5
    ward = Ward(boards=boards)
    people = []
    for name in ("a", "b", "c", "d", "e"):
        if chance.random() < 0.3:
            continue
        post = chance.choice(["nurse", "nurse", "physician", "charge"])
        beds = (BED,) if post == "nurse" and chance.random() < 0.5 else ()
        second = (BED,) if post == "nurse" and not beds and chance.random() < 0.5 else ()
        ends = START + chance.choice([30, 100, 1000]) * SECOND
        on_duty(ward, name, post, beds, second=second, until=ends)
        people.append(Person(name, post, bool(beds), bool(second), ends))
    lethal = chance.random() < 0.4
    values = LETHAL if lethal else RED
    ward.send(8, **values)
    name = "brady_extreme" if lethal else "map_low"
    first = ward.alarms()[name]
    seconds = chance.randrange(220)
    ward.send(seconds, **values)
    taken_on = ward.now
    ward.act("acknowledge", first.id)
    ward.send(100, **values)
    alarm = Alarm(name, first.burst_at, first.burst_at if boards else None, taken_on)
    told = {(call.post, call.who, call.at) for call in ward.alarms()[name].called}
    assert told == expected_calls(alarm, people)
