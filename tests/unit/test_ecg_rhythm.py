"""Rhythm: what the heart does, second by second, and nothing said of a lead that is off."""

from typing import Any

import numpy as np
import pytest

from hospital_ops.clinical.tables import table
from hospital_ops.ecg.rhythm import LETHAL, Rhythm, UnitRhythm, bigeminy, irregular
from hospital_ops.ecg.synthetic import heart_loops

Signal = np.ndarray[Any, Any]
RATE = 250


def heart(per_min: int, seconds: float, variant: int = 0) -> Signal:
    loop = heart_loops(per_min, variant)[0]
    return np.resize(np.frombuffer(loop.samples, "<i2") * loop.scale, round(seconds * RATE))


def fibrillating(seconds: float) -> Signal:
    at = np.arange(round(seconds * RATE)) / RATE
    return 0.35 * np.sin(2 * np.pi * 5.2 * at + 0.8 * np.sin(2 * np.pi * 0.6 * at))


def heard(*leads: Signal, step: int = RATE) -> list[Rhythm]:
    unit = UnitRhythm(RATE, 1, len(leads))
    block = np.stack(leads)
    return [
        rhythm
        for low in range(0, block.shape[1], step)
        for rhythm in unit.push(block[:, low : low + step])[0]
    ]


@pytest.mark.parametrize("per_min", [40, 75, 130, 180])
def test_the_rate_of_a_regular_heart_is_told(per_min: Any) -> None:
    last = heard(heart(per_min, 40))[-1]
    assert last.heart_rate == pytest.approx(per_min, rel=0.06)
    assert not set(last.codes) & set(LETHAL)


def test_slow_and_fast_are_named_at_the_limits_of_the_table() -> None:
    rates = table("ecg")["rates"]
    slow, fast = rates["adult_brady_lt"], rates["adult_tachy_gt"]
    assert "bradycardia" in heard(heart(slow - 8, 30))[-1].codes
    assert "tachycardia" in heard(heart(fast + 8, 30))[-1].codes
    calm = heard(heart((slow + fast) // 2, 30))[-1].codes
    assert not {"bradycardia", "tachycardia"} & set(calm)


def test_fibrillation_is_found_within_ten_seconds() -> None:
    onset = 30
    found = heard(np.concatenate([heart(80, onset), fibrillating(20)]))
    lethal = [rhythm.at_s for rhythm in found if set(rhythm.codes) & set(LETHAL)]
    assert lethal
    assert onset < lethal[0] <= onset + 10


def test_asystole_is_found_within_ten_seconds_and_a_lead_off_is_not_asystole() -> None:
    noise = np.random.default_rng(1).normal(0, 0.004, 20 * RATE)
    stopped = heard(np.concatenate([heart(70, 30), noise]))
    first = next(rhythm.at_s for rhythm in stopped if "asystole" in rhythm.codes)
    assert 30 < first <= 40
    off = heard(np.concatenate([heart(70, 30), np.zeros(20 * RATE)]))
    assert off[-1].codes == ("not_assessed",)


def test_a_lead_that_shows_the_beats_outvotes_one_that_is_shaken() -> None:
    found = heard(heart(80, 40), np.concatenate([heart(80, 20), fibrillating(20)]))
    assert not any(set(rhythm.codes) & set(LETHAL) for rhythm in found)


def test_the_rhythm_does_not_depend_on_the_chunks() -> None:
    lead = np.concatenate([heart(80, 20), fibrillating(12), heart(120, 10)])
    whole = [rhythm.codes for rhythm in heard(lead, step=len(lead))]
    oscillating = ["ventricular_fibrillation" in codes for codes in whole]
    pieces = heard(lead, step=97)
    assert ["ventricular_fibrillation" in rhythm.codes for rhythm in pieces] == oscillating


def test_a_unit_in_one_call_hears_each_patient_alone() -> None:
    leads = [heart(60 + 10 * number, 20, number) for number in range(6)]
    unit = UnitRhythm(RATE, 3, 2).push(np.stack(leads))
    for number in range(3):
        alone = UnitRhythm(RATE, 1, 2).push(np.stack(leads[2 * number : 2 * number + 2]))[0]
        assert unit[number] == alone


def test_irregular_intervals_are_called_so_and_regular_ones_are_not() -> None:
    chance = np.random.default_rng(3)
    assert irregular(0.7 * (1 + 0.25 * chance.standard_normal(30)).clip(0.5))
    assert not irregular(0.8 + 0.01 * chance.standard_normal(30))
    assert bigeminy(np.tile([0.5, 1.0], 8))
    assert not irregular(np.tile([0.5, 1.0], 8))
