"""Silences of a whole bed: each has a reason, an end and a name, and hides nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hospital_ops.clock import SECOND
from icu.quiet import COMFORT, LONGEST_US, REASONS, STANDBY
from icu.rules import RULES
from tests.alarm_ward import BED, UNIT, Ward

RED: dict[str, Any] = {"hr": 80.0, "abp_mean": 48.0}
LETHAL: dict[str, Any] = {"hr": 20.0, "abp_mean": 90.0}
OTHER = f"{UNIT}-02"


def kinds(ward: Ward, bed: str = BED) -> set[str]:
    return {quiet.kind for quiet in ward.cell(bed).quiets}


def comfort(ward: Ward) -> None:
    ward.bed_act("comfort", by="doctor")
    ward.bed_act("confirm_comfort", by="nurse")


def test_a_stand_by_is_silent_visible_and_over_within_the_hour() -> None:
    ward = Ward()
    ward.bed_act("standby", reason="ct", minutes=600)
    ward.send(8, **RED)
    alarm = ward.alarms()["map_low"]
    assert (alarm.state, alarm.paused_until) == ("active", ward.cell().quiets[0].until)
    assert "standby" in ward.cell().flags
    assert ward.cell().quiets[0].until - ward.cell().quiets[0].since == LONGEST_US[STANDBY]
    for _ in range(61):
        ward.send(60, **RED)
    after = ward.alarms()["map_low"]
    assert not ward.cell().quiets
    assert (after.paused_until, after.id) == (0, alarm.id)
    assert after.burst_at > alarm.burst_at


def test_the_end_of_a_stand_by_is_said_before() -> None:
    ward = Ward()
    ward.bed_act("standby", reason="nursing", minutes=2)
    ward.send(100, hr=80.0)
    assert ward.alarms()["monitoring_paused"].priority == "low"


def test_a_lethal_alarm_sounds_in_a_stand_by() -> None:
    ward = Ward()
    ward.bed_act("standby", reason="procedure", minutes=30)
    ward.send(8, **LETHAL)
    assert ward.alarms()["brady_extreme"].paused_until == 0
    assert RULES["brady_extreme"].lethal
    assert not RULES["map_low"].lethal


def test_a_stand_by_needs_a_reason_of_the_list() -> None:
    ward = Ward()
    ward.bed_act("standby", reason="too loud", minutes=30)
    assert not ward.cell().quiets


def test_comfort_care_needs_two_different_people() -> None:
    ward = Ward()
    ward.send(8, **LETHAL)
    ward.bed_act("comfort", by="doctor")
    assert ward.alarms()["brady_extreme"].paused_until == 0
    ward.bed_act("confirm_comfort", by="doctor")
    assert kinds(ward) == {"comfort_asked"}
    ward.bed_act("confirm_comfort", by="nurse")
    assert kinds(ward) == {COMFORT}
    assert (ward.cell().quiets[0].by, ward.cell().quiets[0].confirmed_by) == ("doctor", "nurse")
    assert ward.alarms()["brady_extreme"].paused_until > ward.now
    assert ward.alarms()["brady_extreme"].state == "active"
    ward.bed_act("resume")
    assert ward.alarms()["brady_extreme"].paused_until == 0


def test_what_was_asked_for_and_not_confirmed_is_forgotten() -> None:
    ward = Ward()
    ward.bed_act("comfort", by="doctor")
    ward.wait(LONGEST_US["comfort_asked"] / SECOND + 1)
    ward.bed_act("confirm_comfort", by="nurse")
    assert not ward.cell().quiets


def test_comfort_care_goes_with_its_patient_and_never_to_the_next_one() -> None:
    ward = Ward()
    comfort(ward)
    ward.bed_act("standby", reason="ct")
    ward.admission("A02", OTHER, "m1", prior_bed=BED)
    assert not ward.cell().quiets
    assert kinds(ward, OTHER) == {COMFORT}
    ward.admission("A03", OTHER, "m1")
    ward.admission("A01", OTHER, "m2", "1950-01-01")
    assert not ward.cell(OTHER).quiets


def test_a_recorded_death_ends_all_and_a_living_patient_under_it_rings_at_once() -> None:
    ward = Ward()
    ward.send(8, **RED, peep=6.0)
    ward.bed_act("close", by="doctor")
    assert not ward.alarms()
    assert ward.told[-1].by == "doctor"
    ward.wait(120)
    assert not ward.alarms()
    ward.send(8, **RED)
    assert ward.alarms()["map_low"].paused_until == 0


def test_an_admission_to_a_taken_bed_is_seen_at_that_bed() -> None:
    ward = Ward()
    ward.send(3, hr=80.0)
    ward.admission("A01", BED, "m2", "1950-01-01")
    assert "displaced" in ward.cell().flags
    ward.send(12, hr=80.0)
    assert ward.alarms()["check_patient"].priority == "medium"
    ward.bed_act("confirm_patient")
    assert "displaced" not in ward.cell().flags
    assert "check_patient" not in ward.alarms()


@pytest.mark.parametrize("trigger", ["A03", "A02"])
def test_whoever_lay_there_and_leaves_or_gets_a_bed_is_no_longer_missing(trigger: str) -> None:
    ward = Ward()
    ward.admission("A01", BED, "m2", "1950-01-01")
    if trigger == "A03":
        ward.admission("A03", BED, "m1")
    else:
        ward.admission("A02", OTHER, "m1", prior_bed=BED)
    assert "displaced" not in ward.cell().flags


def test_two_patients_who_change_beds_displace_nobody() -> None:
    ward = Ward()
    ward.admission("A01", OTHER, "m2", "1950-01-01")
    ward.admission("A02", OTHER, "m1", prior_bed=BED)
    ward.admission("A02", BED, "m2", prior_bed=OTHER)
    assert not {"displaced"} & {*ward.cell().flags, *ward.cell(OTHER).flags}


def test_a_red_that_no_board_shows_says_so_until_one_does() -> None:
    ward = Ward(boards=False)
    ward.send(9, **RED)
    assert "board_lost" not in ward.alarms()
    ward.urgent = False
    ward.send(3, **RED)
    assert ward.alarms()["board_lost"].priority == "high"
    assert ward.urgent
    ward.paint()
    assert "board_lost" not in ward.alarms()
    assert ward.alarms()["map_low"].painted_at == ward.now


def test_a_red_that_was_taken_on_needs_no_board() -> None:
    ward = Ward(boards=False)
    ward.send(8, **RED)
    ward.act("acknowledge", ward.alarms()["map_low"].id)
    ward.send(10, **RED)
    assert "board_lost" not in ward.alarms()


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("standby"), st.sampled_from(REASONS)),
        st.tuples(st.just("comfort"), st.sampled_from(["doctor", "nurse"])),
        st.tuples(st.just("confirm_comfort"), st.sampled_from(["doctor", "nurse"])),
        st.tuples(st.just("close"), st.just("doctor")),
        st.tuples(st.just("resume"), st.just("nurse")),
        st.tuples(st.just("wait"), st.sampled_from([3, 700])),
        st.tuples(st.just("red"), st.sampled_from([48.0, 30.0])),
        st.tuples(st.just("admit"), st.sampled_from(["m1", "m2", "m3"])),
        st.tuples(st.just("restart"), st.just("")),
    ),
    max_size=16,
)


@given(ACTS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_path_of_silences_loses_a_red_and_every_one_of_them_ends(
    steps: list[tuple[str, Any]],
) -> None:
    ward = Ward()
    ward.send(8, **RED)
    for step, what in steps:
        before = len(ward.told)
        if step == "wait":
            ward.wait(what)
        elif step == "red":
            ward.send(3, hr=80.0, abp_mean=what)
        elif step == "admit":
            ward.admission("A01", BED, what, "1960-01-01")
        elif step == "restart":
            ward.restart()
        elif step == "standby":
            ward.bed_act(step, reason=what)
        else:
            ward.bed_act(step, by=what)
        told = [event for event in ward.told[before:] if event.rule == "map_low"]
        ended = [event for event in told if event.state == "inactive"]
        assert not ended or step == "close", "a red was lost"
    for quiet in ward.cell().quiets:
        assert quiet.until <= ward.now + max(LONGEST_US.values())
    ward.now += max(LONGEST_US.values())
    ward.wait(1)
    assert not ward.cell().quiets
    for cell in ward.cell().alarms:
        assert cell.paused_until == 0


@pytest.mark.parametrize("act", ["close", "comfort", "standby"])
def test_what_was_decided_for_one_patient_never_silences_the_next_one(act: str) -> None:
    ward = Ward()
    ward.admission("A01", BED, "dead", "1950-01-01")
    meant = ward.cell().patient
    assert meant is not None
    ward.admission("A03", BED, "dead", "1950-01-01")
    ward.admission("A01", BED, "alive", "1980-01-01")
    ward.send(8, **RED)
    before = ward.alarms()["map_low"]
    ward.bed_act(act, by="doctor", reason="ct", patient_id=meant.patient_id)  # too late
    ward.bed_act("confirm_comfort", by="nurse", patient_id=meant.patient_id)
    assert not ward.cell().quiets
    assert ward.alarms()["map_low"] == before


def test_what_was_decided_for_whoever_lies_here_holds() -> None:
    ward = Ward()
    ward.admission("A01", BED, "m1", "1950-01-01")
    patient = ward.cell().patient
    assert patient is not None
    ward.bed_act("close", by="doctor", patient_id=patient.patient_id)
    assert kinds(ward) == {"closed"}
