"""Waveforms in ORU^R01: OBX of type NA with their attributes, as int16 samples."""

from __future__ import annotations

import sys
from array import array
from dataclasses import dataclass, field
from typing import Final

from hospital_ops.hl7.codes import coded, unit_of
from hospital_ops.hl7.parse import Message, Signs
from hospital_ops.hl7.values import number
from hospital_ops.waveform import RATE_MAX_HZ

GAP: Final = -32768  # this sample says: no sample here; it is never a value
_TOP: Final = 32767
_RATES: Final = ("MDC_ATTR_SAMP_RATE", "MDC_ATTR_SAMPLE_RATE")
_GAPS: Final = ("MDC_EVT_DATA_INVALID", "MDC_EVT_DATA_MISSING")
_RESOLUTIONS: Final = ("MDC_ATTR_SA_MSMT_RES", "MDC_ATTR_NU_MSMT_RES")
_RANGE: Final = "MDC_ATTR_DATA_RANGE"


@dataclass(slots=True)
class Wave:
    """A waveform as it is being read; `sub_id` is its OBX-4."""

    code: str
    sub_id: str
    values: list[float | None]
    started_at: int | None
    ended_at: int | None
    unit: str = ""
    rate_hz: float = 0.0
    resolution: float = 1.0
    gaps: set[float] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A finished piece of waveform: value = sample * scale + offset, `GAP` where there is none."""

    code: str
    channel: str
    started_at: int
    rate_hz: float
    scale: float
    offset: float
    unit: str
    samples: bytes  # little-endian int16


def count(value: str, signs: Signs) -> int:
    """How many samples an OBX-5 of type NA holds."""
    return 1 + value.count(signs.component) + value.count(signs.repetition)


def begin(
    message: Message,
    segment: list[str],
    started_at: int | None,
    ended_at: int | None,
) -> Wave:
    """The wave of an OBX of type NA; whatever is not a number in it is a gap."""
    signs = message.signs
    first, other = coded(segment[3], signs)
    text = segment[5].replace(signs.repetition, signs.component)
    values = [number(part.strip()) for part in text.split(signs.component)]
    unit, sent = unit_of(segment[6], signs)
    return Wave(
        code=first.code or other.code or first.text,
        sub_id=segment[4],
        values=values,
        started_at=started_at,
        ended_at=ended_at,
        unit=unit or sent,
    )


def describe(wave: Wave, name: str, value: str, unit: str) -> None:
    """Takes what a following attribute OBX (`name`: its reference id) says about `wave`."""
    figure = number(value.strip())
    if name == _RANGE:
        wave.unit = wave.unit or unit
    elif figure is None:
        return
    elif name in _RATES:
        wave.rate_hz = figure
    elif name in _GAPS:
        wave.gaps.add(figure)
    elif name in _RESOLUTIONS:
        wave.resolution, wave.unit = figure, unit or wave.unit


def finish(wave: Wave, channel: str, received_at: int) -> Piece | None:
    """The piece that the wave makes; None where its rate cannot be known or it has no sample.

    A rate that no device has is a mistake of the sender: no curve of that length is made.
    """
    values = [None if v is None or v in wave.gaps else v for v in wave.values]
    rate = wave.rate_hz
    if rate <= 0 and wave.started_at is not None and wave.ended_at is not None:
        seconds = (wave.ended_at - wave.started_at) / 1e6
        rate = len(values) / seconds if seconds > 0 else 0.0
    present = [v for v in values if v is not None]
    if not 0 < rate <= RATE_MAX_HZ or not present:
        return None
    samples, scale, offset = pack(values, present)
    started_at = wave.started_at
    if started_at is None:
        started_at = received_at - round(len(values) / rate * 1e6)
    return Piece(
        code=wave.code,
        channel=channel,
        started_at=started_at,
        rate_hz=rate,
        scale=scale * wave.resolution,
        offset=offset * wave.resolution,
        unit=wave.unit or "1",
        samples=samples,
    )


def pack(values: list[float | None], present: list[float]) -> tuple[bytes, float, float]:
    """(int16 little-endian, scale, offset): exact for decimals that fit, else 65,534 steps."""
    low, high = min(present), max(present)
    top = max(abs(low), abs(high))
    step = _step(present, top)
    if step:
        return _int16([GAP if v is None else round(v * step) for v in values]), 1 / step, 0.0
    scale, offset = (high - low) / (2 * _TOP) or 1.0, (high + low) / 2
    return (
        _int16([GAP if v is None else round((v - offset) / scale) for v in values]),
        scale,
        offset,
    )


def _step(present: list[float], top: float) -> int:
    """How many steps make one, so that all values are whole; 0 where they do not fit in int16.

    In one walk: what is whole in tenths is whole in hundredths too.
    """
    # Half a step more: 32.767 is 32767 thousandths, though not in floating point.
    step, most = 1, min(100_000, (_TOP + 0.5) / top if top else 1)
    for v in present:
        while abs(v * step - round(v * step)) >= 1e-6:
            step *= 10
            if step > most:
                return 0
    return step if step <= most else 0


def _int16(samples: list[int]) -> bytes:
    packed = array("h", [max(-_TOP, v) if v != GAP else GAP for v in samples])
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()
