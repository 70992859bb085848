"""Curves as entries of a stream: a piece of one, and those of one message together.

What a monitor sends of five curves each half second is one entry: it is written, synced, read and
decoded once. `together` makes it, `apart` gives the same pieces again, each with its own identity
and number. A piece that came alone stands as it always stood.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hospital_ops.wire_forms import Form


class Waved(Form, frozen=True, tag="wav"):
    """A piece of one waveform: little-endian int16 samples, value = sample * scale + offset."""

    unit: str
    source: str
    message_id: str
    identity: bytes
    received_at: int
    mode: str
    code: str  # MDC or lead name
    channel: str
    started_at: int
    rate_hz: float
    scale: float
    offset: float
    physical_unit: str
    samples: bytes
    bed: str = ""
    device: str = ""
    case: str = ""
    sequence: int = 0
    mrn: str = ""  # as of `Observed`
    elsewhere: bool = False


class WavePiece(Form, frozen=True):
    """What the pieces of one message do not share; the fields are those of `Waved`."""

    code: str
    channel: str
    started_at: int
    rate_hz: float
    scale: float
    offset: float
    physical_unit: str
    samples: bytes
    identity: bytes = b""
    sequence: int = 0
    message_id: str = ""


class WavesTogether(Form, frozen=True, tag="wvs"):
    """Pieces of several waveforms of one place that came in one message, in their order."""

    unit: str
    source: str
    received_at: int
    mode: str
    pieces: tuple[WavePiece, ...]
    bed: str = ""
    device: str = ""
    case: str = ""
    mrn: str = ""
    elsewhere: bool = False


def together(waves: Iterable[Waved]) -> list[Waved | WavesTogether]:
    """The pieces of one message as entries: one for each place and person they are of."""
    shared: dict[tuple[object, ...], list[Waved]] = {}
    for wave in waves:
        of = (
            wave.unit, wave.source, wave.received_at, wave.mode, wave.bed, wave.device, wave.case,
            wave.mrn, wave.elsewhere,
        )  # fmt: skip
        shared.setdefault(of, []).append(wave)
    return [_joined(some) if len(some) > 1 else some[0] for some in shared.values()]


def _joined(waves: Sequence[Waved]) -> WavesTogether:
    first = waves[0]
    return WavesTogether(
        first.unit, first.source, first.received_at, first.mode,
        tuple(
            WavePiece(
                one.code, one.channel, one.started_at, one.rate_hz, one.scale, one.offset,
                one.physical_unit, one.samples, one.identity, one.sequence, one.message_id,
            )
            for one in waves
        ),
        first.bed, first.device, first.case, first.mrn, first.elsewhere,
    )  # fmt: skip


def apart(entry: Waved | WavesTogether) -> list[Waved]:
    """Each piece of an entry as if it had come alone."""
    if isinstance(entry, Waved):
        return [entry]
    return [
        Waved(
            entry.unit, entry.source, one.message_id, one.identity, entry.received_at, entry.mode,
            one.code, one.channel, one.started_at, one.rate_hz, one.scale, one.offset,
            one.physical_unit, one.samples, entry.bed, entry.device, entry.case, one.sequence,
            entry.mrn, entry.elsewhere,
        )
        for one in entry.pieces
    ]  # fmt: skip
