"""A value beyond its limit, for as long as its delay says, rings; nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND, iso
from icu.ages import age_at
from icu.rules import LIMIT_RULES, RULES, limits_of
from tests.alarm_ward import BED, START, UNIT, Ward

QUIET: dict[str, Any] = {"hr": 80.0, "spo2": 97.0, "rr": 15.0, "abp_mean": 80.0}
ROWS = {row["id"]: row for row in table("alarms")["rules"]}


def born(days: int) -> str:
    return iso(START - days * 86_400 * SECOND)[:10]


def test_a_quiet_patient_is_quiet() -> None:
    ward = Ward()
    ward.send(60, **QUIET)
    assert not ward.told
    assert not ward.alarms()


def test_a_saturation_below_the_limit_rings_after_its_delay_and_not_before() -> None:
    ward = Ward()
    delay = int(ROWS["spo2_low"]["delay_s"])
    ward.send(delay - 1, **QUIET | {"spo2": 88.0})
    assert "spo2_low" not in ward.alarms()
    ward.send(2, **QUIET | {"spo2": 88.0})
    alarm = ward.alarms()["spo2_low"]
    assert (alarm.state, alarm.priority, alarm.value) == ("active", "medium", 88.0)
    assert (alarm.limit, alarm.sign, alarm.since) == (90.0, "<", START)


def test_back_inside_during_the_delay_cancels_and_the_delay_begins_anew() -> None:
    ward = Ward()
    for _ in range(4):
        ward.send(12, **QUIET | {"spo2": 88.0})
        ward.send(1, **QUIET)
    assert not ward.told


def test_an_alarm_ends_by_itself_when_the_value_is_back() -> None:
    ward = Ward()
    ward.send(8, **QUIET | {"hr": 130.0})
    assert ward.alarms()["hr_high"].state == "active"
    ward.send(1, **QUIET)
    assert not ward.alarms()
    assert [event.state for event in ward.told] == ["active", "inactive"]


def test_a_new_red_is_urgent_and_a_yellow_is_not() -> None:
    ward = Ward()
    ward.send(8, **QUIET | {"abp_mean": 48.0})
    assert ward.urgent
    assert ward.alarms()["map_low"].priority == "high"
    other = Ward()
    other.send(8, **QUIET | {"hr": 130.0})
    assert "hr_high" in other.alarms()
    assert not other.urgent


def test_a_severe_desaturation_goes_on_until_it_is_acknowledged() -> None:
    ward = Ward()
    ward.send(8, **QUIET | {"spo2": 74.0})
    ward.send(20, **QUIET)
    alarm = ward.alarms()["spo2_desat"]
    assert alarm.state == "latched"
    ward.act("acknowledge", alarm.id)
    assert "spo2_desat" not in ward.alarms()
    assert ward.told[-1].state == "inactive"
    assert ward.told[-1].by == "nurse"


def test_a_latched_alarm_rings_anew_when_the_condition_is_back() -> None:
    ward = Ward()
    ward.send(8, **QUIET | {"spo2": 74.0})
    first = ward.alarms()["spo2_desat"]
    ward.send(5, **QUIET)
    ward.send(1, **QUIET | {"spo2": 74.0})
    again = ward.alarms()["spo2_desat"]
    assert (again.id, again.state) == (first.id, "active")
    assert again.burst_at > first.burst_at


def test_no_breath_rings_after_the_seconds_of_the_table() -> None:
    ward = Ward()
    seconds = int(ROWS["apnoea"]["limits"]["adult"]["s"])
    ward.send(seconds - 1, **QUIET | {"rr": 0.0})
    assert "apnoea" not in ward.alarms()
    ward.send(2, **QUIET | {"rr": 0.0})
    assert ward.alarms()["apnoea"].priority == "high"


def test_a_cuff_reading_is_judged_on_arrival() -> None:
    ward = Ward()
    ward.message(BED, {"nibp_sys": 70.0, "nibp_mean": 45.0})
    assert {"sbp_low", "map_low"} <= set(ward.alarms())
    ward.wait(300)
    ward.message(BED, {"nibp_sys": 120.0, "nibp_mean": 85.0})
    assert not {"sbp_low", "map_low"} & set(ward.alarms())


def test_an_arterial_line_waits_for_its_delay() -> None:
    ward = Ward()
    ward.send(4, **QUIET | {"abp_sys": 80.0})
    assert "sbp_low" not in ward.alarms()
    ward.send(3, **QUIET | {"abp_sys": 80.0})
    assert "sbp_low" in ward.alarms()


def test_a_line_and_a_cuff_ring_once() -> None:
    ward = Ward()
    ward.message(BED, {"nibp_mean": 50.0})
    ward.send(8, **QUIET | {"abp_mean": 48.0})
    cells = {cell.about: cell for cell in ward.cell().alarms}
    assert cells["8478-0"].merged_into == cells["76214-6"].id
    assert not cells["76214-6"].merged_into


@pytest.mark.parametrize(("cuff_mmhg", "rings"), [(55.0, False), (38.0, True)])
def test_a_cuff_that_is_a_step_worse_than_a_line_that_was_taken_on_rings(
    cuff_mmhg: float, rings: bool
) -> None:
    """A damped line says 57 and somebody has taken that on; the cuff knows better."""
    ward = Ward()
    ward.send(8, abp_mean=57.0)
    ward.act("acknowledge", ward.alarms()["map_low"].id)
    for _ in range(3):
        ward.message(BED, {"abp_mean": 57.0, "nibp_mean": cuff_mmhg})
        ward.wait(1)
    line, cuff = sorted(ward.cell().alarms, key=lambda alarm: alarm.since)
    assert line.state == "acknowledged"
    assert (cuff.state, cuff.merged_into == "") == ("active", rings)
    assert bool(cuff.called) is rings


def test_the_pulse_rate_never_rings_beside_the_heart_rate() -> None:
    ward = Ward()
    ward.send(30, **QUIET | {"pr": 180.0})
    assert "pr_high" not in ward.alarms()
    bare = Ward()
    bare.send(30, spo2=97.0, pr=180.0)
    assert "pr_high" in bare.alarms()


@pytest.mark.parametrize(
    ("days", "band"), [(0, "neonate"), (27, "neonate"), (28, "infant"), (364, "infant"),
                       (366, "1-4"), (366 * 4, "1-4"), (366 * 5, "5-11"), (366 * 12, "adult")]
)  # fmt: skip
def test_the_age_band_changes_on_the_day_of_the_table(days: int, band: str) -> None:
    assert age_at(born(days), START).band == band


@pytest.mark.parametrize("birth_date", ["", "1960", "2999-01-01", "no date"])
def test_a_birth_date_that_is_none_is_an_unknown_age(birth_date: str) -> None:
    assert age_at(birth_date, START).band == "unknown"


def test_the_pressure_of_a_child_is_judged_by_its_years() -> None:
    limits = {x.of.key: x.limit for x in limits_of("8480-6", "1-4", 3)}
    assert limits == {"sbp_low|8480-6": 76.0}
    older = {x.of.key: (x.limit, x.priority) for x in limits_of("8480-6", "5-11", 10)}
    assert older == {"sbp_low|8480-6": (90.0, "high")}


def test_an_infant_with_a_healthy_rate_does_not_ring_and_an_adult_does() -> None:
    infant, adult = Ward(born(100)), Ward()
    for ward in (infant, adult):
        ward.send(20, hr=130.0, rr=35.0, spo2=97.0)
    assert not {"hr_high", "rr_high"} & set(infant.alarms())
    assert {"hr_high", "rr_high"} <= set(adult.alarms())


def test_without_an_age_adult_limits_are_not_used_and_it_is_said() -> None:
    ward = Ward("")
    ward.send(30, hr=130.0, rr=35.0, spo2=97.0)
    assert set(ward.alarms()) == {"limits_missing"}
    assert ward.alarms()["limits_missing"].text == "Limits not set: age missing"


def test_without_an_age_what_no_age_allows_still_rings() -> None:
    ward = Ward("")
    ward.send(8, hr=30.0, spo2=70.0)
    assert {"brady_extreme", "spo2_desat"} <= set(ward.alarms())


def test_an_age_that_comes_later_sets_the_limits() -> None:
    ward = Ward("")
    ward.send(20, hr=130.0, rr=15.0)
    ward.admission("A08", "", "m1", "1960-01-01")
    assert "limits_missing" not in ward.alarms()
    ward.send(8, hr=130.0, rr=15.0)
    assert "hr_high" in ward.alarms()


def test_a_typed_value_never_rings() -> None:
    ward = Ward()
    for _ in range(5):
        ward.message(BED, {"spo2": 60.0, "hr": 20.0}, origin="typed")
        ward.wait(10)
    assert not ward.told


def test_an_invalid_value_neither_rings_nor_ends_an_alarm() -> None:
    ward = Ward()
    for _ in range(30):
        ward.message(BED, QUIET | {"spo2": 40.0}, validity="Inv")
        ward.wait(1)
    assert not [event for event in ward.told if event.rule == "spo2_desat"]
    other = Ward()
    other.send(8, **QUIET | {"abp_mean": 48.0})
    for _ in range(5):
        other.message(BED, {"abp_mean": 90.0}, validity="Inv")
        other.message(BED, {"hr": 80.0})
        other.wait(1)
    assert other.alarms()["map_low"].state == "active"


def test_an_unusual_value_rings_and_is_named_unusual() -> None:
    ward = Ward()
    for _ in range(8):
        ward.message(BED, {"spo2": 35.0}, validity="Qst", reason="implausible")
        ward.wait(1)
    assert {"spo2_desat", "implausible"} <= set(ward.alarms())


def test_late_data_never_ring_and_a_late_red_value_is_listed() -> None:
    ward = Ward()
    ward.send(3, **QUIET)
    for age in range(3600, 3000, -1):
        ward.message(BED, {"spo2": 60.0}, age_s=age)
    assert not ward.alarms()
    assert {event.state for event in ward.told} == {"past"}
    assert {event.rule for event in ward.told} == {"spo2_desat"}
    assert 10 <= len(ward.told) <= 11, "one for each minute, not one for each value"


def test_a_stored_hour_that_arrives_in_order_rings_only_with_what_is_still_live() -> None:
    ward = Ward()
    for age in range(600, 0, -1):
        spo2 = 60.0 if age > 30 else 97.0
        ward.message(BED, QUIET | {"spo2": spo2}, age_s=age)
    assert not ward.alarms()
    assert {event.state for event in ward.told if event.rule == "spo2_desat"} == {"past"}


def test_a_red_that_can_no_longer_be_measured_stays_until_somebody_comes() -> None:
    ward = Ward()
    ward.send(8, hr=80.0, abp_mean=48.0)
    alarm = ward.alarms()["map_low"]
    ward.send(40, hr=80.0)
    assert ward.alarms()["map_low"].state == "latched"
    assert "silent_sensor" in ward.alarms()
    ward.act("acknowledge", alarm.id)
    assert "map_low" not in ward.alarms()


def test_a_rule_without_a_source_or_off_is_never_read() -> None:
    read = {each.rule.id for each in LIMIT_RULES}
    for row in ROWS.values():
        if row["default"] == "off" or row["source"] is None:
            assert row["id"] not in read
            assert not RULES[row["id"]].on


def test_the_same_entries_give_the_same_alarms() -> None:
    runs = []
    for _ in range(2):
        ward = Ward()
        ward.send(20, **QUIET | {"spo2": 70.0})
        ward.wait(30)
        runs.append((ward.told, ward.unit.dump()))
    assert runs[0] == runs[1]


def test_no_two_events_of_an_alarm_share_a_moment() -> None:
    ward = Ward()
    for value in (48.0, 90.0) * 20:
        ward.message(BED, {"nibp_mean": value})
        ward.now += 1
    moments = [event.at for event in ward.told]
    assert len(moments) > 20
    assert len(set(moments)) == len(moments)
    assert ward.unit.state.unit == UNIT
