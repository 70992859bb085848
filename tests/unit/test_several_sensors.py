"""What two sensors, private codes and a sender's corrections come to at a bed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.board import AlarmCell
from hospital_ops.clock import SECOND
from hospital_ops.codes import by_key
from icu import record
from tests.alarm_ward import BED, UNIT, Ward

HR, SPO2, CREATININE = by_key["hr"], by_key["spo2"], by_key["creatinine"]


def told(
    ward: Ward,
    *rows: wire.Observation,
    mrn: str = "",
    mode: str = "Test",
    sent_at: int | None = None,
) -> None:
    """One message with these rows."""
    ward.count += 1
    name = str(ward.count)
    ward.give(
        wire.Observed(
            UNIT, "loop", name, name.encode(), ward.now, mode, rows, bed=BED, device="mon",
            mrn=mrn, sent_at=sent_at,
        )
    )  # fmt: skip


def seen(code: str, value: float, at: int, channel: str = "", **more: object) -> wire.Observation:
    """One value of a device."""
    return wire.Observation(code, value, determined_at=at, channel=channel, **more)  # type: ignore[arg-type]


def alarms(ward: Ward) -> dict[str, AlarmCell]:
    return {alarm.code: alarm for alarm in ward.cell().alarms}


@given(st.permutations([70.0, 97.0, 95.0]))
def test_a_low_saturation_rings_whichever_sensor_is_told_last(values: list[float]) -> None:
    ward = Ward()
    for _ in range(60):
        at = ward.now
        told(ward, *(seen(SPO2.code, v, at, f"1.{n}.1") for n, v in enumerate(values, 1)))
        ward.wait(1)
    cell = ward.cell()
    assert cell.values[SPO2.code].value == 70.0
    assert "several_sensors" in cell.flags
    assert alarms(ward)["spo2_desat"].value == 70.0


def test_the_alarm_ends_when_both_sensors_are_well_and_the_first_one_is_shown() -> None:
    ward = Ward()
    for low in (*[70.0] * 40, *[96.0] * 30):
        at = ward.now
        told(ward, seen(SPO2.code, 97.0, at, "1.1"), seen(SPO2.code, low, at, "1.2"))
        ward.wait(1)
    assert ward.cell().values[SPO2.code].value == 97.0
    assert all(alarm.state != "active" for alarm in ward.cell().alarms)


def test_a_sensor_that_was_plugged_elsewhere_holds_nothing_up() -> None:
    ward = Ward()
    for _ in range(40):
        told(ward, seen(SPO2.code, 70.0, ward.now, "1.1"))
        ward.wait(1)
    for _ in range(20):
        told(ward, seen(SPO2.code, 97.0, ward.now, "1.2"))
        ward.wait(1)
    cell = ward.cell()
    assert cell.values[SPO2.code].value == 97.0
    assert "several_sensors" not in cell.flags
    assert all(alarm.state != "active" for alarm in cell.alarms)


def test_a_private_value_named_like_a_vital_sign_does_not_take_its_place() -> None:
    ward = Ward()
    for _ in range(30):
        at = ward.now
        private = seen("99ACME QQ", 80.0, at, text=HR.code, mapped=False)
        told(ward, seen(HR.code, 25.0, at), private)
        ward.wait(1)
    cell = ward.cell()
    assert cell.values[HR.code].value == 25.0
    assert cell.values[f"{HR.code} (99ACME QQ)"].value == 80.0
    assert any(alarm.priority == "high" and alarm.about == HR.code for alarm in cell.alarms)


def test_two_private_codes_with_one_name_are_two_values() -> None:
    ward = Ward()
    for _ in range(3):
        at = ward.now
        told(
            ward,
            seen("T1", 36.6, at, text="Temp", mapped=False),
            seen("T2", 28.1, at, text="Temp", mapped=False),
        )
        ward.wait(1)
    shown = {name: one.value for name, one in ward.cell().values.items()}
    assert shown == {"Temp": 36.6, "Temp (T2)": 28.1}


@pytest.mark.parametrize("every_s", [1, 12, 60])
@pytest.mark.parametrize("off_s", [3 * 3600, -3 * 3600, 360, -360])
def test_a_rate_of_25_is_seen_and_rings_though_the_clock_is_wrong(every_s: int, off_s: int) -> None:
    ward = Ward()
    for _ in range(max(4, 120 // every_s)):
        told(ward, seen(HR.code, 25.0, ward.now + off_s * SECOND))
        cell = ward.cell()
        ward.wait(every_s)
    assert cell.values[HR.code].value == 25.0
    assert cell.values[HR.code].gone_at > ward.now - every_s * SECOND
    assert "clock_offset" in cell.flags
    assert any(a.about == HR.code and a.priority == "high" for a in cell.alarms)


def test_the_clock_of_each_of_twelve_devices_at_a_bed_is_known() -> None:
    ward = Ward()
    for _ in range(60):
        for n in range(12):
            name = str(ward.count)
            ward.count += 1
            at = ward.now + 360 * SECOND
            row = seen(HR.code, 25.0, at) if n == 0 else seen(f"Q{n}", 1.0, at, mapped=False)
            ward.give(
                wire.Observed(
                    UNIT, "loop", name, name.encode(), ward.now, "Test", (row,), bed=BED,
                    device=f"DEV{n}",
                )
            )  # fmt: skip
        ward.wait(1)
    assert ward.cell().values[HR.code].value == 25.0


def result(value: float | None, status: str = "") -> wire.Observation:
    """A creatinine of one moment, as the laboratory tells it."""
    return wire.Observation(
        CREATININE.code, value, CREATININE.ucum, determined_at=Ward().now, origin="laboratory",
        validity="Vld" if value is not None else "Inv", status=status,
    )  # fmt: skip


def counted(ward: Ward) -> object:
    """What of the creatinine the scores are made of: all of it, and the newest."""
    bed = ward.unit.state.beds[BED].record
    key = record.key_of(CREATININE.code, CREATININE.ucum)
    newest = bed.newest.get(key)
    return [row.value for row in bed.spots.get(key, ())], newest and newest.value


ROWS = {"F": result(900.0), "C": result(90.0, "C"), "W": result(None, "W")}


@given(st.lists(st.sampled_from("FCW"), min_size=1, max_size=6))
def test_a_result_that_was_taken_back_counts_nowhere_and_does_not_come_back(
    told_so: list[str],
) -> None:
    ward = Ward()
    for each in told_so:
        told(ward, ROWS[each])
    last = next((each for each in reversed(told_so) if each != "F"), "F")
    expected = {"F": 900.0, "C": 90.0, "W": None}[last]
    assert counted(ward) == (([], None) if expected is None else ([expected], expected))
    assert ward.cell().values[CREATININE.code].value == expected


@pytest.mark.parametrize("status", ["D", "W"])
def test_the_right_result_after_a_wrong_one_of_the_same_sample_is_shown_and_counts(
    status: str,
) -> None:
    ward = Ward()
    first, wrong, right = (ward.now + n * 60 * SECOND for n in range(3))
    for row, sent_at in (
        (result(900.0), first),
        (result(None, status), wrong),
        (result(120.0), right),
        (result(900.0), first),  # told again
    ):
        told(ward, row, sent_at=sent_at)
        ward.wait(1)
    assert ward.cell().values[CREATININE.code].value == 120.0
    assert counted(ward) == ([120.0], 120.0)
    told(ward, result(95.0, "C"), sent_at=right + SECOND)
    told(ward, result(120.0), sent_at=right + 2 * SECOND)  # a correction stands
    assert counted(ward) == ([95.0], 95.0)


def test_a_device_alarm_of_somebody_else_rings_and_is_filed_under_nobody() -> None:
    ward = Ward()
    ward.give(
        wire.DeviceAlert(
            UNIT, "loop", "a1", b"a1", ward.now, "Test", "A1", "196670", "MDC_EVT_LO", "SpO2 low",
            "start", "active", "PH", "SP", at=ward.now, bed=BED, device="mon", mrn="somebody-else",
        )
    )  # fmt: skip
    cell = ward.cell()
    assert "check_patient" in cell.flags
    assert [a.state for a in cell.alarms if a.code == "device_alarm"] == ["active"]
    assert {t.patient_id for t in ward.told if t.rule == "device_alarm"} == {""}


def test_a_test_message_does_not_make_the_bed_of_a_real_patient_a_test() -> None:
    ward = Ward(admit=False)
    ward.give(
        wire.Admission(
            UNIT, "adt", "1", b"1", ward.now, "Real", "A01",
            wire.PatientFacts("m1", "F", "G", "F", "1960-01-01"), ward.now, bed=BED,
        )
    )  # fmt: skip
    told(ward, seen(HR.code, 80.0, ward.now), mode="Test")
    assert ward.cell().mode == "Real"
    assert "check_patient" in ward.cell().flags


def of_device(ward: Ward, device: str, value: float, age_s: int = 0) -> None:
    """One saturation of a device at the bed."""
    ward.message(BED, {"spo2": value}, age_s=age_s, device=device)


@pytest.mark.parametrize("values", [(70.0, 97.0), (97.0, 70.0)])
def test_a_low_saturation_rings_whichever_of_two_monitors_speaks_last(
    values: tuple[float, float],
) -> None:
    ward = Ward()
    for _ in range(40):
        for device, value in zip(("bedside", "transport"), values, strict=True):
            of_device(ward, device, value)
            ward.wait(0.5)
    assert ward.cell().values[SPO2.code].value == 70.0
    assert alarms(ward)["spo2_desat"].state == "active"
    assert {"second_sender", "spo2_desat"} <= set(alarms(ward))


def test_the_monitor_that_takes_over_is_alone_once_the_other_one_is_silent() -> None:
    ward = Ward()
    for device, value in (("bedside", 70.0), ("transport", 97.0)):
        for _ in range(25):
            of_device(ward, device, value)
            ward.wait(1)
    cell = ward.cell()
    assert (cell.values[SPO2.code].value, "several_sensors" in cell.flags) == (97.0, False)
    assert all(alarm.state != "active" for alarm in cell.alarms)


def test_what_another_monitor_had_kept_takes_nobodys_place() -> None:
    ward = Ward()
    for age in range(60):
        of_device(ward, "bedside", 97.0)
        of_device(ward, "transport", 70.0, age_s=900 - age)
        ward.wait(1)
    cell = ward.cell()
    assert (cell.values[SPO2.code].value, "several_sensors" in cell.flags) == (97.0, False)
    assert "spo2_desat" not in alarms(ward)
