"""Blocks: the pieces of one curve of ten minutes, packed without loss. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from hospital_ops.clock import SECOND
from hospital_ops.ecg import packed
from hospital_ops.wire import Form, decoder, encode

BLOCK_US: Final = 600 * SECOND
BZIP2: Final = 1  # the coding of docs/decisions/0033


class Curve(NamedTuple):
    """What the pieces of a block have in common; the order of the columns of `wave_block`."""

    hospital_id: str
    unit: str
    place: str
    patient_id: str | None
    device: str
    code: str
    channel: str
    rate_hz: float
    scale: float
    value_offset: float
    physical_unit: str
    mode: str


class Piece(NamedTuple):
    """A piece as it was received; times in microseconds since 1970."""

    started_at: int
    received_at: int
    sequence: int
    entry_id: str
    samples: bytes


class _Listed(Form, frozen=True):
    started_at: int
    received_at: int
    sequence: int
    entry_id: str
    length: int  # of its samples, bytes


class _Pieces(Form, frozen=True):
    listed: tuple[_Listed, ...]


_read_pieces = decoder(_Pieces)


class Block(NamedTuple):
    """A block as it is stored; `low` and `high` begin with the second of `started_at`."""

    curve: Curve
    started_at: int
    ended_at: int
    coding: int
    pieces: bytes
    samples: bytes
    low: bytes
    high: bytes


def packed_up(found: Iterable[tuple[Curve, Piece]]) -> Iterator[Block]:
    """The blocks of the pieces, one for each curve.

    What does not come out again byte for byte is an error of ours and stops the packing.
    """
    by_curve: dict[Curve, list[Piece]] = defaultdict(list)
    for curve, piece in found:
        by_curve[curve].append(piece)
    for curve, pieces in by_curve.items():
        yield _block(curve, sorted(pieces))


def _block(curve: Curve, pieces: list[Piece]) -> Block:
    started = pieces[0].started_at // SECOND * SECOND
    ended = max(_end(curve, piece) for piece in pieces)
    listed = tuple(
        _Listed(one.started_at, one.received_at, one.sequence, one.entry_id, len(one.samples))
        for one in pieces
    )
    timed = [(one.started_at, curve.rate_hz, one.samples) for one in pieces]
    low, high = packed.seconds(timed, started, max(1, -(-(ended - started) // SECOND)))
    block = Block(
        curve,
        pieces[0].started_at,
        ended,
        BZIP2,
        encode(_Pieces(listed)),
        packed.pack(b"".join(one.samples for one in pieces)),
        low,
        high,
    )
    if list(unpacked(block.pieces, block.samples)) != pieces:
        raise ValueError("a block does not give its pieces again: nothing was packed")
    return block


def unpacked(pieces: bytes, samples: bytes) -> Iterator[Piece]:
    """The pieces of a block in their order."""
    whole, at = packed.unpack(samples), 0
    for one in _read_pieces(pieces).listed:
        yield Piece(
            one.started_at,
            one.received_at,
            one.sequence,
            one.entry_id,
            whole[at : at + one.length],
        )
        at += one.length


def _end(curve: Curve, piece: Piece) -> int:
    return piece.started_at + round(len(piece.samples) / 2 * SECOND / curve.rate_hz)
