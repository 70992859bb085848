"""The invented heart beats at the rate of its course, without a seam, and obeys Einthoven."""

from __future__ import annotations

import array
from itertools import pairwise
from pathlib import Path

import pytest

from hospital_ops import waveform
from hospital_ops.ecg.replay import recorded
from hospital_ops.ecg.synthetic import (
    BEATS,
    ECG_HZ,
    LEADS,
    PATTERNS,
    PLETH_HZ,
    breath_loop,
    heart_loops,
    twelve_leads,
)
from simulators.synthetic import synthetic_course
from simulators.waveforms import ARTERY, ECG_II, Curves, RecordedCurves


def numbers(samples: bytes) -> list[int]:
    return list(array.array("h", samples))


def peaks(values: list[int], least: float) -> list[int]:
    """Where the curve rises above `least`."""
    return [i for i in range(1, len(values)) if values[i - 1] < least <= values[i]]


@pytest.mark.parametrize("per_min", [20, 40, 60, 90, 150, 220, 300])
def test_a_loop_holds_its_beats_at_the_rate_that_was_asked(per_min: int) -> None:
    ecg, pleth = heart_loops(per_min)
    values = numbers(ecg.samples)
    assert len(peaks(values + values, 0.7 / ecg.scale)) == 2 * BEATS
    assert len(values) / ECG_HZ == pytest.approx(BEATS * 60 / per_min, rel=0.02)
    assert len(values) == 2 * len(numbers(pleth.samples)) * ECG_HZ / PLETH_HZ / 2


@pytest.mark.parametrize("variant", range(4))
def test_a_loop_has_no_seam(variant: int) -> None:
    for loop in (*heart_loops(76, variant), breath_loop(14, variant)):
        values = numbers(loop.samples)
        steps = [abs(b - a) for a, b in pairwise(values)]
        assert abs(values[0] - values[-1]) <= max(steps)


def test_the_limb_leads_obey_einthoven_and_goldberger() -> None:
    leads = twelve_leads(80)
    assert tuple(leads) == LEADS
    for one, two, three, avr in zip(*(leads[x] for x in ("I", "II", "III", "aVR")), strict=True):
        assert abs(two - one - three) <= 1
        assert abs(avr + (one + two) / 2) <= 1


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_same_seed_gives_the_same_heart(pattern: str) -> None:
    assert twelve_leads(80, pattern=pattern, seed=3) == twelve_leads(80, pattern=pattern, seed=3)
    assert twelve_leads(80, pattern=pattern, seed=3) != twelve_leads(80, pattern=pattern, seed=4)


def test_the_st_segment_rises_where_the_pattern_says() -> None:
    calm = twelve_leads(70, seed=1)
    front = twelve_leads(70, seed=1, pattern="anterior_stemi")
    below = twelve_leads(70, seed=1, pattern="inferior_stemi")
    higher = {
        lead: max(b - a for a, b in zip(calm[lead], front[lead], strict=True)) for lead in LEADS
    }
    assert min(higher["V2"], higher["V3"]) >= 300
    assert max(b - a for a, b in zip(calm["III"], below["III"], strict=True)) >= 250
    assert min(b - a for a, b in zip(calm["aVL"], below["aVL"], strict=True)) <= -150


def test_an_unknown_pattern_is_refused() -> None:
    with pytest.raises(ValueError, match="sinus"):
        twelve_leads(80, pattern="other")


def test_pieces_follow_each_other_without_a_hole() -> None:
    curves = Curves(synthetic_course(1, "h1-icu-1-01"), 1, "h1-icu-1-01")
    start, ends = 1_800_000_000_000_000, dict[str, int]()
    rates = dict[str, float]()
    for number in range(120):
        frames = curves.frames("h1-icu-1-01", "Demo", number, start + number * 500_000, 0.5)
        for frame in frames:
            waveform.check(frame)
            assert abs(ends.setdefault(frame.code, frame.started_at) - frame.started_at) <= 1
            ends[frame.code] = frame.ended_at
            rates[frame.code] = rates.get(frame.code, 0) + frame.length / 60
    expected = {ECG_II: 250, "150452": 125, "151552": 62.5, ARTERY: 125}
    assert rates == pytest.approx(expected, rel=0.001)


def test_a_recording_is_played_as_it_was_with_the_rate_of_its_own_beats(tmp_path: Path) -> None:
    values = numbers(heart_loops(80)[0].samples) * 4
    raw = array.array("h", values)
    (tmp_path / "one.dat").write_bytes(raw.tobytes())
    checksum = sum(values) & 0xFFFF
    checksum -= 0x10000 if checksum > 0x7FFF else 0
    header = f"one 1 250 {len(values)}\none.dat 16 200/mV 16 0 {values[0]} {checksum} 0 MLII\n"
    (tmp_path / "one.hea").write_text(header)
    recording = recorded(tmp_path / "one.hea")
    assert recording.heart_per_min[-1] == pytest.approx(80, abs=3)
    player = RecordedCurves(recording)
    played: list[int] = []
    for number in range(40):
        (frame,) = player.frames("h1-icu-1-01", "Demo", number, 10**15 + number * 500_000, 0.5)
        assert (frame.code, frame.unit, frame.rate_hz) == (ECG_II, "mV", 250)
        assert frame.scale == pytest.approx(0.005)
        played += numbers(frame.samples)
    assert played == values[: len(played)]
    assert player.heart_per_min() == pytest.approx(80, abs=3)
