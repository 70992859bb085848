"""The wave frame: a piece of one curve as bytes, the same from a device and to a screen. Pure.

A message holds one frame or several, one after another, little-endian throughout; the form is
written down for others in docs/waveforms.md. The samples are bytes that nobody between the device
and the screen looks at.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from hospital_ops.clock import FIRST_US, LAST_US
from hospital_ops.errors import MessageError

MAGIC: Final = b"HW"
VERSION: Final = 1
SAMPLES, GAP, BEAT = 1, 2, 3  # kinds: GAP and BEAT are sent to screens only
NO_SAMPLE: Final = -32768  # this sample says: no sample here; it is never a value
MODES: Final = ("Real", "Test", "Demo")

# magic, version, kind, mode, lengths of place, code, channel and unit, -, number of the message,
# samples, first sample's time (us), rate (Hz), scale, offset
_HEAD: Final = struct.Struct("<2sBBBBBBB3xIIqddd")
_ALIGNED: Final = 8
RATE_MAX_HZ: Final = 5000.0  # a pacemaker channel; anything faster is a mistake of the sender
SAMPLES_MAX: Final = 1 << 17  # of one message: 12 leads of 10 s at 1,000 Hz, and some
SECONDS_MAX: Final = 10.0  # of one frame: a longer one is no live curve


class Frame(NamedTuple):
    """A piece of one curve: value = sample * scale + offset, in `unit`."""

    kind: int
    mode: str  # Real, Test, Demo
    place: str  # bed or case; from a device bound to a bed it may be empty
    code: str  # MDC number (131330: ECG lead II), or the sender's own name
    channel: str
    unit: str  # UCUM
    sequence: int  # of the message, counted by the device
    started_at: int  # of the first sample, microseconds since 1970 UTC
    rate_hz: float
    scale: float
    offset: float
    samples: bytes  # int16 little-endian

    @property
    def length(self) -> int:
        """How many samples it holds."""
        return len(self.samples) // 2

    @property
    def ended_at(self) -> int:
        """When the sample after its last one is due, microseconds since 1970 UTC."""
        return self.started_at + round(self.length * 1_000_000 / self.rate_hz)


def pack(frame: Frame) -> bytes:
    """The bytes of a frame; ValueError where a name is longer than 255 bytes."""
    names = [text.encode() for text in (frame.place, frame.code, frame.channel, frame.unit)]
    if any(len(name) > 255 for name in names):
        raise ValueError("a name in a wave frame is at most 255 bytes of UTF-8")
    head = _HEAD.pack(
        MAGIC,
        VERSION,
        frame.kind,
        MODES.index(frame.mode),
        *map(len, names),
        frame.sequence & 0xFFFFFFFF,
        frame.length,
        frame.started_at,
        frame.rate_hz,
        frame.scale,
        frame.offset,
    )
    text = b"".join(names)
    before = len(head) + len(text)
    return b"".join((head, text, bytes(-before % _ALIGNED), frame.samples, _tail(frame.length)))


def mark(kind: int) -> bytes:
    """A frame without samples that tells a screen something: GAP or BEAT."""
    return pack(Frame(kind, "Real", "", "", "", "", 0, 0, 0.0, 0.0, 0.0, b""))


def unpack(message: bytes) -> Iterator[Frame]:
    """The frames of a message in their order; MessageError at the first that is malformed."""
    at, whole = 0, len(message)
    if not whole:
        raise MessageError("empty_frame", "a binary message holds one wave frame or several")
    while at < whole:
        if whole - at < _HEAD.size:
            raise MessageError("cut_frame", "the frame ends before its header does")
        magic, version, kind, mode, *lengths, sequence, count, started_at, rate, scale, offset = (
            _HEAD.unpack_from(message, at)
        )
        if magic != MAGIC or version != VERSION:
            raise MessageError("no_frame", "a wave frame begins with HW and version 1")
        if mode >= len(MODES):
            raise MessageError("no_mode", "the mode is 0 Real, 1 Test or 2 Demo")
        start = at + _HEAD.size
        names, start = _names(message, start, lengths)
        start += -(start - at) % _ALIGNED
        end = start + 2 * count
        if end > whole:
            raise MessageError("cut_frame", "the frame ends before its samples do")
        place, code, channel, unit = names
        yield Frame(
            kind,
            MODES[mode],
            place,
            code,
            channel,
            unit,
            sequence,
            started_at,
            rate,
            scale,
            offset,
            message[start:end],
        )
        at = end + len(_tail(count))


def check(frame: Frame) -> None:
    """Refuses what can be no piece of a live curve; MessageError says why."""
    if frame.kind != SAMPLES or not frame.length:
        raise MessageError("no_samples", "a device sends frames of kind 1 with samples")
    if not frame.code or not frame.code.isprintable():
        raise MessageError("no_code", "a wave frame names its curve: 131330 is ECG lead II")
    if not (math.isfinite(frame.rate_hz) and 0 < frame.rate_hz <= RATE_MAX_HZ):
        raise MessageError("bad_rate", f"the rate is above 0 and at most {RATE_MAX_HZ:g} Hz")
    if not FIRST_US <= frame.started_at <= LAST_US:
        raise MessageError("bad_time", "the first sample has a time that no calendar holds")
    if frame.length > frame.rate_hz * SECONDS_MAX:
        raise MessageError("too_long", f"a frame holds at most {SECONDS_MAX:g} s")
    if not (math.isfinite(frame.scale) and frame.scale and math.isfinite(frame.offset)):
        raise MessageError("bad_scale", "scale and offset are finite numbers, scale is not 0")


def _names(message: bytes, start: int, lengths: list[int]) -> tuple[list[str], int]:
    names = []
    for length in lengths:
        part = message[start : start + length]
        start += length
        if len(part) < length:
            raise MessageError("cut_frame", "the frame ends before its names do")
        try:
            names.append(part.decode())
        except UnicodeDecodeError as error:
            raise MessageError("not_utf8", "names in a wave frame are UTF-8") from error
    return names, start


def _tail(count: int) -> bytes:
    """Zero bytes after the samples, so that the next frame begins at a multiple of eight."""
    return bytes(-2 * count % _ALIGNED)
