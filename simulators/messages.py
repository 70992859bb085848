"""HL7 v2.6 text as our monitors and our registration desk write it (IHE PCD-01, ADT^A01).

Only what a device sends; the house itself reads and answers HL7 in `hospital_ops/hl7/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hospital_ops.clock import to_datetime
from hospital_ops.hl7.parse import escape
from simulators.people import Person
from simulators.vocabulary import sign

_PCD_01 = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"

# Where each sign sits in the device tree (OBX-4): module, channel, place.
_CHANNELS: dict[str, tuple[int, int, int]] = {
    "hr": (2, 1, 1),
    "rr": (2, 2, 1),
    "spo2": (3, 1, 1),
    "pr": (3, 1, 2),
    "temp": (4, 1, 1),
    "nibp_sys": (16, 1, 1),
    "nibp_dia": (16, 1, 2),
    "nibp_mean": (16, 1, 3),
    "abp_sys": (5, 1, 1),
    "abp_dia": (5, 1, 2),
    "abp_mean": (5, 1, 3),
    "cvp": (5, 2, 1),
    "fio2": (6, 1, 1),
    "etco2": (6, 2, 1),
    "gcs": (7, 1, 1),
}
_CUFF_CHANNEL = "70687^MDC_DEV_PRESS_BLD_NONINV_CHAN^MDC"
_CUFF_MODULE = "70686^MDC_DEV_PRESS_BLD_NONINV_VMD^MDC"
_MONITOR = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"


@dataclass(frozen=True, slots=True)
class Reading:
    """One value as the monitor shows it; None: the sensor is attached and reads nothing."""

    key: str  # of clinical/codes.json
    value: float | None
    unit: str = ""  # UCUM, where a laboratory counts in another unit than the table


@dataclass(frozen=True, slots=True)
class Sender:
    """What a monitor says of itself and of the place it stands at."""

    device: str
    unit: str
    bed: str
    mrn: str  # empty: the monitor was not told who lies there
    processing: str = "P"  # MSH-11: P, or T while a technician tests


def hl7_time(at_us: int) -> str:
    """`20261120101530.123+0000` for microseconds since 1970."""
    moment = to_datetime(at_us)
    return f"{moment:%Y%m%d%H%M%S}.{moment.microsecond // 1000:03d}+0000"


def observations(
    control_id: str,
    sender: Sender,
    at_us: int,
    readings: Sequence[Reading],
    cuff: Sequence[Reading] = (),
    cuff_at_us: int = 0,
) -> bytes:
    """An ORU^R01 in the plain PCD-01 form; values are of `at_us`, those of the cuff of its own."""
    now = hl7_time(at_us)
    segments = [
        _header(control_id, "ORU^R01^ORU_R01", "MONITOR", now, sender.processing, _PCD_01),
        f"PID|||{sender.mrn}^^^HOSP^MR" if sender.mrn else "PID|",
        f"PV1||I|{sender.unit}^^{sender.bed}",
        f"OBR|1|||182777000^monitoring of patient^SCT|||{now}",
        f"OBX|1||{_MONITOR}|1.0.0.0|||||||X|||||||{sender.device}",
    ]
    for reading in readings:
        segments.append(_observation(len(segments) - 3, reading))
    if cuff:
        module, channel, _ = _CHANNELS["nibp_sys"]
        first = len(segments) - 3
        taken = hl7_time(cuff_at_us)
        segments.append(f"OBX|{first}||{_CUFF_MODULE}|1.{module}.0.0|||||||X")
        segments.append(
            f"OBX|{first + 1}||{_CUFF_CHANNEL}|1.{module}.{channel}.0|||||||X|||{taken}"
        )
        for reading in cuff:
            segments.append(_observation(len(segments) - 3, reading))
    return _joined(segments)


def backlog(
    control_id: str, sender: Sender, groups: Sequence[tuple[int, Sequence[Reading]]]
) -> bytes:
    """An ORU^R01 of what a monitor has kept: values of several moments, each in its own OBR."""
    segments = [
        _header(
            control_id,
            "ORU^R01^ORU_R01",
            "MONITOR",
            hl7_time(max(at for at, _ in groups)),
            sender.processing,
            _PCD_01,
        ),
        f"PID|||{sender.mrn}^^^HOSP^MR" if sender.mrn else "PID|",
        f"PV1||I|{sender.unit}^^{sender.bed}",
    ]
    number = 1
    for group, (at_us, readings) in enumerate(groups, start=1):
        when = hl7_time(at_us)
        segments.append(f"OBR|{group}|||182777000^monitoring of patient^SCT|||{when}")
        if group == 1:
            segments.append(f"OBX|1||{_MONITOR}|1.0.0.0|||||||X|||||||{sender.device}")
        for reading in readings:
            number += 1
            segments.append(_observation(number, reading))
    return _joined(segments)


def results(
    control_id: str, unit: str, bed: str, mrn: str, at_us: int, readings: Sequence[Reading]
) -> bytes:
    """An ORU^R01 of the laboratory: the results of a sample taken at `at_us`, by LOINC."""
    taken = hl7_time(at_us)
    rows = [(sign(one.key), one.value, one.unit) for one in readings if one.value is not None]
    return _joined(
        [
            _header(control_id, "ORU^R01^ORU_R01", "LABORATORY", taken, "P", ""),
            f"PID|||{mrn}^^^HOSP^MR",
            f"PV1||I|{unit}^^{bed}",
            f"OBR|1|||24326-1^blood^LN|||{taken}",
            *(
                f"OBX|{number}|NM|{row.code}^^LN||{value:g}|{unit or row.ucum}|||||F|||{taken}"
                for number, (row, value, unit) in enumerate(rows, start=1)
            ),
        ]
    )


def admission(
    control_id: str, person: Person, mrn: str, unit: str, bed: str, visit: str, at_us: int
) -> bytes:
    """An ADT^A01: this person lies in that bed from `at_us` (EVN-2, EVN-6, PV1-44)."""
    at = hl7_time(at_us)
    # Some months past the birthday, so that the age is right whenever the demo is started.
    born = to_datetime(at_us) - timedelta(days=person.age_years * 365.25 + 150)
    stay = f"PV1|1|I|{unit}^^{bed}" + "|" * 16 + f"{visit}^^^HOSP^VN" + "|" * 25 + at
    return _joined(
        [
            _header(control_id, "ADT^A01^ADT_A01", "REGISTRATION", at, "P", ""),
            f"EVN|A01|{at}||||{at}",
            f"PID|1||{mrn}^^^HOSP^MR||{escape(person.family)}^{escape(person.given)}^^^^^L"
            f"||{born:%Y%m%d}|{person.sex}",
            stay,
        ]
    )


def _header(
    control_id: str, kind: str, application: str, at: str, processing: str, profile: str
) -> str:
    accept, reply = ("AL", "NE") if profile else ("", "")
    return (
        f"MSH|^~\\&|{application}|SIMULATOR|||{at}||{kind}|{control_id}|{processing}|2.6|||"
        f"{accept}|{reply}||UNICODE UTF-8|||{profile}".rstrip("|")
    )


def _observation(number: int, reading: Reading) -> str:
    row = sign(reading.key)
    module, channel, place = _CHANNELS[reading.key]
    where = f"1.{module}.{channel}.{place}"
    name = f"{row.mdc}^{row.mdc_name}^MDC"
    if reading.value is None:  # OBX-8 NAV and status X: attached, no reading (PCD-01 table 0078)
        return f"OBX|{number}|NM|{name}|{where}||{row.mdc_unit}||NAV|||X"
    return f"OBX|{number}|NM|{name}|{where}|{reading.value:g}|{row.mdc_unit}|||||R"


def _joined(segments: Sequence[str]) -> bytes:
    return ("\r".join(segments) + "\r").encode()
