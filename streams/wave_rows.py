"""The rows of curves, packed as PostgreSQL's binary COPY takes them, while it takes them. Pure.

Curves are most of what a ward sends, and nearly all of a row is the same from piece to piece: who,
where, which curve, at what rate. That is encoded once a batch; of a piece only its times, samples
and number are. The rows are made a portion at a time, so that the server stores the first while
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
PORTION: Final = 64  # messages between two looks at the line
_EPOCH_US: Final = 946_684_800_000_000  # 2000-01-01: from there PostgreSQL counts
_LEAST_US, _MOST_US = -62_135_596_800_000_000, 253_402_300_799_999_999  # years 1 to 9999
_COUNT: Final = Struct(">h").pack
_LENGTH: Final = Struct(">i").pack
_TIMES: Final = Struct(">iqiq").pack
_NUMBERS: Final = Struct(">ididid").pack
_WHOLE: Final = Struct(">iq").pack
_NULL: Final = _LENGTH(-1)

Row = tuple[Any, ...]


Entry = wire.Waved | wire.WavesTogether
Piece = wire.Waved | wire.WavePiece


def pieces_of(entry: Entry) -> Sequence[Piece]:
    """The pieces of an entry: a curve that came alone is its own."""
    return (entry,) if isinstance(entry, wire.Waved) else entry.pieces


def by_beginning(entry: Entry) -> dict[int, list[Piece]]:
    """The pieces by the moment at which they begin: for most messages one, asked about once."""
    begun: dict[int, list[Piece]] = {}
    for piece in pieces_of(entry):
        begun.setdefault(piece.started_at, []).append(piece)
    return begun


class WaveRows(NamedTuple):
    """Pieces of curves that came in one entry, and whose they were (None: nobody was bound)."""

    shard: str
    entry_id: str
    entry: Entry
    pieces: Sequence[Piece]
    patient_id: str | None

    def plain(self) -> list[Row]:
        """The columns of each, in the order of `columns.COLUMNS`."""
        shard, entry_id, entry, pieces, patient = self
        return [
            (
                hospital_of(shard), shard, _place(entry), patient, _device(entry), one.code,
                one.channel, to_datetime(one.started_at), to_datetime(entry.received_at),
                one.rate_hz, one.scale, one.offset, one.physical_unit, one.samples, one.sequence,
                entry.mode, entry_id,
            )
            for one in pieces
        ]  # fmt: skip


class _Common(NamedTuple):
    """What the rows of one place, person and device have in common."""

    first: bytes  # the columns before `code`
    mode: bytes
    curves: dict[Row, tuple[bytes, bytes]]  # code and channel; the numbers and their unit


async def packed(rows: Sequence[WaveRows]) -> AsyncIterator[bytes]:
    """All rows as the bytes of one COPY; ValueError or OverflowError where one has no row."""
    common: dict[Row, _Common] = {}
    parts: list[bytes] = [HEADER]
    for start in range(0, len(rows), PORTION):
        for row in rows[start : start + PORTION]:
            _pack(row, common, parts)
        yield b"".join(parts)
        parts.clear()
        await asyncio.sleep(0)  # what was made leaves now
    yield TRAILER


def _pack(rows: WaveRows, commons: dict[Row, _Common], parts: list[bytes]) -> None:
    shard, entry_id, entry, pieces, patient = rows
    of = (shard, entry.bed, entry.case, entry.device, entry.source, patient, entry.mode)
    common = commons.get(of)
    if common is None:
        common = commons[of] = _common(shard, entry, patient)
    first, mode, curves = common
    last, received = mode + _text(entry_id), entry.received_at
    if not _LEAST_US <= received <= _MOST_US:
        raise OverflowError("a time outside the years 1 to 9999")
    for one in pieces:
        key = (one.code, one.channel, one.rate_hz, one.scale, one.offset, one.physical_unit)
        found = curves.get(key)
        if found is None:
            found = curves[key] = _curve(one)
        started, samples = one.started_at, one.samples
        if not _LEAST_US <= started <= _MOST_US:
            raise OverflowError("a time outside the years 1 to 9999")
        try:
            parts += (
                first, found[0], _TIMES(8, started - _EPOCH_US, 8, received - _EPOCH_US), found[1],
                _LENGTH(len(samples)), samples, _WHOLE(8, one.sequence), last,
            )  # fmt: skip
        except error as beyond:
            raise OverflowError("a sequence beyond 64 bits") from beyond


def _common(shard: str, entry: Entry, patient: str | None) -> _Common:
    whose = _NULL if patient is None else _LENGTH(16) + UUID(patient).bytes
    where = map(_text, (hospital_of(shard), shard, _place(entry)))
    first = b"".join((_COUNT(COLUMNS), *where, whose, _text(_device(entry))))
    return _Common(first, _text(entry.mode), {})


def _curve(one: Piece) -> tuple[bytes, bytes]:
    numbers = _NUMBERS(8, one.rate_hz, 8, one.scale, 8, one.offset)
    return _text(one.code) + _text(one.channel), numbers + _text(one.physical_unit)


def _text(text: str) -> bytes:
    data = text.encode()
    return _LENGTH(len(data)) + data


def _place(entry: Entry) -> str:
    return entry.bed or entry.case or entry.device


def _device(entry: Entry) -> str:
    return entry.device or entry.source
