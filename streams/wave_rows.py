"""The rows of curves, packed as PostgreSQL's binary COPY takes them, while it takes them. Pure.

Curves are most of what a ward sends, and nearly all of a row is the same from piece to piece: who,
where, which curve, at what rate. That is encoded once a batch; of a piece only its times, samples
and numbers are. The rows are made a portion at a time, so that the server stores the first while
the next is made. Where something has come before, the same pieces go as plain rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from struct import Struct, error
from typing import Any, Final, NamedTuple
from uuid import UUID

from hospital_ops import wire
from hospital_ops.clock import to_datetime
from streams.shard import hospital_of

HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER: Final = b"\xff\xff"
COLUMNS: Final = 17
PORTION: Final = 256  # rows between two looks at the line
_EPOCH_US: Final = 946_684_800_000_000  # 2000-01-01: from there PostgreSQL counts
_LEAST_US, _MOST_US = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 to 9999
_COUNT: Final = Struct(">h").pack
_LENGTH: Final = Struct(">i").pack
_TIMES: Final = Struct(">iqiq").pack
_NUMBERS: Final = Struct(">ididid").pack
_WHOLE: Final = Struct(">iq").pack
_NULL: Final = _LENGTH(-1)

Row = tuple[Any, ...]


class WaveRow(NamedTuple):
    """A piece of a curve, and whose it was at that moment (None: nobody was bound)."""

    shard: str
    entry_id: str
    wave: wire.Waved
    patient_id: str | None

    def plain(self) -> Row:
        """The columns, in the order of `columns.COLUMNS`."""
        wave = self.wave
        return (
            hospital_of(self.shard), self.shard, _place(wave), self.patient_id, _device(wave),
            wave.code, wave.channel, to_datetime(wave.started_at), to_datetime(wave.received_at),
            wave.rate_hz, wave.scale, wave.offset, wave.physical_unit, wave.samples,
            wave.sequence, wave.mode, self.entry_id,
        )  # fmt: skip


async def packed(rows: Sequence[WaveRow]) -> AsyncIterator[bytes]:
    """All rows as the bytes of one COPY; ValueError or OverflowError where one has no row."""
    common: dict[Row, tuple[bytes, bytes, bytes]] = {}
    parts: list[bytes] = [HEADER]
    for start in range(0, len(rows), PORTION):
        for row in rows[start : start + PORTION]:
            _pack(row, common, parts)
        yield b"".join(parts)
        parts.clear()
        await asyncio.sleep(0)  # what was made leaves now
    yield TRAILER


def _pack(row: WaveRow, common: dict[Row, tuple[bytes, bytes, bytes]], parts: list[bytes]) -> None:
    shard, entry_id, wave, patient = row
    key = (
        shard, wave.bed, wave.case, wave.device, wave.source, patient, wave.code, wave.channel,
        wave.rate_hz, wave.scale, wave.offset, wave.physical_unit, wave.mode,
    )  # fmt: skip
    found = common.get(key)
    if found is None:
        found = common[key] = _common(shard, wave, patient)
    first, numbers, mode = found
    started, received, samples = wave.started_at, wave.received_at, wave.samples
    if not (_LEAST_US <= started <= _MOST_US and _LEAST_US <= received <= _MOST_US):
        raise OverflowError("a time outside the years 1 to 9999")
    entry = entry_id.encode()
    try:
        parts += (
            first, _TIMES(8, started - _EPOCH_US, 8, received - _EPOCH_US), numbers,
            _LENGTH(len(samples)), samples, _WHOLE(8, wave.sequence), mode,
            _LENGTH(len(entry)), entry,
        )  # fmt: skip
    except error as beyond:
        raise OverflowError("a sequence beyond 64 bits") from beyond


def _common(shard: str, wave: wire.Waved, patient: str | None) -> tuple[bytes, bytes, bytes]:
    """What pieces of one curve have in common: the columns before the times, the numbers, mode."""
    whose = _NULL if patient is None else _LENGTH(16) + UUID(patient).bytes
    texts = (hospital_of(shard), shard, _place(wave)), (_device(wave), wave.code, wave.channel)
    first = b"".join((_COUNT(COLUMNS), *map(_text, texts[0]), whose, *map(_text, texts[1])))
    numbers = _NUMBERS(8, wave.rate_hz, 8, wave.scale, 8, wave.offset)
    return first, numbers + _text(wave.physical_unit), _text(wave.mode)


def _text(text: str) -> bytes:
    data = text.encode()
    return _LENGTH(len(data)) + data


def _place(wave: wire.Waved) -> str:
    return wave.bed or wave.case or wave.device


def _device(wave: wire.Waved) -> str:
    return wave.device or wave.source
