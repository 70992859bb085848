"""What the beats of one lead look like, small enough to be kept; how alike two such shapes are.

A shape is the median of the beats of some seconds, without its baseline and its height: what
electrodes and amplifiers change from one fixing to the next is left out, as far as it can be. It
tells one heart from another only now and then (docs/decisions/0051): it asks a person to look, and
decides nothing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from hospital_ops.ecg.beats import detect
from hospital_ops.ecg.hops import Array

RATE_HZ: Final = 100.0  # of a shape
BEFORE_S: Final = 0.12  # of the beat's peak
AFTER_S: Final = 0.36
LEAST_BEATS: Final = 8
ALIKE_MIN: Final = 0.9  # of a beat to the median: fewer alike than `MOST` is no shape
MOST: Final = 0.6
SHIFT_S: Final = 0.05  # two shapes may lie so far apart: the peak of a beat is not always one
_FULL: Final = 127  # int8


def shape(lead: Array, rate_hz: float) -> bytes:
    """The shape of the usual beat of a lead (mV, NaN in gaps): int8 at 100 Hz, its peak at 0.12 s.

    Empty where there are too few beats, or too few that look like each other (noise, a bigeminus).
    At least 50 samples a second (ValueError).
    """
    signal = _even(np.asarray(lead, dtype=float), rate_hz)
    reach = round(SHIFT_S * RATE_HZ)
    before, after = round(BEFORE_S * RATE_HZ) + reach, round(AFTER_S * RATE_HZ) + reach
    peaks = np.round(detect(lead, rate_hz) * RATE_HZ / rate_hz).astype(int)
    peaks = peaks[(peaks >= before) & (peaks + after <= len(signal))]
    if len(peaks) < LEAST_BEATS:
        return b""
    wide = signal[peaks[:, None] + np.arange(-before, after)]
    wide = wide[np.isfinite(wide).all(axis=1)]
    if len(wide) < LEAST_BEATS:
        return b""
    middle = _normal(np.median(wide, axis=0)[None, reach:-reach])[0]
    beats, like = _aligned(wide, middle, reach)
    usual = _normal(np.median(beats[like >= np.median(like)], axis=0)[None])[0]
    beats, like = _aligned(wide, usual, reach)
    if (like >= ALIKE_MIN).mean() < MOST:
        return b""
    usual = np.median(beats[like >= ALIKE_MIN], axis=0)
    highest = np.abs(usual).max()
    whole: bytes = np.round(usual / highest * _FULL).astype(np.int8).tobytes()
    return whole


def likeness(one: bytes, other: bytes) -> float:
    """The highest correlation of two shapes of one lead, shifted against each other: -1 to 1."""
    a, b = (np.frombuffer(each, np.int8).astype(float) for each in (one, other))
    if len(a) != len(b) or not len(a):
        raise ValueError("these are not two shapes of one kind")
    reach = round(SHIFT_S * RATE_HZ)
    inner = _normal(a[None, reach:-reach])[0]
    count = len(inner)
    shifted = _normal(np.stack([b[shift : shift + count] for shift in range(2 * reach + 1)]))
    return float((shifted @ inner).max())


def _even(signal: Array, rate_hz: float) -> Array:
    """The signal at the rate of shapes: means of its samples, or between them."""
    count = int(len(signal) * RATE_HZ / rate_hz)
    width = rate_hz / RATE_HZ
    if width > 1:  # no aliasing
        size = round(width)
        signal = np.convolve(signal, np.full(size, 1 / size), "same")
    at = np.arange(count) * width
    low = np.minimum(at.astype(int), len(signal) - 2)
    part = at - low
    return np.asarray(signal[low] * (1 - part) + signal[low + 1] * part)


def _aligned(wide: Array, usual: Array, reach: int) -> tuple[Array, Array]:
    """Each beat where it is most like the usual one, and how like it is."""
    count = len(usual)
    shifts = [_normal(wide[:, shift : shift + count]) @ usual for shift in range(2 * reach + 1)]
    best = np.argmax(shifts, axis=0)
    beats = np.stack([beat[at : at + count] for beat, at in zip(wide, best, strict=True)])
    return beats - np.median(beats, axis=1, keepdims=True), np.max(shifts, axis=0)


def _normal(rows: Array) -> Array:
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / (np.sqrt((rows**2).sum(axis=1, keepdims=True)) + 1e-12))
