"""The wave frame: what is packed is unpacked, and what is malformed says why."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import waveform
from hospital_ops.errors import MessageError
from hospital_ops.waveform import MODES, SAMPLES, Frame, check, mark, pack, unpack

ECG = Frame(
    SAMPLES, "Demo", "h1-icu-1-07", "131330", "", "mV", 12, 1_800_000_000_000_000, 250.0,
    0.005, 0.0, struct.pack("<5h", 0, 1, -1, 32767, waveform.NO_SAMPLE),
)  # fmt: skip
NAMES = st.text(max_size=60).filter(lambda text: len(text.encode()) <= 255)
FRAMES = st.builds(
    Frame,
    kind=st.just(SAMPLES),
    mode=st.sampled_from(MODES),
    place=NAMES,
    code=NAMES,
    channel=NAMES,
    unit=NAMES,
    sequence=st.integers(0, 2**32 - 1),
    started_at=st.integers(-(2**62), 2**62),
    rate_hz=st.floats(0.1, 5000),
    scale=st.floats(allow_nan=False),
    offset=st.floats(allow_nan=False),
    samples=st.binary(max_size=200).map(lambda b: b[: len(b) // 2 * 2]),
)


@given(st.lists(FRAMES, min_size=1, max_size=4))
def test_a_message_of_several_frames_comes_back_as_it_was(frames: list[Frame]) -> None:
    message = b"".join(map(pack, frames))
    assert list(unpack(message)) == frames
    assert len(message) % 8 == 0


@given(st.binary(max_size=300))
def test_any_bytes_are_frames_or_a_sentence(message: bytes) -> None:
    with suppress(MessageError):  # anything else would end the device's socket
        list(unpack(message))


@given(st.integers(1, len(pack(ECG)) - 8))
def test_a_frame_that_was_cut_is_never_taken_for_a_whole_one(kept: int) -> None:
    with pytest.raises(MessageError):
        list(unpack(pack(ECG)[:kept]))


def test_the_samples_lie_where_the_document_says() -> None:
    message = pack(ECG)
    names = sum(len(text) for text in ("h1-icu-1-07", "131330", "", "mV"))
    start = -(-(52 + names) // 8) * 8
    assert message[:4] == b"HW\x01\x01"
    assert struct.unpack_from("<II", message, 12) == (12, 5)
    assert struct.unpack_from("<q", message, 20) == (ECG.started_at,)
    assert struct.unpack_from("<3d", message, 28) == (250.0, 0.005, 0.0)
    assert message[start : start + 10] == ECG.samples


def test_a_piece_ends_where_the_next_one_begins() -> None:
    assert ECG.length == 5
    assert ECG.ended_at - ECG.started_at == 20_000


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"samples": b""}, "no_samples"),
        ({"kind": waveform.GAP}, "no_samples"),
        ({"code": ""}, "no_code"),
        ({"code": "a\x1b[2J"}, "no_code"),
        ({"rate_hz": 0.0}, "bad_rate"),
        ({"rate_hz": float("nan")}, "bad_rate"),
        ({"rate_hz": 1e9}, "bad_rate"),
        ({"rate_hz": 0.1}, "too_long"),
        ({"scale": 0.0}, "bad_scale"),
        ({"offset": float("inf")}, "bad_scale"),
    ],
)
def test_what_can_be_no_live_curve_is_refused_with_a_reason(
    change: dict[str, object], code: str
) -> None:
    with pytest.raises(MessageError) as refused:
        check(ECG._replace(**change))  # type: ignore[arg-type]
    assert refused.value.code == code


def test_a_mark_tells_a_screen_something_without_samples() -> None:
    (beat,) = unpack(mark(waveform.BEAT))
    assert (beat.kind, beat.samples) == (waveform.BEAT, b"")
    check(ECG)
