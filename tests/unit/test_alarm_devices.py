"""Alarms of devices: with their own priority, never lowered, never doubled."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops.codes import by_key
from icu.alarms import PAUSE_MAX_US
from icu.rules import RULES
from tests.alarm_ward import BED, Ward

LOW_SPO2: dict[str, Any] = {"hr": 80.0, "spo2": 86.0}


@pytest.mark.parametrize(
    ("sent", "shown"), [("PH", "high"), ("PM", "medium"), ("PL", "low"), ("PI", "low")]
)
def test_a_device_alarm_keeps_the_priority_of_the_device(sent: str, shown: str) -> None:
    ward = Ward()
    ward.device_alert(priority=sent)
    alarm = ward.alarms()["device_alarm"]
    assert (alarm.priority, alarm.text, alarm.value) == (shown, "Low SpO2", 86.0)
    assert ward.urgent is (shown == "high")


def test_a_repeat_is_the_same_alarm_and_its_end_ends_it() -> None:
    ward = Ward()
    ward.device_alert()
    first = ward.alarms()["device_alarm"].id
    ward.wait(5)
    ward.device_alert("continue", value=84.0)
    alarm = ward.alarms()["device_alarm"]
    assert (alarm.id, alarm.value) == (first, 84.0)
    ward.device_alert("end")
    assert not ward.alarms()
    assert [event.state for event in ward.told] == ["active", "inactive"]


def test_an_escalation_is_louder_and_a_deescalation_is_never_softer() -> None:
    ward = Ward()
    ward.device_alert()
    ward.wait(1)
    ward.device_alert("escalate", priority="PH")
    assert ward.alarms()["device_alarm"].priority == "high"
    assert ward.urgent
    ward.device_alert("deescalate", priority="PL")
    assert ward.alarms()["device_alarm"].priority == "high"


def test_the_device_rings_and_ours_on_the_same_value_is_listed_under_it() -> None:
    ward = Ward()
    ward.device_alert()
    ward.send(18, **LOW_SPO2)
    alarms = ward.alarms()
    assert alarms["spo2_low"].merged_into == alarms["device_alarm"].id
    assert alarms["device_alarm"].merged_into == ""


def test_a_red_of_ours_is_never_hidden_under_a_yellow_of_the_device() -> None:
    ward = Ward()
    ward.device_alert()
    ward.send(8, hr=80.0, spo2=70.0)
    alarms = ward.alarms()
    assert alarms["spo2_desat"].merged_into == ""
    assert alarms["device_alarm"].merged_into == alarms["spo2_desat"].id


def test_who_takes_on_the_device_alarm_takes_on_what_is_listed_under_it() -> None:
    ward = Ward()
    ward.device_alert()
    ward.send(18, **LOW_SPO2)
    ward.act("acknowledge", ward.alarms()["device_alarm"].id)
    assert {alarm.state for alarm in ward.alarms().values()} == {"acknowledged"}


def test_ours_on_another_value_rings_for_itself() -> None:
    ward = Ward()
    ward.device_alert()
    ward.send(8, hr=130.0, spo2=97.0)
    assert ward.alarms()["hr_high"].merged_into == ""


def test_a_pause_at_the_bedside_counts_here_and_ends_here_by_itself() -> None:
    ward = Ward()
    ward.device_alert()
    ward.device_alert("update", inactivation=("audio-paused", "alarm-paused"))
    assert ward.alarms()["device_alarm"].paused_until == ward.now + PAUSE_MAX_US
    ward.wait(PAUSE_MAX_US // 1_000_000 + 1)
    assert ward.alarms()["device_alarm"].paused_until == 0
    assert ward.alarms()["device_alarm"].state == "active"


def test_an_acknowledgement_at_the_bedside_counts_here() -> None:
    ward = Ward()
    ward.device_alert(device="mon7")
    ward.device_alert("update", inactivation=("alarm-acknowledged",), device="mon7")
    alarm = ward.alarms()["device_alarm"]
    assert (alarm.state, alarm.acknowledged_by) == ("acknowledged", "bedside:mon7")


def test_an_alarm_that_the_device_latches_goes_on_until_it_is_acknowledged() -> None:
    ward = Ward()
    ward.device_alert()
    ward.device_alert("update", state="latched")
    assert ward.alarms()["device_alarm"].state == "latched"
    ward.act("acknowledge", ward.alarms()["device_alarm"].id)
    assert not ward.alarms()


def test_a_start_that_was_overtaken_by_its_end_does_not_ring() -> None:
    ward = Ward()
    began = ward.now
    ward.wait(2)
    ward.device_alert("end")
    ward.device_alert(at=began)
    assert not ward.alarms()


def test_a_device_alarm_of_an_hour_ago_is_listed_and_does_not_ring() -> None:
    ward = Ward()
    ward.send(5, hr=80.0)  # its clock is right
    ward.device_alert(at=ward.now - 3600 * 1_000_000, priority="PH")
    assert not ward.alarms()
    assert [event.state for event in ward.told] == ["past"]


MINUTE = 60 * 1_000_000


def test_an_alarm_that_goes_on_rings_though_its_start_was_lost_ten_minutes_ago() -> None:
    ward = Ward()
    ward.send(5, hr=80.0)
    ward.device_alert("continue", at=ward.now - 10 * MINUTE, priority="PH")
    assert ward.alarms()["device_alarm"].state == "active"


def test_what_a_box_kept_for_ten_minutes_does_not_ring() -> None:
    ward = Ward()
    ward.send(5, hr=80.0)
    then = ward.now - 10 * MINUTE
    ward.device_alert("continue", at=then, received_at=then, priority="PH")
    assert not ward.alarms()


def test_an_asystole_of_a_monitor_whose_clock_is_six_minutes_slow_rings() -> None:
    ward = Ward()
    for _ in range(10):
        ward.message(BED, {"hr": 80.0}, age_s=360)
        ward.wait(1)
    ward.device_alert(at=ward.now - 6 * MINUTE, priority="PH", text="Asystole", about="8867-4")
    alarm = ward.alarms()["device_alarm"]
    assert (alarm.state, alarm.priority) == ("active", "high")
    assert ward.now - alarm.since < MINUTE


def test_an_alarm_rings_where_nothing_is_known_of_the_clock_of_its_sender() -> None:
    ward = Ward()
    ward.device_alert(at=ward.now - 7 * MINUTE, priority="PH", device="ventilator")
    assert ward.alarms()["device_alarm"].state == "active"


def test_an_alarm_after_a_clock_was_set_back_is_not_taken_for_an_ended_one() -> None:
    ward = Ward()
    ward.device_alert(priority="PH", text="VTACH")
    ward.wait(5)
    ward.device_alert("end", priority="PH")
    ward.wait(61)
    ward.device_alert(priority="PH", text="VTACH", at=ward.now - 2 * MINUTE)
    assert ward.alarms()["device_alarm"].state == "active"


def test_a_start_that_is_told_again_after_its_end_does_not_ring() -> None:
    ward = Ward()
    began = ward.now
    ward.device_alert(at=began)
    ward.wait(5)
    ward.device_alert("end")
    ward.wait(90)
    ward.device_alert(at=began)
    assert not ward.alarms()


def test_a_sound_that_is_off_at_the_bedside_is_off_here_once() -> None:
    ward = Ward()
    ward.device_alert(priority="PH")
    for _ in range(130):
        ward.device_alert("update", inactivation=("audio-off",), priority="PH")
        ward.wait(1)
    assert ward.alarms()["device_alarm"].paused_until == 0
    ward.device_alert("update", inactivation=("enabled",), priority="PH")
    ward.device_alert("update", inactivation=("audio-off",), priority="PH")
    assert ward.alarms()["device_alarm"].paused_until > ward.now


def test_a_pause_of_ours_lasts_though_the_device_says_that_its_sound_is_on() -> None:
    ward = Ward()
    ward.device_alert(priority="PH")
    ward.act("pause", ward.alarms()["device_alarm"].id)
    ward.device_alert("update", inactivation=("enabled",), priority="PH")
    assert ward.alarms()["device_alarm"].paused_until > ward.now


def test_a_red_of_a_device_that_was_taken_on_here_reminds() -> None:
    ward = Ward()
    ward.device_alert(priority="PH")
    ward.act("acknowledge", ward.alarms()["device_alarm"].id)
    ward.wait(RULES["asystole"].reminder_us // 1_000_000 + 1)
    assert ward.alarms()["device_alarm"].reminded_at


def test_a_stand_by_does_not_silence_what_a_device_calls_red() -> None:
    ward = Ward()
    ward.bed_act("standby", reason="ct", minutes=60)
    ward.device_alert(priority="PH", event="999", text="VENT FIB", about="8867-4")
    ward.device_alert(priority="PM", alert="A2", text="PVC")
    red, yellow = (a for a in ward.cell().alarms)
    assert (red.priority, yellow.priority) == ("high", "medium")
    assert red.called
    assert not yellow.called


def test_a_technical_alarm_of_a_pump_is_not_merged() -> None:
    ward = Ward()
    ward.device_alert(kind="ST", priority="PH", about="", text="Occlusion downstream")
    ward.send(18, **LOW_SPO2)
    assert ward.alarms()["spo2_low"].merged_into == ""
    assert ward.alarms()["device_alarm"].text == "Occlusion downstream"
    assert ward.cell().bed == BED


def test_a_red_that_begins_after_the_device_alarm_was_taken_on_rings() -> None:
    """The rate was too high and somebody took it on; then it falls too low."""
    ward = Ward()
    heart: dict[str, Any] = {
        "about": by_key["hr"].code,
        "text": "HR high",
        "value": 150.0,
        "priority": "PH",
    }
    ward.device_alert(**heart)
    ward.act("acknowledge", ward.alarms()["device_alarm"].id)
    ward.send(8, hr=20.0, spo2=97.0)
    alarms = ward.alarms()
    assert alarms["brady_extreme"].state == "active"
    assert alarms["brady_extreme"].merged_into == ""
    assert alarms["brady_extreme"].next_posts or alarms["brady_extreme"].called


def test_what_is_less_urgent_than_what_was_taken_on_stays_under_it() -> None:
    ward = Ward()
    ward.device_alert(priority="PH")
    ward.act("acknowledge", ward.alarms()["device_alarm"].id)
    ward.send(18, **LOW_SPO2)
    alarms = ward.alarms()
    assert alarms["spo2_low"].priority == "medium"
    assert alarms["spo2_low"].merged_into == alarms["device_alarm"].id


def test_a_sender_that_numbers_each_repetition_anew_has_eight_alarms_and_not_thousands() -> None:
    ward = Ward()
    for number in range(40):
        ward.device_alert(alert=f"A{number}", priority="PH")
        ward.wait(1)
    state = ward.unit.state.beds[BED]
    mine = [alarm for alarm in state.alarms.values() if alarm.device]
    assert sorted(alarm.key.rpartition("|A")[2] for alarm in mine) == [
        str(n) for n in range(32, 40)
    ]
    assert all(alarm.state == "active" for alarm in mine)  # the last ones: the condition goes on
    assert [event.state for event in ward.told].count("inactive") == 32  # each end is told


def test_among_ever_more_alarms_of_devices_a_bed_keeps_the_urgent_ones() -> None:
    ward = Ward()
    ward.device_alert(alert="red", text="Asystole", priority="PH")
    for number in range(200):
        ward.device_alert(alert=f"A{number}", text=f"Event {number}", priority="PM")
    mine = [alarm for alarm in ward.unit.state.beds[BED].alarms.values() if alarm.device]
    assert len(mine) == 64
    assert {"Asystole", "Event 199"} <= {alarm.text for alarm in mine}


def test_the_same_words_of_eight_pump_channels_are_eight_alarms() -> None:
    ward = Ward()
    for channel in range(8):
        ward.device_alert(alert=f"channel {channel}", text="Occlusion", about="")
    ward.device_alert("end", alert="channel 3", text="Occlusion", about="")
    mine = [alarm for alarm in ward.unit.state.beds[BED].alarms.values() if alarm.device]
    assert len(mine) == 7
