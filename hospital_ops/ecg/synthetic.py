"""An invented heart: ECG, pleth and breathing for demonstrations and tests, never for a patient.

Each wave of a beat is a bell curve round its place in the beat, with heights per lead (after
McSharry, Clifford, Tarassenko and Smith, "A dynamical model for generating synthetic
electrocardiogram signals", IEEE Trans Biomed Eng 2003;50:289-94). A loop begins where it ends, so
that it may be played for ever. Leads III, aVR, aVL and aVF follow from I and II.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.floating[Any]]

ECG_HZ: Final = 250
PLETH_HZ: Final = 125
RESP_HZ: Final = 62.5
BEATS: Final = 8  # of a loop: about six seconds, long enough not to look stamped
BREATHS: Final = 3
LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
PATTERNS: Final = ("sinus", "anterior_stemi", "inferior_stemi", "atrial_fibrillation")

_NOISE_MV: Final = 0.006
_WANDER_MV: Final = 0.04
# Lead: heights of P, Q, R, S and T in mV; a healthy adult, by eye.
_HEIGHTS: Final = {
    "I": (0.08, -0.05, 0.70, -0.15, 0.20),
    "II": (0.15, -0.08, 1.10, -0.20, 0.30),
    "V1": (0.05, 0.00, 0.25, -1.00, -0.05),
    "V2": (0.06, 0.00, 0.50, -1.40, 0.35),
    "V3": (0.07, -0.02, 0.80, -0.90, 0.40),
    "V4": (0.08, -0.05, 1.40, -0.50, 0.40),
    "V5": (0.08, -0.08, 1.30, -0.30, 0.35),
    "V6": (0.08, -0.08, 1.00, -0.15, 0.25),
}
# Shift of the ST segment in mV, where a pattern has one.
_ST: Final = {
    "anterior_stemi": {
        "I": 0.05, "II": -0.05, "V1": 0.15, "V2": 0.35, "V3": 0.40, "V4": 0.30, "V5": 0.10,
    },
    "inferior_stemi": {"I": -0.10, "II": 0.20, "V1": -0.05, "V2": -0.15},
}  # fmt: skip
_WIDTHS_S: Final = (0.022, 0.008, 0.011, 0.010, 0.045)  # standard deviations of the bells


class Loop(NamedTuple):
    """A piece of curve without a seam: value = sample * scale + offset, in `unit`."""

    samples: bytes  # int16, little-endian
    rate_hz: float
    scale: float
    offset: float
    unit: str


@lru_cache(maxsize=256)
def heart_loops(per_min: int, variant: int = 0) -> tuple[Loop, Loop]:
    """ECG lead II (mV, 250 Hz) and pleth (125 Hz) over the same beats, of the same length.

    `per_min` is 20 to 300; `variant` gives other noise and another rhythm of breathing.
    """
    starts, length_s = _beats(per_min, variant, PLETH_HZ)
    count = round(length_s * PLETH_HZ)
    wave = _lead("II", starts, length_s, 2 * count, "sinus", variant)
    pleth = _pleth(starts, length_s, count)
    return (
        Loop(_int16(wave / 0.005), ECG_HZ, 0.005, 0.0, "mV"),
        Loop(_int16(pleth * 2000), PLETH_HZ, 0.0005, 0.0, "1"),
    )


@lru_cache(maxsize=64)
def breath_loop(per_min: int, variant: int = 0) -> Loop:
    """Breathing as the impedance of the chest (ohm, 62.5 Hz); `per_min` is 4 to 80."""
    breath_s = 60.0 / per_min
    count = round(BREATHS * breath_s * RESP_HZ)
    phase = (np.arange(count) / count * BREATHS) % 1.0
    breathing_in = 0.4  # share of the cycle
    rising = np.sin(np.pi / 2 * phase / breathing_in)
    falling = np.exp(-3.2 * (phase - breathing_in) / (1 - breathing_in))
    depth = 1 + 0.08 * np.sin(2 * np.pi * np.arange(count) / count + variant)
    wave = np.where(phase < breathing_in, rising, falling) * depth
    wave[phase < breathing_in] = np.maximum(wave[phase < breathing_in], np.exp(-3.2))
    return Loop(_int16(wave * 1000), RESP_HZ, 0.001, 0.0, "Ohm")


@lru_cache(maxsize=128)
def pressure_loop(per_min: int, systolic: int, diastolic: int, variant: int = 0) -> Loop:
    """Arterial pressure (mm[Hg], 125 Hz) over the beats of `heart_loops(per_min, variant)`."""
    starts, length_s = _beats(per_min, variant, PLETH_HZ)
    wave = _pleth(starts, length_s, round(length_s * PLETH_HZ))
    shape = (wave - wave.min()) / (wave.max() - wave.min())
    pressure = diastolic + (systolic - diastolic) * shape
    return Loop(_int16(pressure * 10), PLETH_HZ, 0.1, 0.0, "mm[Hg]")


@lru_cache(maxsize=64)
def carbon_dioxide_loop(per_min: int, end_tidal: int) -> Loop:
    """Carbon dioxide of the breath (mm[Hg], 62.5 Hz): none going in, a plateau coming out."""
    count = round(BREATHS * 60.0 / per_min * RESP_HZ)
    phase = (np.arange(count) / count * BREATHS) % 1.0
    rising = 1 / (1 + np.exp(-(phase - 0.48) / 0.012))
    falling = 1 / (1 + np.exp((phase - 0.97) / 0.008))
    wave = end_tidal * rising * falling * (0.9 + 0.1 * np.clip((phase - 0.48) / 0.49, 0, 1))
    return Loop(_int16(wave * 10), RESP_HZ, 0.1, 0.0, "mm[Hg]")


def twelve_leads(
    per_min: int,
    seconds: float = 10.0,
    rate_hz: int = 500,
    pattern: str = "sinus",
    seed: int = 0,
) -> dict[str, list[int]]:
    """Twelve leads of the same beats, each a list of whole microvolts, in the order of `LEADS`.

    `pattern` is one of `PATTERNS`; ValueError otherwise.
    """
    if pattern not in PATTERNS:
        raise ValueError(f"a pattern is one of {', '.join(PATTERNS)}")
    count = round(seconds * rate_hz)
    starts = _starts(per_min, seconds, pattern, seed)
    made = {
        lead: _lead(lead, starts, None, count, pattern, seed, rate_hz=rate_hz) for lead in _HEIGHTS
    }
    one, two = made["I"], made["II"]
    made |= {
        "III": two - one,
        "aVR": -(one + two) / 2,
        "aVL": one - two / 2,
        "aVF": two - one / 2,
    }
    return {lead: np.rint(made[lead] * 1000).astype(int).tolist() for lead in LEADS}


def _beats(per_min: int, variant: int, rate_hz: int) -> tuple[Signal, float]:
    """Times of the R waves of a loop and its length, which is a whole number of samples."""
    if not 20 <= per_min <= 300:
        raise ValueError("a heart rate is 20 to 300 a minute")
    beat_s = 60.0 / per_min
    swing = 1 + 0.03 * np.sin(2 * np.pi * np.arange(BEATS) / BEATS * 2 + variant)
    gaps = beat_s * swing
    length_s = round(float(gaps.sum()) * rate_hz) / rate_hz
    starts = np.concatenate(([0.0], np.cumsum(gaps)[:-1])) + 0.35 * beat_s
    return starts, length_s


def _starts(per_min: int, seconds: float, pattern: str, seed: int) -> Signal:
    chance = np.random.default_rng(seed)
    beat_s = 60.0 / per_min
    count = int(seconds / beat_s * 1.6) + 4
    spread = 0.22 if pattern == "atrial_fibrillation" else 0.02
    gaps = beat_s * np.maximum(0.45, 1 + spread * chance.standard_normal(count))
    return np.cumsum(gaps) - beat_s * 0.6


def _lead(
    lead: str,
    starts: Signal,
    length_s: float | None,
    count: int,
    pattern: str,
    seed: int,
    rate_hz: float = 0.0,
) -> Signal:
    """One lead in mV; closed to a ring where `length_s` is given."""
    step_s = length_s / count if length_s else 1.0 / rate_hz
    at = np.arange(count) * step_s
    gap_s = float(np.median(np.diff(starts)))
    stretch = np.sqrt(min(gap_s, 1.2))  # QT follows the root of RR (Bazett)
    t_at = 0.27 * stretch
    places = (-0.17 * min(stretch, 1.0), -0.034, 0.0, 0.034, t_at)
    wave = np.zeros(count)
    for wave_name, height, place, width in zip(
        "PQRST", _HEIGHTS[lead], places, _WIDTHS_S, strict=True
    ):
        if wave_name == "P" and pattern == "atrial_fibrillation":
            continue
        wide = width * (stretch if wave_name in "PT" else 1.0)
        wave += height * _bells(at, starts + place, wide, length_s)
    shift = _ST.get(pattern, {}).get(lead, 0.0)
    if shift:
        wave += shift * _bells(at, starts + (0.05 + t_at) / 2, (t_at - 0.02) / 2.4, length_s)
    chance = np.random.default_rng((seed, *lead.encode()))
    wave += _NOISE_MV * chance.standard_normal(count)
    wave += _WANDER_MV * np.sin(2 * np.pi * 2 * np.arange(count) / count)
    if pattern == "atrial_fibrillation":
        wave += 0.04 * np.sin(2 * np.pi * 6.1 * at + 0.7 * np.sin(2 * np.pi * 0.9 * at))
    return wave


def _pleth(starts: Signal, length_s: float, count: int) -> Signal:
    """0 to about 1: the pulse at the finger 0.2 s after the beat, with its second, smaller wave."""
    at = np.arange(count) * (length_s / count)
    gap_s = length_s / len(starts)
    first = _bells(at, starts + 0.20 + 0.16 * gap_s, 0.105 * gap_s, length_s)
    second = _bells(at, starts + 0.20 + 0.44 * gap_s, 0.13 * gap_s, length_s)
    swing = 1 + 0.05 * np.sin(2 * np.pi * 2 * np.arange(count) / count)
    return (first + 0.38 * second) * swing


def _bells(at: Signal, middles: Signal, width_s: float, length_s: float | None) -> Signal:
    away = at[:, None] - middles[None, :]
    if length_s:
        away = (away + length_s / 2) % length_s - length_s / 2
    bells: Signal = np.exp(-0.5 * (away / width_s) ** 2).sum(axis=1)
    return bells


def _int16(wave: Any) -> bytes:
    samples: bytes = np.clip(np.rint(wave), -32767, 32767).astype("<i2").tobytes()
    return samples
