"""The rows of curves, packed as PostgreSQL's binary COPY takes them, while it takes them. Pure.

Curves are most of what a ward sends, and nearly all of a row is the same from piece to piece: who,
where, which curve. That is packed when it is first met and remembered; of a piece its numbers and
samples are. The rows are made a portion at a time, so that the server stores the first while
the next is made. Where something has come before, the same pieces go as plain rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from struct import Struct, error
from typing import Any, Final, NamedTuple

from hospital_ops import wire
from hospital_ops.clock import to_datetime
from streams.copying import HEADER, PORTION, TRAILER, beginning, since_2000, text, time, uuid
from streams.shard import hospital_of

COLUMNS: Final = 17
# The columns of a piece alone: its time, rate, scale, offset and number, and how long its samples.
_PIECE: Final = Struct(">iqidididiqi").pack

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
                hospital_of(shard), shard, _place(entry), _device(entry), entry.mode, patient,
                to_datetime(entry.received_at), entry_id, one.code, one.channel, one.physical_unit,
                to_datetime(one.started_at), one.rate_hz, one.scale, one.offset, one.sequence,
                one.samples,
            )
            for one in pieces
        ]  # fmt: skip


async def packed(rows: Sequence[WaveRows]) -> AsyncIterator[bytes]:
    """All rows as the bytes of one COPY; ValueError or OverflowError where one has no row."""
    kinds: dict[Row, bytes] = {}
    parts: list[bytes] = [HEADER]
    for start in range(0, len(rows), PORTION):
        for row in rows[start : start + PORTION]:
            _pack(row, kinds, parts)
        yield b"".join(parts)
        parts.clear()
        await asyncio.sleep(0)  # what was made leaves now
    yield TRAILER


def _pack(rows: WaveRows, kinds: dict[Row, bytes], parts: list[bytes]) -> None:
    shard, entry_id, entry, pieces, patient = rows
    first = b"".join(
        (
            beginning(COLUMNS, shard, _place(entry), _device(entry), entry.mode),
            uuid(patient), time(entry.received_at), text(entry_id),
        )
    )  # fmt: skip
    for one in pieces:
        key = (one.code, one.channel, one.physical_unit)
        kind = kinds.get(key)
        if kind is None:
            kind = kinds[key] = b"".join(map(text, key))
        samples = one.samples
        try:
            parts += (
                first, kind,
                _PIECE(
                    8, since_2000(one.started_at), 8, one.rate_hz, 8, one.scale, 8, one.offset,
                    8, one.sequence, len(samples),
                ),
                samples,
            )  # fmt: skip
        except error as beyond:
            raise OverflowError("a sequence beyond 64 bits") from beyond


def _place(entry: Entry) -> str:
    return entry.bed or entry.case or entry.device


def _device(entry: Entry) -> str:
    return entry.device or entry.source
