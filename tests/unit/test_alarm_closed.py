"""A bed that was closed after a death: silent for the dead, loud for whoever lives there next."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND
from tests.alarm_ward import BED, UNIT, Ward

FLAT: dict[str, Any] = {"hr": 0.0, "rr": 0.0}
LOW: dict[str, Any] = {"hr": 80.0, "abp_sys": 60.0, "abp_dia": 40.0, "abp_mean": 48.0}


def after_a_death(left: bool = True) -> Ward:
    """A monitor that was on the dead and is still attached; `left`: the stay has ended, too."""
    ward = Ward()
    ward.send(8, hr=70.0, rr=12.0, abp_sys=90.0, abp_dia=60.0)
    ward.send(12, **FLAT)
    ward.bed_act("close", by="doctor")
    if left:
        ward.admission("A03", BED, "m1")
    ward.send(40, **FLAT)
    return ward


def closed(ward: Ward) -> bool:
    return "closed" in ward.cell().flags


def sounding(ward: Ward) -> set[str]:
    return {name for name, alarm in ward.alarms().items() if not alarm.paused_until}


@pytest.mark.parametrize("left", [True, False])
def test_a_monitor_still_on_the_dead_makes_no_sound(left: bool) -> None:
    ward = after_a_death(left)
    ward.device_alert(event="196674", text="Asystole", priority="PH", about="8867-4", value=0.0)
    rhythm(ward, codes=("asystole",))
    ward.send(30, **FLAT, spo2=None)
    assert closed(ward)
    assert ward.alarms()
    assert not sounding(ward)


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize(
    "sign",
    [{"hr": 130.0}, {"pr": 60.0}, {"spo2": 97.0}, {"nibp_sys": 100.0}, {"rr": 14.0},
     {"abp_sys": 100.0, "abp_dia": 60.0}],
)  # fmt: skip
def test_the_first_sign_of_life_ends_the_silence(sign: dict[str, Any], left: bool) -> None:
    ward = after_a_death(left)
    ward.send(1, **sign)
    assert not closed(ward)


def test_whoever_is_put_there_before_the_admission_is_told_rings_with_the_units_limits() -> None:
    ward = after_a_death()
    ward.send(16, hr=80.0, spo2=70.0)
    assert {"spo2_desat", "unbound_device"} <= sounding(ward)
    assert ward.urgent


def test_what_rang_for_nobody_sounds_in_full_when_somebody_lives_there() -> None:
    ward = after_a_death()
    ward.send(2, hr=0.0, rr=14.0)
    assert "brady_extreme" in sounding(ward)


def test_another_monitor_is_another_patients_even_while_it_shows_no_beat() -> None:
    ward = after_a_death()
    for _ in range(8):
        ward.message(BED, FLAT, device="other")
        ward.wait(1)
    assert not closed(ward)
    assert "brady_extreme" in sounding(ward)


@pytest.mark.parametrize("of", ["values", "alarm"])
def test_a_message_that_names_another_patient_ends_the_silence(of: str) -> None:
    ward = after_a_death()
    ward.message(BED, FLAT, mrn="m1")
    assert closed(ward)
    if of == "values":
        ward.wait(1)
        ward.message(BED, {"temp": 36.5}, mrn="m2")
    else:
        ward.device_alert(mrn="m2")
    assert not closed(ward)


@pytest.mark.parametrize("trigger", ["A01", "A13"])
def test_an_admission_or_the_reversal_of_the_death_ends_the_silence(trigger: str) -> None:
    ward = after_a_death()
    ward.admission(trigger, BED, "m1" if trigger == "A13" else "m2", "1950-01-01")
    ward.send(8, **LOW)
    assert not closed(ward)
    assert "map_low" in sounding(ward)


def test_what_was_measured_before_the_death_and_comes_late_wakes_nobody() -> None:
    ward = after_a_death()
    ward.message(BED, {"spo2": 88.0}, age_s=120)
    ward.message(BED, {"temp": 36.5}, age_s=120, mrn="m0")
    ward.device_alert(mrn="m0", at=ward.now - 120 * SECOND)
    assert closed(ward)


def test_a_ventilator_that_goes_on_is_no_sign_of_life() -> None:
    ward = after_a_death()
    ward.message(BED, {"peep": 6.0, "vt": 450.0}, device="vent")
    ward.send(5, hr=0.0, rr=14.0, peep=6.0)
    assert closed(ward)


def test_a_pressure_line_without_a_pulse_is_no_sign_of_life() -> None:
    ward = after_a_death()
    ward.send(5, abp_sys=12.0, abp_dia=11.0, abp_mean=11.0)
    assert closed(ward)


def test_beats_in_the_curve_alone_end_the_silence() -> None:
    ward = after_a_death()
    rhythm(ward, codes=("asystole",), heart_rate=None)
    assert closed(ward)
    rhythm(ward, heart_rate=72.0)
    assert not closed(ward)


def test_the_silence_and_whose_it_is_outlive_a_restart() -> None:
    ward = after_a_death()
    ward.restart()
    ward.send(5, **FLAT)
    assert closed(ward)
    ward.message(BED, FLAT, device="other")
    assert not closed(ward)


def rhythm(ward: Ward, codes: tuple[str, ...] = (), heart_rate: float | None = None) -> None:
    """What our own look at the ECG came to."""
    at = ward.now
    ward.give(wire.Rhythm(UNIT, BED, at, at, "Test", codes, 1, False, heart_rate))
