"""Technical alarms: silence, poor signals, unknown patients, wrong clocks and second senders."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hospital_ops import wire
from hospital_ops.board import HEAD, decode_head, state_of
from hospital_ops.clock import SECOND
from hospital_ops.codes import by_key
from hospital_ops.deciding import Stamped
from icu.unit import IcuUnit
from icu.values import UNMAPPED_MOST
from tests.alarm_ward import BED, START, UNIT, Ward

QUIET: dict[str, Any] = {"hr": 80.0, "spo2": 97.0, "rr": 15.0}


def test_one_silent_sensor_is_named_and_ends_when_it_speaks_again() -> None:
    ward = Ward()
    ward.send(5, **QUIET)
    ward.send(20, hr=80.0, rr=15.0)
    alarm = ward.alarms()["silent_sensor"]
    assert (alarm.about, alarm.priority) == ("59408-5", "medium")
    ward.send(1, **QUIET)
    assert not ward.alarms()


def test_a_silent_bed_rings_once_and_lists_its_sensors() -> None:
    ward = Ward()
    ward.send(5, **QUIET)
    ward.wait(20)
    cells = ward.cell().alarms
    ringing = [cell for cell in cells if not cell.merged_into]
    assert [(cell.code, cell.priority) for cell in ringing] == [("no_data", "medium")]
    listed = [cell for cell in cells if cell.merged_into]
    assert {cell.code for cell in listed} == {"silent_sensor"}
    assert {cell.about for cell in listed} == {"8867-4", "59408-5", "9279-1"}
    ward.send(1, **QUIET)
    assert not ward.alarms()


def test_what_a_box_has_kept_does_not_make_a_silent_monitor_heard() -> None:
    ward = Ward()
    ward.send(5, **QUIET)
    silent_since = ward.now
    for _ in range(20):  # values of ten minutes ago drain into the unit, one each second
        old = ward.now - 600 * SECOND
        row = wire.Observation(by_key["hr"].code, 80.0, "/min", determined_at=old)
        name = str(old).encode()
        ward.give(
            wire.Observed(
                UNIT, "box", name.decode(), name, old, "Test", (row,), bed=BED, device="mon"
            )
        )
        ward.wait(1)
    assert ward.now == silent_since + 20 * SECOND
    assert "no_data" in ward.alarms()


def test_ever_new_names_of_a_broken_sender_do_not_fill_the_bed() -> None:
    ward = Ward()
    ward.send(5, **QUIET)
    for n in range(3 * UNMAPPED_MOST):
        name = f"x{n}"
        odd = wire.Observation(name, 1.0, determined_at=ward.now, text=name, mapped=False)
        told = (UNIT, "loop", name, name.encode(), ward.now, "Test", (odd,))
        ward.give(wire.Observed(*told, bed=BED, device="mon"))
    assert len(ward.cell().values) == UNMAPPED_MOST + len(QUIET)
    assert ward.unit.state.counts["too_many"] == 2 * UNMAPPED_MOST
    ward.send(1, **QUIET)
    assert ward.cell().values["8867-4"].value == 80.0


def test_losing_sight_of_a_ventilated_patient_is_red() -> None:
    ward = Ward()
    ward.send(5, **QUIET, peep=6.0)
    ward.wait(20)
    assert ward.alarms()["no_data"].priority == "high"
    assert ward.urgent


def test_a_monitor_without_a_patient_is_named_after_its_delay() -> None:
    ward = Ward(admit=False)
    ward.send(8, **QUIET)
    assert "unbound_device" not in ward.alarms()
    ward.send(4, **QUIET)
    assert ward.alarms()["unbound_device"].priority == "medium"
    ward.admission("A01", BED, "m1", "1960-01-01")
    ward.send(1, **QUIET)
    assert not ward.alarms()


def test_an_empty_bed_whose_monitor_was_taken_away_is_quiet() -> None:
    ward = Ward(admit=False)
    ward.send(15, **QUIET)
    ward.wait(60)
    assert not ward.alarms()


def test_a_cuff_that_has_missed_three_cycles_is_overdue() -> None:
    ward = Ward()
    for _ in range(4):
        ward.message(BED, {"nibp_sys": 120.0, "nibp_mean": 85.0})
        ward.wait(300)
    ward.wait(3 * 300 + 5)
    alarm = ward.alarms()["nibp_overdue"]
    assert (alarm.priority, len(ward.alarms())) == ("low", 1)


def test_a_very_unusual_value_asks_to_look_at_the_sensor() -> None:
    ward = Ward()
    ward.send(2, **QUIET, temp=47.0)
    assert ward.alarms()["implausible"].about == "8310-5"
    ward.send(2, **QUIET, temp=37.0)
    assert not ward.alarms()


def test_a_saturation_that_gives_no_reading_is_a_sensor_off() -> None:
    ward = Ward()
    ward.send(14, hr=80.0, spo2=None)
    assert not ward.alarms()
    ward.send(4, hr=80.0, spo2=None)
    assert ward.alarms()["spo2_sensor_off"].priority == "medium"


def test_a_flat_arterial_line_is_technical() -> None:
    ward = Ward()
    ward.send(14, hr=80.0, abp_sys=102.0, abp_dia=100.0)
    assert "line_damped" in ward.alarms()
    ward.send(1, hr=80.0, abp_sys=120.0, abp_dia=70.0)
    assert "line_damped" not in ward.alarms()


def test_two_senders_of_one_channel_are_seen_at_once() -> None:
    ward = Ward()
    ward.message(BED, QUIET, device="mon1")
    ward.wait(1)
    ward.message(BED, QUIET, device="mon2")
    assert ward.alarms()["second_sender"].priority == "medium"
    for _ in range(20):
        ward.message(BED, QUIET, device="mon2")
        ward.wait(1)
    assert not ward.alarms()


def test_a_clock_that_is_wrong_is_named_after_a_minute() -> None:
    ward = Ward()
    for _ in range(8):
        ward.message(BED, QUIET, age_s=40)
        ward.wait(1)
    assert "clock_offset" in ward.cell().flags
    for _ in range(60):
        ward.message(BED, QUIET, age_s=40)
        ward.wait(1)
    assert ward.alarms()["clock_offset"].priority == "low"


@pytest.mark.parametrize("age_s", [-3600, 40, 3600, 31_536_000])
def test_a_patient_whose_monitor_has_a_wrong_clock_is_still_watched(age_s: int) -> None:
    ward = Ward()
    for _ in range(40):
        ward.message(BED, QUIET, age_s=age_s)
        ward.wait(1)
    shown = ward.cell().values["59408-5"]
    assert state_of(shown, ward.now) == "live"
    for _ in range(8):
        ward.message(BED, QUIET | {"spo2": 70.0}, age_s=age_s)
        ward.wait(1)
    assert ward.alarms()["spo2_desat"].state == "active"
    for _ in range(3):  # somebody sets the clock right
        ward.message(BED, QUIET)
        ward.wait(1)
    assert state_of(ward.cell().values["59408-5"], ward.now) == "live"


def test_stored_data_are_not_taken_for_a_wrong_clock() -> None:
    ward = Ward()
    for age in range(900, 100, -1):
        ward.message(BED, QUIET | {"spo2": 70.0}, age_s=age)
        ward.wait(0.05)
    assert "spo2_desat" not in ward.alarms()
    assert "clock_offset" not in ward.cell().flags


def test_a_child_without_a_limit_of_mean_pressure_says_so() -> None:
    ward = Ward("2023-01-01")
    ward.send(3, hr=110.0, abp_mean=40.0)
    alarm = ward.alarms()["limits_missing"]
    assert (alarm.about, alarm.priority, alarm.text) == ("76214-6", "low", "Limits not set")


def test_technical_alarms_are_the_same_after_a_restart() -> None:
    ward = Ward()
    ward.send(5, **QUIET)
    ward.send(20, hr=80.0, rr=15.0)
    before = ward.cell()
    told = len(ward.told)
    ward.restart()
    ward.send(1, hr=80.0, rr=15.0)
    assert [a.id for a in ward.cell().alarms] == [a.id for a in before.alarms]
    assert len(ward.told) == told


def test_a_snapshot_of_the_version_before_is_understood() -> None:
    """Alarms stood under their ids then, and had seven fields."""
    alarm = ["id-1", "medium", "silent_sensor", "Sensor silent", "active", START, "59408-5"]
    bed = [BED, "1", [], {}, {}, {}, {"id-1": alarm}]
    old = msgspec.msgpack.encode([UNIT, "h1", {BED: bed}])
    unit = IcuUnit(UNIT, "h1", old)
    assert next(iter(unit.state.beds[BED].alarms.values())).id == "id-1"
    unit.state.beds[BED].next_change = START
    told = unit.decide([Stamped(START, wire.Tick(START))]).outputs
    assert [event.state for event in told if isinstance(event, wire.Alerted)] == ["inactive"]


def test_a_record_that_did_not_come_along_is_said_at_the_bed_and_rings_after_ten_minutes() -> None:
    ward = Ward()
    ward.send(5, **QUIET)
    ward.give(wire.BedWaits(UNIT, BED, ward.now, left_behind=1))
    assert "record_left_behind" in ward.cell().flags
    ward.send(300, **QUIET)
    assert not ward.alarms()
    ward.restart()
    ward.send(310, **QUIET)
    assert ward.alarms()["record_left_behind"].priority == "low"
    ward.give(wire.BedWaits(UNIT, BED, ward.now))
    assert not ward.alarms()
    assert not ward.cell().flags


def test_what_is_proposed_at_a_bed_is_counted_for_the_unit_and_old_news_change_nothing() -> None:
    ward = Ward()
    other = f"{UNIT}-02"
    ward.give(wire.BedWaits(UNIT, BED, ward.now, refilings=2))
    ward.give(wire.BedWaits(UNIT, other, ward.now, refilings=1))
    ward.give(wire.BedWaits(UNIT, BED, ward.now - 1))
    assert (ward.cell().refilings, ward.cell(other).refilings) == (2, 1)
    head = decode_head(ward.unit.cell(HEAD) or b"")
    assert head.refilings == 3
    assert not ward.alarms()  # it is said, and rings nowhere
