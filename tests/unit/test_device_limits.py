"""What devices have for limits is read from each way in and shown beside the board's."""

from __future__ import annotations

import pytest

from hospital_ops import codes, events, wire
from hospital_ops.board import INDICATORS, DeviceLimits, decode_bed, with_indicators
from hospital_ops.errors import MessageError
from hospital_ops.hl7.understand import Source, understand
from icu.device_limits import AGAIN_US, LOOSER, NONE, OLD_US, SAME, STRICTER, compared
from icu.rules import limits_of
from tests.alarm_ward import BED, UNIT, Ward

HR, SPO2 = codes.by_key["hr"].code, codes.by_key["spo2"].code
NOW = 1_795_219_200_000_000
MSH = "MSH|^~\\&|GW||||20261120101530+0000||{kind}|C1|P|2.6\rPV1||I|h1-icu-1^^h1-icu-1-07\r"


def read(kind: str, *lines: str) -> list[wire.Entry]:
    raw = (MSH.format(kind=kind) + "\r".join(lines) + "\r").encode()
    found = understand(raw, Source(name="ward", hospital="h1"), NOW)
    return [entry for _, entry in found.entries("h1-icu-1", "h1-icu-1-07")]


def limits_of_values(*obx: str) -> list[tuple[float | None, float | None] | None]:
    (message,) = read("ORU^R01", "OBR|1||||||20261120101530", *obx)
    assert isinstance(message, wire.Observed)
    return [observation.limits for observation in message.observations]


def hr(text: str, value: int = 82, number: int = 1) -> str:
    return f"OBX|{number}|NM|147842^MDC_ECG_HEART_RATE^MDC|1.2.1.{number}|{value}|/min|{text}||||R"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("50-110", (50.0, 110.0)),
        ("50^110", (50.0, 110.0)),
        ("> 50", (50.0, None)),
        ("<110", (None, 110.0)),
        ("", None),
        ("110-50", None),
        ("normal", None),
        ("9" * 40 + "-1", None),
    ],
)
def test_a_range_beside_a_value_is_the_monitors_own_limit(
    sent: str, meant: tuple[float | None, float | None] | None
) -> None:
    assert limits_of_values(hr(sent)) == [meant]
    assert limits_of_values(hr(sent), hr(sent, 83)) == [meant, meant], "also where remembered"


def test_the_limits_of_a_laboratory_are_no_alarm_limits() -> None:
    assert limits_of_values("OBX|1|NM|2524-7^Lactate^LN||4.1|mmol/L|0.5-2.0||||F") == [None]


def test_limits_are_in_the_unit_of_the_value() -> None:
    obx = "OBX|1|NM|150344^MDC_TEMP^MDC|1.2.1.1|98.6|[degF]|96.8-102.2||||R"
    assert limits_of_values(obx) == [(36.0, 39.0)]


def test_limits_may_come_as_an_attribute_of_their_own() -> None:
    facet = "OBX|2|ST|67892^MDC_ATTR_LIMIT_CURR^MDC|1.2.1.1.1|50^110||||||R"
    assert limits_of_values(hr(""), facet) == [(50.0, 110.0)]
    other = facet.replace("1.2.1.1.1", "1.2.9.1.1")
    assert limits_of_values(hr(""), other) == [None]


def test_an_alarm_of_a_device_tells_its_limits_too() -> None:
    (alert,) = read(
        "ORU^R40^ORU_R40",
        "OBR|1||A7^GW|196616^MDC_EVT_ALARM^MDC|||20261120101530",
        "OBX|1|ST|196670^MDC_EVT_LO^MDC|1.3.1.150456.1|Low SpO2||||||F",
        "OBX|2|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.150456.2|86|%|88-100||||F",
        "OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.3.1.150456.3|start||||||F",
    )
    assert isinstance(alert, wire.DeviceAlert)
    assert (alert.about, alert.limits) == (SPO2, (88.0, 100.0))


def test_a_native_device_sends_its_limits_with_the_value() -> None:
    event = {
        "event_id": "01890a5d-ac96-774b-bcce-b302099a8057", "code": HR, "value": 82,
        "unit": "/min", "mode": "Test", "limits": {"low": 50, "high": None},
    }  # fmt: skip
    assert events.read(event, origin="monitor")[0].limits == (50.0, None)
    assert events.read(event, origin="typed")[0].limits is None
    assert (
        events.read(event | {"limits": {"low": float("nan")}}, origin="monitor")[0].limits is None
    )
    for nonsense in ("50-110", {"low": "50"}, {"low": True}):
        with pytest.raises(MessageError):
            events.read(event | {"limits": nonsense}, origin="monitor")


def told(ward: Ward) -> dict[str, DeviceLimits]:
    """What the board knows of the devices at the bed."""
    cell = ward.unit.cell(BED + INDICATORS)
    assert cell is not None
    return with_indicators(ward.cell(), decode_bed(cell)).device_limits


def test_the_bed_shows_where_the_monitor_rings_earlier_or_later_than_the_board() -> None:
    ward = Ward()
    ward.message(BED, {"hr": 80.0}, limits=(45.0, 110.0))
    ward.message(BED, {"spo2": 97.0}, limits=(90.0, None))
    limits = told(ward)
    held = [limit for code in (HR, SPO2) for limit in limits_of(code, "adult", 60)]
    found = {(c.code, c.side): c for c in compared(limits, held, ward.now)}
    assert found[HR, "low"].word == LOOSER
    assert found[HR, "high"].word == STRICTER
    assert found[SPO2, "low"].word == SAME
    assert found[HR, "high"].board == 120.0
    assert not any(each.old for each in found.values())
    later = compared(limits, held, ward.now + OLD_US + 1)
    assert all(each.old for each in later), "what nobody has said again for an hour is called old"


def test_limits_that_only_one_of_them_has_are_shown_as_such() -> None:
    ward = Ward()
    ward.message(BED, {"spo2": 97.0}, limits=(None, 99.0))
    (low, high) = compared(told(ward), limits_of(SPO2, "adult", 60), ward.now)
    assert (low.word, high.word) == (NONE, NONE)


def test_the_same_word_is_passed_on_once_a_minute_and_another_at_once() -> None:
    ward = Ward()
    ward.device_alert(limits=(88.0, 100.0))
    first = told(ward)[SPO2]
    ward.wait(10)
    ward.device_alert("continue", limits=(88.0, 100.0))
    assert told(ward)[SPO2] == first
    ward.device_alert("continue", limits=(85.0, 100.0))
    assert told(ward)[SPO2].low == 85.0
    ward.wait(AGAIN_US / 1e6)
    ward.device_alert("continue", limits=(85.0, 100.0))
    assert told(ward)[SPO2].at == ward.now


def test_limits_of_a_device_ring_for_nobody_and_survive_the_owner() -> None:
    ward = Ward()
    ward.message(BED, {"hr": 80.0}, limits=(90.0, 95.0))
    ward.wait(1)
    assert not ward.alarms()
    ward.restart()
    assert told(ward)[HR].low == 90.0
    assert ward.unit.state.unit == UNIT
