"""One sender that brings the values of several devices, each with a clock of its own."""

from __future__ import annotations

import pytest

from hospital_ops import wire
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND
from hospital_ops.codes import by_key
from hospital_ops.sender_clocks import SenderClock
from streams.clocked import Clocked
from tests.alarm_ward import BED, UNIT, Ward

HR, CO2, CUFF = by_key["hr"].code, by_key["etco2"].code, by_key["nibp_sys"].code
OFF = [360, -360, 3 * 3600, -3 * 3600]


def told(ward: Ward, *rows: tuple[str, float, int]) -> None:
    """One message of the engine: code, value, how far ahead of now its time lies (seconds)."""
    ward.count += 1
    name = str(ward.count)
    seen = tuple(
        wire.Observation(code, value, determined_at=ward.now + off * SECOND)
        for code, value, off in rows
    )
    ward.give(wire.Observed(UNIT, "engine", name, name.encode(), ward.now, "Test", seen, bed=BED))


def live(ward: Ward, cell: BedCell, code: str) -> float | str | None:
    """The value of a code, where it is on the board and not withdrawn."""
    shown = cell.values.get(code)
    return shown.value if shown and ward.now < shown.gone_at else None


@pytest.mark.parametrize("off_s", OFF)
def test_a_ventilator_with_another_clock_in_the_same_message_takes_nothing_away(off_s: int) -> None:
    ward = Ward()
    for second in range(90):
        told(ward, (HR, 25.0, 0), (CO2, 40.0, off_s))
        assert live(ward, ward.cell(), HR) == 25.0, second
        ward.wait(1)
    cell = ward.cell()
    assert live(ward, cell, CO2) == 40.0
    assert "clock_offset" in cell.flags
    assert any(a.about == HR and a.priority == "high" for a in cell.alarms)


@pytest.mark.parametrize("off_s", OFF)
def test_a_monitor_with_a_wrong_clock_behind_an_engine_without_device_names_is_watched(
    off_s: int,
) -> None:
    ward = Ward()
    for _ in range(60):
        told(ward, (HR, 25.0, off_s))
        told(ward, (CO2, 40.0, 0))
        ward.wait(1)
    cell = ward.cell()
    assert (live(ward, cell, HR), live(ward, cell, CO2)) == (25.0, 40.0)
    assert "clock_offset" in cell.flags
    assert any(a.about == HR and a.priority == "high" for a in cell.alarms)


def test_an_old_cuff_pressure_of_a_monitor_six_minutes_ahead_does_not_become_new() -> None:
    ward = Ward()
    for second in range(600):
        told(ward, (HR, 80.0, 360), (CUFF, 120.0, 360 - second))
        ward.wait(1)
        if second > 40:
            at = ward.cell().values[CUFF].at
            assert abs(at - (ward.now - (second + 1) * SECOND)) <= 3 * SECOND


def test_a_lead_that_falls_off_does_not_begin_the_clock_of_its_monitor_anew() -> None:
    ward = Ward()
    for _ in range(60):
        told(ward, (HR, 80.0, 360), (CO2, 40.0, 360))
        ward.wait(1)
    told(ward, (CO2, 30.0, 360))
    assert live(ward, ward.cell(), CO2) == 30.0


def test_stored_values_between_live_ones_stay_late() -> None:
    ward = Ward()
    for _ in range(90):
        told(ward, (HR, 80.0, 0))
        told(ward, (HR, 25.0, -600))
        ward.wait(1)
    assert live(ward, ward.cell(), HR) == 80.0
    assert "clock_offset" not in ward.cell().flags


def test_a_clock_of_a_snapshot_of_before_is_still_known() -> None:
    ward = Ward()
    now = ward.now
    ward.unit.state.beds[BED].clocks["engine "] = SenderClock(
        -360 * SECOND, now - 3600 * SECOND, now, -360 * SECOND
    )
    told(ward, (HR, 80.0, 360))
    assert live(ward, ward.cell(), HR) == 80.0


def test_the_archive_gives_each_device_behind_a_sender_the_time_that_the_board_gives_it() -> None:
    clocked = Clocked()
    for second in range(90):
        now = Ward().now + second * SECOND
        message = wire.Observed(
            UNIT, "engine", str(second), str(second).encode(), now, "Test",
            (
                wire.Observation(HR, 80.0, determined_at=now),
                wire.Observation(CO2, 40.0, determined_at=now + 360 * SECOND),
            ),
            bed=BED,
        )  # fmt: skip
        told = clocked.of(UNIT, message)
    assert told.at(now).trusted == 0
    assert told.at(now + 360 * SECOND).trusted == -360 * SECOND
    curve = wire.Waved(
        UNIT, "engine", "w", b"w", now, "Test", "II", "", now - SECOND, 250.0, 1.0, 0.0, "mV",
        b"\x01\x00" * 250, bed=BED,
    )  # fmt: skip
    assert clocked.by_now(curve, now - SECOND).trusted == 0
    assert clocked.by_now(curve, now + 359 * SECOND).trusted == -360 * SECOND
    assert clocked.by_now(curve, now - 900 * SECOND).trusted == 0  # stored, by neither
