"""Frames: the same for any split of the bytes, bounded, and nothing lost unseen."""

from __future__ import annotations

import sys

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops.hl7.framing import NOISE_LIMIT, Frame, Framer, framed, split_messages

PIECE = st.one_of(
    st.sampled_from([b"\x0b", b"\x1c", b"\r", b"\x1c\r", b"\n", b"MSH|^~\\&|A", b" ", b"x" * 40]),
    st.binary(max_size=12),
)
STREAM = st.lists(PIECE, max_size=40).map(b"".join)


def fed(framer: Framer, pieces: list[bytes]) -> list[Frame]:
    return [frame for piece in pieces for frame in framer.feed(piece)]


@given(STREAM, st.lists(st.integers(0, 400), max_size=12), st.sampled_from([8, 64, 4096]))
def test_the_frames_do_not_depend_on_how_the_network_cuts_the_bytes(
    data: bytes, cuts: list[int], limit: int
) -> None:
    whole, parts, single = Framer(limit), Framer(limit), Framer(limit)
    at = sorted({cut for cut in cuts if cut < len(data)})
    pieces = [data[start:stop] for start, stop in zip([0, *at], [*at, len(data)], strict=True)]
    expected = fed(whole, [data])
    assert fed(parts, pieces) == expected
    assert fed(single, [data[i : i + 1] for i in range(len(data))]) == expected
    assert whole.empty == parts.empty == single.empty
    assert whole.abandon() == parts.abandon() == single.abandon()


@given(st.lists(st.binary(min_size=1, max_size=60).map(lambda b: b"M" + b), max_size=8))
def test_what_was_framed_comes_out_again(messages: list[bytes]) -> None:
    clean = [m.replace(b"\x0b", b"").replace(b"\x1c", b"") for m in messages]
    frames = Framer().feed(b"\r\nnoise".join(framed(m) for m in clean))
    assert frames == [Frame(m) for m in clean]


def test_a_new_start_inside_a_frame_reports_the_cut_one() -> None:
    assert Framer().feed(b"\x0bMSH|a\x0bMSH|b\x1c\r") == [Frame(b"MSH|a", "cut"), Frame(b"MSH|b")]


def test_keep_alives_are_counted_and_not_reported() -> None:
    framer = Framer()
    assert framer.feed(b"\x0b\x1c\r\x0b\r\n\x1c\r\x1c\r") == []
    assert framer.empty == 2


def test_an_endless_frame_is_told_once_and_never_held() -> None:
    framer = Framer(10_000)
    frames = framer.feed(b"\x0bMSH|")
    for _ in range(500):
        frames += framer.feed(b"x" * 10_000)
        assert sys.getsizeof(framer._held) < 30_000
    assert [(f.problem, f.data[:4]) for f in frames] == [("oversize", b"MSH|")]
    assert framer.feed(b"\x1c\r" + framed(b"MSH|good")) == [Frame(b"MSH|good")]


def test_endless_noise_is_told_once() -> None:
    framer = Framer()
    frames = [f for _ in range(100) for f in framer.feed(b"x" * (NOISE_LIMIT // 10))]
    assert frames == [Frame(b"", "no_frame")]


def test_glued_messages_and_batches_are_taken_apart() -> None:
    one, two = b"MSH|^~\\&|A\rPID|1", b"MSH|^~\\&|B\rPID|2"
    assert split_messages(one) == [one]
    assert split_messages(one + b"\r" + two + b"\r") == [one, two]
    batch = b"FHS|^~\\&\rBHS|^~\\&\r" + one + b"\r" + two + b"\rBTS|2\rFTS|1\r"
    assert split_messages(batch) == [one, two]


def test_bytes_before_the_first_message_of_a_frame_are_not_dropped_unseen() -> None:
    assert split_messages(b"PID|9\rMSH|^~\\&|A\r") == [b"PID|9\r", b"MSH|^~\\&|A"]
