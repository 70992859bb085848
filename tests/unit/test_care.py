"""The payload of a CARE TeleICU gateway is read as it is posted."""

from __future__ import annotations

import json
import struct
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import care, wire
from hospital_ops.clock import SECOND, ManualClock, from_iso, to_datetime
from hospital_ops.errors import MessageError
from hospital_ops.installation.store import KnownDevice
from hospital_ops.waveform import SAMPLES_MAX
from streams.care_intake import CareIntake, Poster

NOW = from_iso("2026-11-21T12:00:00Z")
UNIT = "h1-icu-1"
ZONES = ("Europe/Moscow", "UTC", care.OWN_ZONE)


def observation(name: str, **said: Any) -> dict[str, Any]:
    return {
        "observation_id": name, "device_id": "192.168.1.14", "date-time": "2026-11-21 17:30:00",
        "patient-id": "0", "patient-name": "", "status": "final", "value": 80, "unit": "bpm",
        "interpretation": "normal", "low-limit": 50, "high-limit": 120,
    } | said  # fmt: skip


PRESSURE = {
    "observation_id": "blood-pressure", "device_id": "192.168.1.14",
    "date-time": "2026-11-21 17:30:00", "patient-id": "0", "status": "final",
    "systolic": {"value": 122, "unit": "mmHg", "interpretation": "high", "low-limit": 90},
    "diastolic": {"value": 78, "unit": "mmHg", "interpretation": "normal"},
    "map": {"value": 93, "unit": "mmHg"},
}  # fmt: skip
WAVEFORM = {
    "observation_id": "waveform", "device_id": "192.168.1.14", "date-time": "2026-11-21 17:30:00",
    "patient-id": "0", "patient-name": "", "wave-name": "II", "resolution": "5uV",
    "sampling rate": "200/sec", "data-baseline": 2048, "data-low-limit": 0,
    "data-high-limit": 4095, "data": "2048 2248 1848 x 2048",
}  # fmt: skip


def device(*items: Any) -> care.Device:
    """The one device of a payload that nests its lists, as gateways do."""
    payload = care.read([list(items)], NOW, ZONES)
    assert payload.rejected == []
    (only,) = payload.devices.values()
    return only


def test_values_of_a_gateway_come_under_our_codes_with_the_time_of_its_own_zone() -> None:
    read = device(
        observation("heart-rate"),
        observation("SpO2", value=97, unit="%"),
        observation("body-temperature1", value=98.6, unit="F"),
        PRESSURE,
    )
    rows = {row.code: row for row in read.observations}
    assert rows["8867-4"].value == 80
    assert rows["59408-5"].value == 97
    assert rows["8310-5"].value == 37
    assert (rows["8480-6"].value, rows["8462-4"].value, rows["8478-0"].value) == (122, 78, 93)
    assert rows["8480-6"].flag == "H"
    assert {row.determined_at for row in read.observations} == {NOW}
    assert read.mrn == ""  # "0" names nobody


@pytest.mark.parametrize("status", ["Message-Leads Off", "Message-Measurement Invalid"])
def test_leads_that_are_off_have_no_number(status: str) -> None:
    (row,) = device(observation("heart-rate", value=0, status=status)).observations
    assert (row.value, row.validity) == (None, "Inv")
    assert status.removeprefix("Message-") in row.reason


def test_a_fast_heart_keeps_its_number_beside_the_message_of_the_device() -> None:
    (row,) = device(
        observation("heart-rate", value=171, status="Message-Tachy Cardia")
    ).observations
    assert (row.value, row.validity) == (171, "Vld")


def test_what_we_have_no_code_for_keeps_its_own_name_and_never_passes_as_a_vital() -> None:
    read = device(observation("ST", value=0.1, unit="mV"), observation("hr", value=70))
    assert [(row.code, row.text, row.mapped) for row in read.observations] == [
        ("ST", "ST", False),
        ("care:hr", "hr", False),
    ]


def test_a_waveform_is_in_millivolts_around_its_baseline() -> None:
    (wave,) = device(WAVEFORM).waves
    steps = struct.unpack(f"<{len(wave.samples) // 2}h", wave.samples)
    values = [round(step * wave.scale + wave.offset, 6) for step in steps if step != -32768]
    assert (wave.code, wave.rate_hz, wave.unit) == ("131330", 200, "mV")
    assert values == [0, 1, -1, 0]
    assert steps[3] == -32768  # what is no number is no sample


def test_a_waveform_may_spell_its_rate_with_a_hyphen_and_as_a_number() -> None:
    plain = {name: value for name, value in WAVEFORM.items() if name != "sampling rate"}
    (wave,) = device(plain | {"sampling-rate": 100, "wave-name": "Pleth"}).waves
    assert (wave.code, wave.rate_hz, wave.unit) == ("150452", 100, "1")


def test_one_observation_that_is_none_does_not_lose_the_others() -> None:
    payload = care.read([observation("heart-rate"), 7, {"observation_id": "x"}], NOW, ZONES)
    assert len(payload.rejected) == 2
    assert len(payload.devices["192.168.1.14"].observations) == 1


@pytest.mark.parametrize("figure", ["sampling rate", "resolution", "data-baseline"])
@pytest.mark.parametrize("absurd", [10**400, -(10**400), "9" * 400, float("nan"), 1e300])
def test_an_absurd_figure_of_one_curve_is_refused_in_words_and_the_rest_is_taken(
    figure: str, absurd: Any
) -> None:
    payload = care.read(
        [WAVEFORM | {figure: absurd}, observation("heart-rate"), WAVEFORM], NOW, ZONES
    )
    (refused,) = payload.rejected
    assert refused.startswith("observation 0: `")
    (only,) = payload.devices.values()
    assert (len(only.observations), len(only.waves)) == (1, 1)


def test_a_curve_of_more_samples_than_a_message_may_hold_is_refused() -> None:
    payload = care.read([WAVEFORM | {"data": [1] * (SAMPLES_MAX + 1)}, WAVEFORM], NOW, ZONES)
    assert len(payload.rejected) == 1
    assert len(payload.devices["192.168.1.14"].waves) == 1


@given(st.sampled_from(ZONES), st.integers(-50, 50))
def test_a_live_time_without_a_zone_is_understood_whatever_zone_it_was_written_in(
    zone: str, seconds: int
) -> None:
    at = NOW + seconds * SECOND
    text = f"{to_datetime(at).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}"
    assert care.moment(text, NOW, ZONES) == at


def test_a_zone_that_is_named_is_taken_at_its_word() -> None:
    text = f"{datetime(2026, 11, 21, 12):%Y-%m-%d %H:%M:%S}"
    assert care.moment(text, NOW, ["Europe/Moscow"]) == NOW - 3 * 3600 * SECOND
    assert care.moment(f"{text}+00:00", NOW, ["Europe/Moscow"]) == NOW


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.floats()
        | st.integers()
        | st.text(max_size=20)
        | st.sampled_from([10**400, -(10**400), "9" * 400, "1e400"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(sorted(observation("x") | PRESSURE | WAVEFORM)), inner, max_size=6
            )
        ),
        max_leaves=20,
    )
)
def test_whatever_is_posted_is_read_or_refused_in_words(posted: Any) -> None:
    try:
        payload = care.read(posted, NOW, ZONES)
    except MessageError:
        return  # no list of observations at all
    assert all(payload.rejected)


def test_two_patients_at_one_device_are_refused_one_by_one() -> None:
    sent = [
        observation("heart-rate", **{"patient-id": "A"}),
        observation("SpO2", value=97, unit="%", **{"patient-id": "B"}),
        observation("respiratory-rate", value=14, unit="brpm"),
    ]
    payload = care.read(sent, NOW, ZONES)
    (read,) = payload.devices.values()
    assert (read.mrn, len(read.observations), len(payload.rejected)) == ("A", 2, 1)
    assert "patient-id" in payload.rejected[0]


@pytest.mark.parametrize(("said", "new"), [("2026-11-21 17:30:00", False), ("", True)])
def test_steady_values_without_a_time_are_new_with_each_post(said: str, new: bool) -> None:
    read = device(observation("heart-rate", **{"date-time": said}))
    intake = CareIntake(Any, Any, Any, Any)  # type: ignore[arg-type]
    poster = Poster("care", "h1", "Test", lambda _: True)
    told = [
        intake._observed(poster, "h1-icu-1", "h1-icu-1-01", read, b"same", at).identity
        for at in (NOW, NOW + 3 * SECOND)
    ]
    assert (told[0] != told[1]) is new


class Beds:
    """Two beds of a unit, a device registered at the second one."""

    def __init__(self) -> None:
        self.units: dict[str, Any] = {}

    def device(self, hospital: str, name: str) -> Any:
        known = KnownDevice(
            device=name, hospital=hospital, bed=f"{UNIT}-02", mode="Test", address="", model=""
        )
        return known if name == "MON2" else None

    def standing(self, hospital: str, name: str) -> tuple[()]:
        return ()

    def mode_of_device(self, hospital: str, name: str) -> str:
        return ""

    def unit_of_bed(self, bed: str) -> str | None:
        return UNIT if bed in (f"{UNIT}-01", f"{UNIT}-02") else None


@pytest.mark.parametrize(
    ("devices", "taken"),
    [
        (["192.168.1.14"], True),  # whatever it calls itself
        ([f"{UNIT}-01"], True),
        ([f"{UNIT}-02"], False),
        (["MON2"], False),
        (["192.168.1.14", "192.168.1.15"], False),
    ],
)
async def test_the_token_of_one_bed_does_not_put_a_gateways_beds_on_one_patient(
    devices: list[str], taken: bool
) -> None:
    kept: list[wire.Entry] = []

    class Disk:
        async def append(self, _: str, entry: wire.Entry, raw: bytes) -> None:
            kept.append(entry)

        async def append_many(self, _: str, items: list[Any], stream: str = "in") -> None:
            kept.extend(entry for entry, _ in items)

    books = SimpleNamespace(read=lambda _, entry: entry)
    intake = CareIntake(Disk(), Beds(), books, ManualClock(NOW))  # type: ignore[arg-type]
    poster = Poster("device:mon1", "h1", "Test", lambda _: True, bed=f"{UNIT}-01")
    body = json.dumps([observation("heart-rate", device_id=name) for name in devices]).encode()
    if taken:
        await intake.take(poster, body)
        assert [getattr(entry, "bed", "") for entry in kept] == [f"{UNIT}-01"]
    else:
        with pytest.raises(MessageError) as refused:
            await intake.take(poster, body)
        assert "gateway" in refused.value.reason
        assert all(isinstance(entry, wire.Kept) for entry in kept)
        assert kept
