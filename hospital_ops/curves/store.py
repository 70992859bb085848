"""The SQL of packed curves: the keeper packs, pages read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.curves.blocks import BLOCK_US, Block, Curve, Piece, packed_up, unpacked
from hospital_ops.database import Connection, Database, Record

_OLDEST: Final = (
    "select started_at from waveform where place = $1 and started_at < $2"
    " order by started_at limit 1"
)
_TAKE: Final = (
    "delete from waveform where place = $1 and started_at >= $2 and started_at < $3"
    " returning hospital_id, unit, place, patient_id, device, code, channel, rate_hz, scale,"
    " value_offset, physical_unit, mode, started_at, received_at, sequence, entry_id, samples"
)
_PUT: Final = (
    "insert into wave_block (hospital_id, unit, place, patient_id, device, code, channel, rate_hz,"
    " scale, value_offset, physical_unit, mode, started_at, ended_at, coding, pieces, samples, low,"
    " high) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
    " $18, $19)"
)
_BLOCKS: Final = """
select hospital_id, unit, place, patient_id, device, code, channel, rate_hz, scale, value_offset,
       physical_unit, mode, started_at, pieces, samples
  from wave_block
 where place = $1 and ($2::text is null or code = $2)
   and started_at >= coalesce($3::timestamptz - interval '11 minutes', '-infinity'::timestamptz)
   and started_at < coalesce($4, 'infinity'::timestamptz)
   and ended_at > coalesce($3, '-infinity'::timestamptz)
 order by started_at, code, channel
"""
_EXTREMES: Final = """
select code, channel, mode, scale, value_offset, physical_unit, started_at, low, high
  from wave_block
 where place = $1 and code = $2
   and started_at >= $3::timestamptz - interval '11 minutes' and started_at < $4
   and ended_at > $3
 order by started_at
"""
_LOOSE: Final = """
select code, channel, mode, scale, value_offset, physical_unit, started_at, rate_hz, samples
  from waveform
 where place = $1 and code = $2 and started_at >= $3 and started_at < $4
 order by started_at
"""
_LOOSE_WHOLE: Final = """
select hospital_id, unit, place, patient_id, device, code, channel, rate_hz, scale, value_offset,
       physical_unit, mode, started_at, received_at, sequence, entry_id, samples
  from waveform
 where place = $1 and started_at >= $2 and started_at < $3
"""


async def beds(db: Database) -> list[str]:
    """Every bed of the installation: only their curves are packed, an ECG of a case stays."""
    async with db.transaction() as connection:
        return [row["bed"] for row in await connection.fetch("select bed from bed order by bed")]


async def pack_oldest(db: Database, bed: str, before_us: int) -> int:
    """Packs the oldest ten minutes of a bed that lie before `before_us`; answers how many pieces.

    `db` has the role owner. Pieces leave and the block comes in one transaction.
    """
    async with db.transaction() as connection:
        oldest = await connection.fetchval(_OLDEST, bed, to_datetime(before_us))
        if oldest is None:
            return 0
        start = from_datetime(oldest) // BLOCK_US * BLOCK_US
        end = min(start + BLOCK_US, before_us)
        rows = await connection.fetch(_TAKE, bed, to_datetime(start), to_datetime(end))
        for block in packed_up((_curve(row), _piece(row)) for row in rows):
            await put(connection, block)
        return len(rows)


async def put(connection: Connection, block: Block) -> None:
    """Stores a block."""
    await connection.execute(_PUT, *_row(block))


def _curve(row: Record) -> Curve:
    return Curve(*(row[name] for name in Curve._fields))


def _piece(row: Record) -> Piece:
    return Piece(
        from_datetime(row["started_at"]),
        from_datetime(row["received_at"]),
        row["sequence"],
        row["entry_id"],
        row["samples"],
    )


def _row(block: Block) -> tuple[Any, ...]:
    times = to_datetime(block.started_at), to_datetime(block.ended_at)
    return (*block.curve, *times, *block[3:])


async def pieces(
    connection: Connection, place: str, code: str | None, start_us: int | None, end_us: int | None
) -> AsyncIterator[tuple[Curve, Piece]]:
    """The packed pieces of a place that begin within the range, oldest first."""
    limits = [to_datetime(at) if at is not None else None for at in (start_us, end_us)]
    waiting: list[tuple[Curve, Piece]] = []
    window = None
    async for row in connection.cursor(_BLOCKS, place, code, *limits, prefetch=20):
        here = from_datetime(row["started_at"]) // BLOCK_US
        if here != window:
            for each in sorted(waiting, key=_in_order):
                yield each
            waiting, window = [], here
        curve = _curve(row)
        waiting += [
            (curve, piece)
            for piece in unpacked(row["pieces"], row["samples"])
            if (start_us is None or piece.started_at >= start_us)
            and (end_us is None or piece.started_at < end_us)
        ]
    for each in sorted(waiting, key=_in_order):
        yield each


async def loose(
    connection: Connection, place: str, start_us: int, end_us: int
) -> AsyncIterator[tuple[Curve, Piece]]:
    """The pieces of a place that begin within the range and are not packed yet, in any order."""
    limits = to_datetime(start_us), to_datetime(end_us)
    async for row in connection.cursor(_LOOSE_WHOLE, place, *limits, prefetch=100):
        yield _curve(row), _piece(row)


def _in_order(each: tuple[Curve, Piece]) -> tuple[int, str, str]:
    return each[1].started_at, each[0].code, each[0].channel


async def extremes(
    connection: Connection, place: str, code: str, start_us: int, end_us: int
) -> tuple[list[Record], list[Record]]:
    """(blocks with their lows and highs by seconds, pieces that are not packed yet)."""
    limits = to_datetime(start_us), to_datetime(end_us)
    return (
        await connection.fetch(_EXTREMES, place, code, *limits),
        await connection.fetch(_LOOSE, place, code, *limits),
    )
