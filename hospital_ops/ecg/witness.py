"""What other signals say about the last seconds of a heart: pulses, other leads, their quality.

Facts only; whether they make an alarm doubtful is decided in `icu/crosscheck.py`. The quality of a
pulse signal is the likeness of its pulses to each other, after Orphanidou et al., "Signal-quality
indices for the electrocardiogram and photoplethysmogram", IEEE J Biomed Health Inform
2015;19:832-8 (mean correlation with the mean pulse at least 0.86, longest over shortest interval
below 2.2, 40 to 180 a minute, no gap above 3 s); the same figures are used for the arterial line.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from hospital_ops.ecg.hops import Array
from hospital_ops.wire_signals import Witness

GOOD, POOR, NONE = "good", "poor", "none"
WINDOW_S: Final = 10.0  # looked at: PhysioNet/CinC 2015 asks for the ten seconds before an alarm
USUAL_S: Final = 8.0  # before them: what the pulse was like until then
ALIKE_MIN: Final = 0.86
RATIO_MAX: Final = 2.2
SMALL_MMHG: Final = 10.0  # a pulse pressure below this is a damped or zeroed line (`line_damped`)
_RATE_HZ: Final = 62.5  # pulses need no more
_RISE: Final = 0.45  # of the usual steepest rise: a pulse begins
_APART_S: Final = 0.28


def pulses(source: str, values: Array, rate_hz: float) -> Witness:
    """A pulse signal (pleth or arterial line) of about 18 s that ends now."""
    group = max(1, int(rate_hz // _RATE_HZ))
    rate = rate_hz / group
    whole = values[len(values) % group :].reshape(-1, group)
    signal = whole.mean(axis=1) if len(whole) else np.empty(0)
    now = round(WINDOW_S * rate)
    known = np.isfinite(signal)
    if len(signal) < now or not known[-now:].mean() > 0.9:
        return Witness(source, NONE)
    signal = np.interp(np.arange(len(signal)), np.flatnonzero(known), signal[known])
    at = _rises(signal, rate)
    inside = at[at >= len(signal) - now]
    if not len(inside):
        return Witness(source, POOR if np.ptp(signal[-now:]) else NONE, gap_s=WINDOW_S)
    edges = np.concatenate([inside, [len(signal)]]) / rate
    gaps = np.diff(edges)
    first = (inside[0] - (len(signal) - now)) / rate
    between = gaps[:-1]
    heights = _heights(signal, at, rate)
    of_now = heights[at >= len(signal) - now]
    before = heights[at < len(signal) - now]
    usual = float(np.median(before)) if len(before) >= 3 else None
    quality = GOOD if _good(source, signal, inside, between, rate) else POOR
    return Witness(
        source,
        quality,
        rate_per_min=float(60 / np.median(between)) if len(between) else None,
        gap_s=float(max(gaps.max(), first)),
        slowest_per_min=float(60 / between.max()) if len(between) else None,
        fastest_per_min=float(60 / between.min()) if len(between) else None,
        unchanged=float(of_now[:-1].min() / usual) if usual and len(of_now) > 1 else None,
    )


def lead(
    source: str, beats: list[float], likeness: list[float], off: bool, now_s: float
) -> Witness:
    """An ECG lead, from its detected beats; detection runs some seconds behind `now_s`."""
    at = np.array(beats)
    if off or not len(at):
        return Witness(source, NONE)
    inside = at > now_s - WINDOW_S
    alike = np.array(likeness)[inside]
    gaps = np.diff(at[inside])
    return Witness(
        source,
        GOOD if len(alike) >= 3 and float(np.median(alike)) >= ALIKE_MIN else POOR,
        rate_per_min=float(60 / np.median(gaps)) if len(gaps) else None,
        gap_s=float(gaps.max()) if len(gaps) else WINDOW_S,
        slowest_per_min=float(60 / gaps.max()) if len(gaps) else None,
        fastest_per_min=float(60 / gaps.min()) if len(gaps) else None,
        alike=float(alike.min()) if len(alike) else None,
    )


def _rises(signal: Array, rate: float) -> Array:
    """Where pulses begin to rise (sample numbers), by their steepest points."""
    reach = max(1, round(0.06 * rate))
    slope = np.zeros(len(signal))
    slope[reach:] = signal[reach:] - signal[:-reach]
    second = round(rate)
    count = len(slope) // second
    tops = slope[-count * second :].reshape(count, second).max(axis=1)
    usual = float(np.median(tops))
    if usual <= 0:
        return np.empty(0, np.int64)
    found: list[int] = []
    apart = round(_APART_S * rate)
    for place in np.flatnonzero(slope > _RISE * usual):
        if found and place - found[-1] < apart:
            if slope[place] > slope[found[-1]]:
                found[-1] = int(place)
        else:
            found.append(int(place))
    return np.array(found, np.int64)


def _heights(signal: Array, at: Array, rate: float) -> Array:
    """From the foot to the top of each pulse."""
    back, ahead = round(0.2 * rate), round(0.3 * rate)
    return np.array(
        [np.ptp(signal[max(place - back, 0) : place + ahead]) for place in at], dtype=float
    )


def _good(source: str, signal: Array, at: Array, between: Array, rate: float) -> bool:
    if len(between) < 4 or between.max() / between.min() > RATIO_MAX:
        return False
    half = round(float(np.median(between)) * rate / 2)
    whole = [place for place in at if place >= half and place + half <= len(signal)]
    if len(whole) < 4:
        return False
    shapes = np.stack([signal[place - half : place + half] for place in whole])
    shapes = shapes - shapes.mean(axis=1, keepdims=True)
    mean = shapes.mean(axis=0)
    size = np.sqrt((shapes**2).sum(axis=1) * (mean**2).sum()) + 1e-12
    alike = float(((shapes @ mean) / size).mean())
    strong = source != "abp" or float(np.median(np.ptp(shapes, axis=1))) >= SMALL_MMHG
    return alike >= ALIKE_MIN and strong
