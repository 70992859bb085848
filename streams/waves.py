"""The curves of a unit on their way out: what came after a moment, as frames for a screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from hospital_ops import waveform, wire
from hospital_ops.waveform import Frame
from streams.pipe import Pipe, read_streams
from streams.shard import START, keys

COUNT: Final = 500  # entries of one read: some seconds of a full unit
BLOCK_MS: Final = 1000
RECENT_COUNT: Final = 5000  # ten seconds of the largest unit whose five curves come one by one


def frame_of(wave: wire.Waved) -> bytes:
    """The bytes of an entry's frame; its samples are passed on as they came."""
    return waveform.pack(
        Frame(
            kind=waveform.SAMPLES,
            mode=wave.mode,
            place=wave.bed or wave.case,
            code=wave.code,
            channel=wave.channel,
            unit=wave.physical_unit,
            sequence=wave.sequence,
            started_at=wave.started_at,
            rate_hz=wave.rate_hz,
            scale=wave.scale,
            offset=wave.offset,
            samples=wave.samples,
        )
    )


class WaveReader:
    """Reads what comes into a unit's `waves` from now on; it keeps no position anywhere."""

    def __init__(self, pipe: Pipe, unit: str) -> None:
        self.pipe, self.key = pipe, keys(unit).waves
        self.position = ""

    async def start(self) -> None:
        """Begins behind the newest entry: a curve is shown from now on."""
        newest = await self.pipe.call("XREVRANGE", self.key, "+", "-", "COUNT", 1)
        self.position = newest[0][0].decode() if newest else START

    async def read(self) -> Sequence[wire.Waved]:
        """What came since the last read, or nothing after a second; undecodable ones are left
        to the store reader, which keeps them as dead letters."""
        found = await read_streams(
            self.pipe, {self.key: self.position}, count=COUNT, block_ms=BLOCK_MS
        )
        entries = found.get(self.key, [])
        if entries:
            self.position = entries[-1][0]
        return _waves(fields for _, fields in entries)


async def recent(pipe: Pipe, unit: str, since_us: int) -> list[wire.Waved]:
    """What came since a moment, so that a screen does not begin empty."""
    reply = await pipe.call(
        "XRANGE", keys(unit).waves, since_us // 1000, "+", "COUNT", RECENT_COUNT
    )
    return _waves(fields for _, fields in reply)


def _waves(entries: Iterable[Sequence[bytes]]) -> list[wire.Waved]:
    waves: list[wire.Waved] = []
    for fields in entries:
        try:
            entry = wire.decode(fields[1])
        except wire.DecodeError:
            continue
        if isinstance(entry, wire.Waved | wire.WavesTogether):
            waves += wire.apart(entry)
    return waves
