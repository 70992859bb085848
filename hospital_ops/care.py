"""The payload of the CARE TeleICU gateway, `POST /update_observations`, read. Pure.

A list of observations, or of lists of them: `observation_id`, `device_id`, `date-time`,
`patient-id`, `status`, `value`, `unit`, `interpretation`, `low-limit`, `high-limit`; a
`blood-pressure` has `systolic`, `diastolic` and `map` with a value each; a `waveform` has
`wave-name`, `resolution` (`5uV`), `sampling rate` or `sampling-rate` (`200/sec`),
`data-baseline` and `data` (numbers with blanks between). Form: ohcnetwork/teleicu_middleware,
src/types/observation.ts.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from hospital_ops import codes, units, wire
from hospital_ops.clock import SECOND, from_datetime
from hospital_ops.errors import MessageError
from hospital_ops.events import valued
from hospital_ops.judging import Judged
from hospital_ops.waveform import NO_SAMPLE, RATE_MAX_HZ, SAMPLES_MAX

OBSERVATIONS_MAX: Final = 2000  # as OBX of a message (SAFETY.md section 3)
WANTED: Final = "a JSON list of observations"
OWN_ZONE: Final = "Asia/Kolkata"  # how the CARE gateway itself reads a time without a zone
FITS_US: Final = 60 * SECOND  # a live value is no older than this
_PARTS: Final = ("systolic", "diastolic", "map")
# Wave name -> (MDC number, unit); resolutions are given in microvolts for an ECG alone.
_WAVES: Final = {"II": ("131330", "mV"), "PLETH": ("150452", "1"), "RESPIRATION": ("151552", "1")}
_NUMBER: Final = re.compile(r"\s*([+-]?[0-9]+(?:\.[0-9]+)?)")
_UNUSABLE: Final = ("leads off", "lead off", "unplugged", "invalid", "sensor off", "not ready")
_FLAGS: Final = {"low": "L", "high": "H", "critical": "AA"}
_NOBODY: Final = frozenset(("", "0", "NA", "NONE", "NULL", "UNKNOWN"))
_TEXT: Final = 100
_FIGURE_MOST: Final = 1e6  # steps or microvolts: nothing that measures a patient says more
_YEARS: Final = (1970, 2100)


class Wave(NamedTuple):
    """A piece of curve: value = sample * scale + offset in `unit`, int16 little-endian."""

    code: str
    started_at: int | None
    rate_hz: float
    scale: float
    offset: float
    unit: str
    samples: bytes


@dataclass(slots=True)
class Device:
    """What one device of the payload sent."""

    device_id: str
    mrn: str = ""
    observations: list[wire.Observation] = field(default_factory=list)
    waves: list[Wave] = field(default_factory=list)


@dataclass(slots=True)
class Payload:
    """The devices of a payload in their order, and what was no observation."""

    devices: dict[str, Device] = field(default_factory=dict)
    rejected: list[str] = field(default_factory=list)


def read(parsed: Any, now_us: int, zones: Sequence[str]) -> Payload:
    """Reads a payload; times without a zone are of the first of `zones` that fits, see `moment`.

    Raises MessageError where it is no list of observations at all.
    """
    payload = Payload()
    for index, item in enumerate(_flat(parsed)):
        if index >= OBSERVATIONS_MAX:
            raise MessageError("too_many", f"send at most {OBSERVATIONS_MAX} observations at once")
        try:
            _take(payload, item, now_us, zones)
        except MessageError as error:
            payload.rejected.append(f"observation {index}: {error.reason}")
    return payload


def moment(text: Any, now_us: int, zones: Sequence[str]) -> int | None:
    """The time that `date-time` says, or None where it says none.

    Without a zone it is read in the first of `zones` in which it is of the last minute, else in the
    first one: a gateway of this kind sends what is now and keeps nothing.
    """
    if not isinstance(text, str) or not text.strip():
        return None
    try:
        said = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise MessageError("bad_time", "`date-time` is YYYY-MM-DD HH:MM:SS or ISO 8601") from error
    if not _YEARS[0] <= said.year < _YEARS[1]:
        raise MessageError("bad_time", "`date-time` lies outside 1970 to 2100: set the clock")
    if said.tzinfo is not None:
        return from_datetime(said)
    read_as = [from_datetime(said.replace(tzinfo=ZoneInfo(zone))) for zone in zones]
    return next((at for at in read_as if abs(at - now_us) <= FITS_US), read_as[0])


def _flat(parsed: Any) -> Iterator[Any]:
    if isinstance(parsed, Mapping):
        yield parsed
    elif isinstance(parsed, list):
        for item in parsed:
            yield from _flat(item) if isinstance(item, list) else (item,)
    else:
        raise MessageError("no_observations", f"send {WANTED}")


def _take(payload: Payload, item: Any, now_us: int, zones: Sequence[str]) -> None:
    if not isinstance(item, Mapping):
        raise MessageError("not_an_observation", "each observation is an object")
    name, device_id = item.get("observation_id"), item.get("device_id")
    if not isinstance(name, str) or not name or not isinstance(device_id, str) or not device_id:
        raise MessageError("no_id", "give `observation_id` and `device_id`")
    at = moment(item.get("date-time"), now_us, zones)
    device = payload.devices.setdefault(device_id[:_TEXT], Device(device_id[:_TEXT]))
    mrn = _patient(item.get("patient-id"))
    if device.mrn and mrn and mrn != device.mrn:
        raise MessageError("several_patients", "`patient-id` differs within one device's payload")
    device.mrn = device.mrn or mrn
    name = name[:_TEXT]
    if name == "waveform" or name.startswith("waveform-"):
        device.waves.append(_wave(item, name, at))
    elif name == "device-connection":
        return  # says that the device is there; a silent one is noticed by its silence
    elif any(isinstance(item.get(part), Mapping) for part in _PARTS):
        for part in _PARTS:
            inner = item.get(part)
            if isinstance(inner, Mapping):
                device.observations.append(_value(f"{name}.{part}", {**item, **inner}, at))
    else:
        device.observations.append(_value(name, item, at))


def _patient(said: Any) -> str:
    text = str(said).strip()[:_TEXT] if isinstance(said, str | int) else ""
    return "" if text.upper() in _NOBODY else text


def _value(name: str, item: Mapping[str, Any], at: int | None) -> wire.Observation:
    vital = codes.by_care.get(name)
    sent, unit = item.get("value"), str(item.get("unit") or "")[:_TEXT]
    if isinstance(sent, str) and (found := _NUMBER.fullmatch(sent.rstrip())):
        sent = float(found[1])
    if vital is None:
        unit = units.to_ucum(unit) or unit
    judged, unit = valued(sent, unit, vital)
    status = str(item.get("status") or "")
    if status.startswith("Message-") and (
        sent is None or any(word in status.lower() for word in _UNUSABLE)
    ):
        judged = Judged(None, "Inv", f"the device says {status[8:][:_TEXT]}")
    code = vital.code if vital else name
    if vital is None and (name in codes.by_code or name in codes.by_key):
        code = f"care:{name}"  # a name of theirs must never pass as a vital of ours
    return wire.Observation(
        code=code,
        value=judged.value,
        unit=unit,
        determined_at=at,
        validity=judged.validity,
        channel="2" if name == "body-temperature2" else "",
        text="" if vital else name,
        flag=_FLAGS.get(str(item.get("interpretation") or "").lower(), ""),
        reason=judged.reason,
        mapped=vital is not None,
        sent=judged.sent if unit else None,
    )


def _wave(item: Mapping[str, Any], name: str, at: int | None) -> Wave:
    said = str(item.get("wave-name") or name.removeprefix("waveform-")).upper()
    code, unit = _WAVES.get(said, (said[:_TEXT], "1"))
    rate = _leading(item.get("sampling-rate", item.get("sampling rate")))
    resolution = _leading(item.get("resolution"))
    baseline = _leading(item.get("data-baseline")) or 0.0
    if rate is None or not 0 < rate <= RATE_MAX_HZ:
        most = f"such as 200/sec, at most {RATE_MAX_HZ:g}"
        raise MessageError("bad_rate", f"`sampling-rate` is samples a second, {most}")
    if resolution is not None and not 0 <= resolution <= _FIGURE_MOST:
        raise MessageError("bad_resolution", "`resolution` is microvolts a step, such as 5uV")
    if not abs(baseline) <= _FIGURE_MOST:
        raise MessageError("bad_baseline", "`data-baseline` is the sample that stands for nothing")
    data = item.get("data")
    numbers = data.split() if isinstance(data, str) else data
    if not isinstance(numbers, list) or not numbers:
        raise MessageError("no_samples", "`data` is the samples with blanks between")
    if len(numbers) > SAMPLES_MAX:
        raise MessageError("too_many", f"send at most {SAMPLES_MAX} samples of a curve at once")
    if unit == "mV":
        # Microvolts a step; where nothing is said a step is nothing that could be measured.
        scale, unit = (resolution / 1000, unit) if resolution else (1.0, "1")
    else:
        scale = 1.0
    samples = struct.pack(f"<{len(numbers)}h", *map(_sample, numbers))
    return Wave(code, at, rate, scale, -baseline * scale, unit, samples)


def _sample(number: Any) -> int:
    try:
        step = round(float(number))
    except (TypeError, ValueError, OverflowError):
        return NO_SAMPLE
    return step if abs(step) <= 32767 else NO_SAMPLE


def _leading(said: Any) -> float | None:
    """The number that `200/sec` or `5uV` begins with; infinite where no float holds it."""
    if isinstance(said, int | float) and not isinstance(said, bool):
        try:
            return float(said)
        except OverflowError:
            return math.inf
    found = _NUMBER.match(said) if isinstance(said, str) else None
    return float(found[1]) if found else None
