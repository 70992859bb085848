"""The states: no path loses a red that nobody has taken on, and every silence ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hospital_ops.board import AlarmCell
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from icu.alarms import PAUSE_MAX_US, PAUSE_US
from icu.states import ACKNOWLEDGED, ACTIVE, INACTIVE, LATCHED, NEXT, after
from tests.alarm_ward import BED, UNIT, Ward

ABP_MEAN = "76214-6"
RED: dict[str, Any] = {"hr": 80.0, "abp_mean": 48.0}
REMINDER_S = table("alarms")["rule_defaults"]["acknowledged_red"]["reminder_s"]
STEP = table("alarms")["rule_defaults"]["acknowledged_red"]["step"]["map_mmhg"]
# The drawing of alarms.json, in the events of ours.
DRAWN = [
    (INACTIVE, "true", False, ACTIVE),
    (ACTIVE, "acknowledge", False, ACKNOWLEDGED),
    (ACTIVE, "false", True, LATCHED),
    (ACTIVE, "false", False, INACTIVE),
    (LATCHED, "acknowledge", True, INACTIVE),
    (LATCHED, "true", True, ACTIVE),
    (ACKNOWLEDGED, "false", True, INACTIVE),
    (ACKNOWLEDGED, "false", False, INACTIVE),
    (ACKNOWLEDGED, "worse", False, ACTIVE),
]


@pytest.mark.parametrize(("state", "event", "latching", "expected"), DRAWN)
def test_each_arrow_of_the_drawing_is_in_the_table(
    state: str, event: str, latching: bool, expected: str
) -> None:
    assert after(state, event, latching=latching, red=False) == expected


def test_what_can_no_longer_be_seen_ends_unless_it_is_a_red_that_nobody_has_taken_on() -> None:
    assert after(ACTIVE, "lost", latching=False, red=False) == INACTIVE
    assert after(ACTIVE, "lost", latching=False, red=True) == LATCHED
    assert after(ACKNOWLEDGED, "lost", latching=False, red=True) == INACTIVE


def test_every_state_of_an_alarm_has_an_answer_to_every_event() -> None:
    events = {event for _, event in NEXT}
    missing = [
        (s, e) for s in (ACTIVE, ACKNOWLEDGED, LATCHED) for e in events if (s, e) not in NEXT
    ]
    assert not missing


def red_bed() -> tuple[Ward, AlarmCell]:
    ward = Ward()
    ward.send(8, **RED)
    return ward, ward.alarms()["map_low"]


def test_an_acknowledged_red_reminds_while_it_lasts() -> None:
    ward, alarm = red_bed()
    ward.act("acknowledge", alarm.id)
    assert ward.alarms()["map_low"].state == "acknowledged"
    ward.send(REMINDER_S - 2, **RED)
    assert ward.alarms()["map_low"].reminded_at == 0
    ward.send(3, **RED)
    first = ward.alarms()["map_low"].reminded_at
    assert first
    ward.send(REMINDER_S + 1, **RED)
    assert ward.alarms()["map_low"].reminded_at >= first + REMINDER_S * SECOND
    assert ward.alarms()["map_low"].state == "acknowledged"


def test_what_was_pressed_for_an_earlier_burst_does_not_take_on_a_later_one() -> None:
    """Under the finger was a desaturation that had ended; meanwhile it has come back."""
    ward = Ward()
    ward.send(8, spo2=70.0)
    seen = ward.alarms()["spo2_desat"].burst_at
    ward.send(8, spo2=97.0)
    assert ward.alarms()["spo2_desat"].state == "latched"
    ward.send(8, spo2=70.0)
    desat = ward.alarms()["spo2_desat"]
    ward.act("acknowledge", desat.id, seen=seen)
    assert ward.alarms()["spo2_desat"].state == "active"
    ward.act("acknowledge", desat.id, seen=desat.burst_at)
    assert ward.alarms()["spo2_desat"].state == "acknowledged"


def test_an_acknowledged_red_rings_again_when_it_is_a_step_worse() -> None:
    ward, alarm = red_bed()
    ward.act("acknowledge", alarm.id)
    ward.send(3, **RED | {"abp_mean": 48.0 - STEP + 1})
    assert ward.alarms()["map_low"].state == "acknowledged"
    ward.urgent = False
    ward.send(1, **RED | {"abp_mean": 48.0 - STEP})
    again = ward.alarms()["map_low"]
    assert (again.id, again.state) == (alarm.id, "active")
    assert ward.urgent
    assert again.burst_at > alarm.burst_at
    ward.send(1, **RED | {"abp_mean": 48.0 - 2 * STEP})
    assert ward.alarms()["map_low"].burst_at > again.burst_at


def test_a_pause_is_silent_only_for_its_time() -> None:
    ward, alarm = red_bed()
    ward.act("pause", alarm.id)
    paused = ward.alarms()["map_low"]
    assert (paused.state, paused.paused_until) == ("active", ward.now + PAUSE_US)
    ward.send(PAUSE_US // SECOND + 2, **RED)
    after_it = ward.alarms()["map_low"]
    assert after_it.paused_until == 0
    assert after_it.burst_at > alarm.burst_at


def test_a_long_pause_is_cut_to_the_longest_one() -> None:
    ward, alarm = red_bed()
    ward.act("pause", alarm.id, seconds=86_400)
    assert ward.alarms()["map_low"].paused_until == ward.now + PAUSE_MAX_US


def test_it_is_said_before_a_pause_runs_out() -> None:
    ward, alarm = red_bed()
    ward.act("pause", alarm.id)
    assert "monitoring_paused" not in ward.alarms()
    ward.send(40, **RED)
    assert ward.alarms()["monitoring_paused"].priority == "low"
    ward.send(40, **RED)
    assert "monitoring_paused" not in ward.alarms()


def test_a_pause_of_one_alarm_leaves_a_new_one_loud() -> None:
    ward, alarm = red_bed()
    ward.act("pause", alarm.id)
    ward.send(8, **RED | {"spo2": 70.0})
    assert ward.alarms()["spo2_desat"].paused_until == 0


def test_an_act_on_an_alarm_that_has_ended_changes_nothing() -> None:
    ward, alarm = red_bed()
    ward.send(2, hr=80.0, abp_mean=90.0)
    told = len(ward.told)
    ward.act("acknowledge", alarm.id)
    ward.act("pause", "no such alarm")
    assert len(ward.told) == told


def test_an_acknowledgement_twice_is_one() -> None:
    ward, alarm = red_bed()
    ward.act("acknowledge", alarm.id, by="first")
    ward.act("acknowledge", alarm.id, by="second")
    assert ward.alarms()["map_low"].acknowledged_by == "first"
    assert [event.state for event in ward.told] == ["active", "acknowledged"]


def test_an_alarm_goes_with_its_patient_to_another_bed() -> None:
    ward, alarm = red_bed()
    other = f"{UNIT}-02"
    ward.admission("A02", other, "m1", prior_bed=BED)
    assert "map_low" not in ward.alarms()
    assert ward.alarms(other)["map_low"].id == alarm.id
    assert ward.told[-1].bed == other
    ward.act("acknowledge", alarm.id)  # the board of the old bed may still have shown it
    assert ward.alarms(other)["map_low"].state == "acknowledged"


def test_an_unseen_red_of_a_patient_who_left_stays_until_somebody_has_seen_it() -> None:
    ward, alarm = red_bed()
    ward.admission("A03", BED, "m1")
    assert ward.alarms()["map_low"].state == "latched"
    ward.admission("A01", BED, "m2", "1950-01-01")
    ward.send(10, **RED)
    rings = [cell for cell in ward.cell().alarms if cell.code == "map_low"]
    assert {cell.state for cell in rings} == {"active", "latched"}
    ward.act("acknowledge", alarm.id)
    assert [cell.state for cell in ward.cell().alarms if cell.code == "map_low"] == ["active"]


def test_a_patient_who_goes_to_another_unit_frees_the_bed_and_an_unseen_red_stays() -> None:
    ward, alarm = red_bed()
    ward.admission("A02", "", "m1", prior_bed=BED)
    assert ward.cell().patient is None
    assert not ward.cell().values
    assert ward.alarms()["map_low"].state == "latched"
    ward.act("acknowledge", alarm.id)
    assert not ward.alarms()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.sampled_from([30.0, 48.0, 59.0, 60.0, 90.0])),
        st.tuples(st.just("wait"), st.sampled_from([1, 4, 20, 70])),
        st.tuples(st.just("late"), st.sampled_from([30.0, 90.0])),
        st.tuples(st.just("invalid"), st.just(50.0)),
        st.tuples(st.just("pause"), st.sampled_from([0, 1, 600])),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("move"), st.just(0)),
        st.tuples(st.just("leave"), st.just(0)),
    ),
    max_size=30,
)


def one(ward: Ward, step: str, what: Any, bed: str) -> str:
    """One thing that may happen to a bed; answers where the patient lies now."""
    if step == "send":
        ward.send(3, bed, hr=80.0, abp_mean=what)
    elif step == "wait":
        ward.wait(what)
    elif step == "late":
        ward.message(bed, {"abp_mean": what}, age_s=40)
    elif step == "invalid":
        ward.message(bed, {"abp_mean": what}, validity="Inv")
    elif step == "pause":
        for alarm in ward.cell(bed).alarms:
            ward.act("pause", alarm.id, what)
    elif step == "restart":
        ward.restart()
    elif step == "move":
        goal = f"{UNIT}-02" if bed == BED else BED
        ward.admission("A02", goal, "m1", prior_bed=bed)
        return goal
    elif step == "leave":
        ward.admission("A03", bed, "m1")
        ward.admission("A01", bed, "m1", "1960-01-01")
    return bed


def is_good(ward: Ward, bed: str, step: str, what: Any) -> bool:
    """A value within limits that is believed now: also one 40 s old, of what is measured seldom."""
    if step == "send":
        return what in (60.0, 90.0)
    mean = ward.cell(bed).values.get(ABP_MEAN)
    return step == "late" and mean is not None and mean.value == 90.0 and ward.now < mean.gone_at


MEASURED_SELDOM = [("wait", 70), ("late", 30.0), ("invalid", 50.0), ("wait", 70), ("late", 90.0)]


@example(MEASURED_SELDOM)
@example([("wait", 70), ("late", 90.0)])
@given(STEPS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_but_a_person_or_a_good_value_ends_a_red(steps: list[tuple[str, Any]]) -> None:
    ward, bed = Ward(), BED
    ward.send(8, **RED)
    for step, what in steps:
        before = len(ward.told)
        bed = one(ward, step, what, bed)
        for event in ward.told[before:]:
            if event.priority == "high" and event.state == "inactive":
                assert is_good(ward, bed, step, what), "a red was lost"
        reds = [e for e in ward.told if e.priority == "high" and e.state != "past"]
        last = {event.alarm: event.state for event in reds}
        cells = [c for each in ward.unit.state.beds for c in ward.cell(each).alarms]
        shown = {cell.id: cell.state for cell in cells if cell.priority == "high"}
        assert shown == {i: s for i, s in last.items() if s != "inactive"}, "told and shown differ"
        for cell in cells:
            assert cell.paused_until <= ward.now + PAUSE_MAX_US


@given(STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_pause_ends_and_a_restart_keeps_all(steps: list[tuple[str, Any]]) -> None:
    ward, bed = Ward(), BED
    ward.send(8, **RED)
    for step, what in steps:
        bed = one(ward, step, what, bed)
        before = ward.unit.dump()
        ward.restart()
        assert ward.unit.dump() == before
    ward.wait(PAUSE_MAX_US // SECOND + 1)
    for each in ward.unit.state.beds:
        assert not [cell for cell in ward.cell(each).alarms if cell.paused_until]
