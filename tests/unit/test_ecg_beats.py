"""Beats: the same ones however the samples come, at any ordinary rate and size of the heart."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital_ops.ecg.beats import detect, detect_each, fuse
from hospital_ops.ecg.stream import BeatStream
from hospital_ops.ecg.synthetic import heart_loops

Signal = np.ndarray[Any, Any]


def lead_two(per_min: int, seconds: float = 30.0, rate_hz: int = 250, seed: int = 0) -> Signal:
    loop = heart_loops(per_min, seed)[0]
    wave = np.frombuffer(loop.samples, "<i2") * loop.scale
    at = np.arange(round(seconds * rate_hz)) * (loop.rate_hz / rate_hz)
    made: np.ndarray[Any, Any] = np.interp(
        at, np.arange(round(at[-1]) + 2), np.resize(wave, round(at[-1]) + 2)
    )
    return made


def told(stream: BeatStream, pieces: list[Signal]) -> list[tuple[int, int]]:
    answers = [stream.push(piece) for piece in pieces] + [stream.finish()]
    return sorted(
        (int(lead), int(at)) for leads, ats in answers for lead, at in zip(leads, ats, strict=True)
    )


@pytest.mark.parametrize("per_min", [30, 45, 72, 110, 150, 190, 220])
def test_each_beat_of_a_regular_heart_is_found_once(per_min: Any) -> None:
    found = detect(lead_two(per_min), 250)
    assert len(found) == pytest.approx(per_min / 2, abs=2)
    assert np.diff(found) / 250 == pytest.approx(60 / per_min, rel=0.12)


@pytest.mark.parametrize("rate_hz", [100, 128, 200, 250, 360, 500, 1000])
def test_the_rate_of_the_device_does_not_matter(rate_hz: Any) -> None:
    times = detect(lead_two(80, rate_hz=rate_hz), rate_hz) / rate_hz
    reference = detect(lead_two(80, rate_hz=500), 500) / 500
    assert times == pytest.approx(reference, abs=0.02)


@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(min_value=0, max_value=1700), min_size=1, max_size=40),
    seed=st.integers(min_value=0, max_value=5),
    rate_hz=st.sampled_from([125, 200, 250, 360]),
)
def test_chunks_of_any_size_give_the_same_beats(sizes: Any, seed: Any, rate_hz: Any) -> None:
    leads = np.stack([lead_two(60 + 20 * seed, 25, rate_hz, seed), lead_two(95, 25, rate_hz, 9)])
    cuts = np.minimum(np.cumsum(sizes), leads.shape[1])
    pieces = np.split(leads, cuts, axis=1)
    assert told(BeatStream(rate_hz, 2), pieces) == told(BeatStream(rate_hz, 2), [leads])


def test_beds_in_one_call_have_the_beats_they_have_alone() -> None:
    leads = np.stack([lead_two(50 + 7 * number, seed=number) for number in range(12)])
    together = detect_each(leads, 250)
    for number, lead in enumerate(leads):
        assert together[number].tolist() == detect(lead, 250).tolist()


def test_a_flat_lead_has_no_beats() -> None:
    assert detect(np.zeros(5000), 250).tolist() == []
    assert detect(np.full(5000, 1.7), 250).tolist() == []


def test_a_gap_has_no_beats_and_the_rest_keeps_its_own() -> None:
    lead = lead_two(80)
    broken = lead.copy()
    broken[2500:4500] = np.nan
    kept = [at for at in detect(lead, 250) if not 2300 < at < 4700]
    found = detect(broken, 250)
    assert [at for at in found if not 2300 < at < 4700] == kept
    assert not [at for at in found if 2600 < at < 4400]


def test_a_lead_turned_round_has_the_same_beats() -> None:
    lead = lead_two(75)
    assert detect(-lead, 250) == pytest.approx(detect(lead, 250), abs=5)


def test_a_very_short_or_empty_lead_is_no_error() -> None:
    assert detect(np.empty(0), 250).tolist() == []
    assert len(detect(lead_two(80, 3.0), 250)) == pytest.approx(4, abs=1)


def test_too_few_samples_a_second_are_refused_in_words() -> None:
    with pytest.raises(ValueError, match="at least 50"):
        BeatStream(25)


def test_leads_that_agree_outvote_the_one_that_does_not() -> None:
    good, other = np.array([100, 300, 500]), np.array([104, 200, 302, 400, 498])
    assert fuse([good, good + 2, other], np.ones(3), 250).tolist() == [102, 302, 500]
    assert fuse([good, other], np.array([1, 0]), 250).tolist() == good.tolist()
    assert fuse([good, other], np.zeros(2), 250).tolist() == []


def test_beats_are_told_in_order_and_once_even_at_the_edges() -> None:
    chance = np.random.default_rng(4)
    for count in (60, 100, 400, 2000):
        found = detect(chance.normal(0, 1, count), 250)
        assert (np.diff(found) > 0).all()
        assert not len(found) or 0 <= found[0] <= found[-1] < count
