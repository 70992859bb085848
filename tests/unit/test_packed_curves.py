"""A curve that was packed comes out as it was received, and a wide view misses no peak of it."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from hospital_ops.clock import SECOND
from hospital_ops.curves.blocks import Curve, Piece, packed_up, unpacked
from hospital_ops.ecg import packed

START = 1_790_000_000 * SECOND
STEPS = st.lists(st.integers(-32768, 32767), max_size=400)


def curve(code: str = "131330", patient: str | None = None) -> Curve:
    return Curve(
        "h1", "h1-icu-1", "h1-icu-1-01", patient, "monitor", code, "", 250.0, 0.005, 0.0, "mV",
        "Test",
    )  # fmt: skip


def int16(steps: list[int]) -> bytes:
    return struct.pack(f"<{len(steps)}h", *steps)


@given(STEPS)
def test_any_samples_come_out_byte_for_byte(steps: list[int]) -> None:
    samples = int16(steps)
    assert packed.unpack(packed.pack(samples)) == samples


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 3600 * SECOND), STEPS.filter(bool)), min_size=1))
def test_pieces_with_gaps_and_overlaps_come_out_with_their_times_and_numbers(
    found: list[tuple[int, list[int]]],
) -> None:
    pieces = [
        Piece(START + at, START + at + 7, number, f"{number}-0", int16(steps))
        for number, (at, steps) in enumerate(found)
    ]
    (block,) = packed_up((curve(), piece) for piece in pieces)
    assert list(unpacked(block.pieces, block.samples)) == sorted(pieces)
    assert block.started_at == min(piece.started_at for piece in pieces)


def test_another_patient_and_another_lead_are_blocks_of_their_own() -> None:
    piece = Piece(START, START, 1, "1-0", int16([1, 2, 3]))
    curves = (curve(), curve("150452"), curve(patient="0" * 32))
    assert len(list(packed_up((one, piece) for one in curves))) == 3


@given(st.lists(st.integers(-30000, 30000), min_size=250, max_size=2500), st.integers(1, 20))
def test_a_wide_view_holds_the_lowest_and_highest_sample_and_shows_gaps(
    steps: list[int], width: int
) -> None:
    seconds = -(-len(steps) // 250)
    low, high = packed.seconds([(START, 250.0, int16(steps))], START, seconds)
    lows, highs = packed.columns([(START, low, high)], START, START + seconds * SECOND, width)
    assert min(n for n in lows if n is not None) == min(steps)
    assert max(n for n in highs if n is not None) == max(steps)
    later = packed.columns([(START, low, high)], START + 3600 * SECOND, START + 7200 * SECOND, 5)
    assert later == ([None] * 5, [None] * 5)


def test_a_sample_that_is_none_is_no_value_of_a_wide_view() -> None:
    low, high = packed.seconds([(START, 250.0, int16([-32768, 5]))], START, 2)
    assert struct.unpack("<2h", low) == struct.unpack("<2h", high) == (5, -32768)
