"""Where the waves of a lead begin and end, from its usual beat.

The usual (median) beat of the lead is measured once and its borders are laid on every beat: what
is noise in one beat is gone in the median of ten. Borders of the QRS lie where the slope falls to
a small share of its highest and stays there; the end of T where the steepest tangent behind its
peak meets the level (Lepeschkin and Surawicz 1952); P likewise on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from hospital_ops.ecg.filters import smoothed
from hospital_ops.ecg.hops import Array

_BEFORE_S: Final = 0.40
_AFTER_S: Final = 0.70
_QRS_SEARCH_S: Final = (-0.13, 0.17)
_QUIET_S: Final = 0.018  # the slope stays low this long outside the QRS
_ALLOWANCE_S: Final = (0.006, 0.004)  # people put the borders this much farther out
_SLOPE_SHARE: Final = (0.07, 0.08)  # of the highest slope, before and after
_LEAST_P_MV: Final = 0.018
_LEAST_T_MV: Final = 0.03


@dataclass(slots=True)
class Usual:
    """The usual beat of one lead: `wave` in mV, `zero` its R position, `at` the beats' R samples.

    Levels are relative to the PQ junction only after `measured`.
    """

    wave: Array
    zero: int
    rate_hz: float
    at: Array


@dataclass(slots=True)
class Borders:
    """Offsets from R in samples; None where a wave is not there or not to be told apart."""

    p_on: int | None
    p_peak: int | None
    p_off: int | None
    qrs_on: int
    qrs_off: int
    t_peak: int | None
    t_off: int | None


def usual_beat(lead: Array, rate_hz: float, beats: Array) -> Usual | None:
    """The median beat of a lead (mV), None with no beat that lies wholly inside it.

    Each beat is first shifted by up to 20 ms to where it is most like the others.
    """
    before, after = round(_BEFORE_S * rate_hz), round(_AFTER_S * rate_hz)
    play = round(0.024 * rate_hz)
    padded = np.pad(lead, (before + play, after + play), mode="edge")
    at = np.asarray(beats, dtype=np.int64)
    inside = at[(at - before // 2 >= 0) & (at + after // 2 < len(lead))]
    at = inside if len(inside) else at
    if not len(at):
        return None
    for _ in range(2):
        rows = at[:, None] + np.arange(before + after + 2 * play + 1)
        pieces = padded[rows]
        level = np.median(pieces[:, : before + play], axis=1, keepdims=True)
        middle = np.median(pieces - level, axis=0)
        low, high = play + before - round(0.08 * rate_hz), play + before + round(0.08 * rate_hz)
        model = smoothed(middle, 0.004 * rate_hz, slope=True)[low:high]
        slopes = smoothed(pieces, 0.004 * rate_hz, slope=True)
        shifts = np.arange(-play, play + 1)
        fit = np.stack([slopes[:, low + s : high + s] @ model for s in shifts], axis=1)
        at = at + shifts[fit.argmax(axis=1)]
    rows = at[:, None] + play + np.arange(before + after + 1)
    pieces = np.pad(lead, (before + 2 * play, after + 2 * play), mode="edge")[rows + play]
    level = np.median(pieces[:, before - round(0.1 * rate_hz) : before], axis=1, keepdims=True)
    return Usual(np.median(pieces - level, axis=0), before, rate_hz, at)


def borders(usual: Usual, interval_s: float) -> Borders | None:
    """The borders of a usual beat; `interval_s` is the usual time between beats.

    None where there is no QRS to speak of.
    """
    wave, rate, zero = usual.wave, usual.rate_hz, usual.zero
    slope = np.abs(smoothed(wave, 0.004 * rate, slope=True)) * rate
    low, high = (zero + round(each * rate) for each in _QRS_SEARCH_S)
    near = slope[zero - round(0.07 * rate) : zero + round(0.07 * rate)]
    top = float(near.max())
    if top * 0.01 < 1e-3:
        return None
    steep = zero - round(0.07 * rate) + int(near.argmax())
    noise = float(np.median(slope)) * 0.7
    on = _quiet(slope, steep, low, -1, max(_SLOPE_SHARE[0] * top, noise), rate)
    off = _quiet(slope, steep, high, 1, max(_SLOPE_SHARE[1] * top, noise), rate)
    t_peak, t_off = _t_wave(wave, off, zero, interval_s, rate)
    p_on, p_peak, p_off = _p_wave(wave, on, zero, interval_s, rate)
    found = (p_on, p_peak, p_off, t_peak, t_off)
    relative = [None if each is None else each - zero for each in found]
    return Borders(
        relative[0],
        relative[1],
        relative[2],
        on - zero - round(_ALLOWANCE_S[0] * rate),
        off - zero + round(_ALLOWANCE_S[1] * rate),
        relative[3],
        relative[4],
    )


def _quiet(slope: Array, start: int, end: int, step: int, limit: float, rate: float) -> int:
    """The first place from `start` from where the slope stays below `limit` long enough."""
    need = max(2, round(_QUIET_S * rate))
    run = 0
    for place in range(start, end, step):
        run = run + 1 if slope[place] < limit else 0
        if run == need:
            return place - step * (need - 1)
    return end


def _line(wave: Array, low: int, high: int, width: int) -> Array:
    """The straight line between the levels at both ends."""
    left, right = np.median(wave[low : low + width]), np.median(wave[high - width : high])
    return np.linspace(left, right, high - low)


def _t_wave(
    wave: Array, off: int, zero: int, interval_s: float, rate: float
) -> tuple[int | None, int | None]:
    low = off + round(0.06 * rate)
    high = min(
        len(wave) - 1, zero + round(min(0.64, 0.68 * interval_s**0.5, 0.8 * interval_s) * rate)
    )
    if high - low < 0.12 * rate:
        return None, None
    smooth = smoothed(wave, 0.012 * rate)
    width = max(2, round(0.02 * rate))
    level = float(np.median(smooth[high - width : high]))
    height = np.abs(smooth[low:high] - level)
    # The bump, not the slope it rides on: what stands out from the line between both ends.
    bump = np.abs(smooth[low:high] - _line(smooth, low, high, width))
    peak = low + int((bump * (height > 0)).argmax())
    if bump.max() < _LEAST_T_MV or peak >= high - round(0.03 * rate):
        return None, None
    slope = smoothed(wave, 0.012 * rate, slope=True)
    sign = np.sign(smooth[peak] - level)
    fall = -sign * slope[peak : min(high, peak + round(0.16 * rate))]
    steepest = peak + int(fall.argmax())
    if fall.max() <= 0:
        return peak, None
    end = steepest + (smooth[steepest] - level) * sign / fall.max()
    return peak, int(min(max(round(float(end)), peak), high))


def _p_wave(
    wave: Array, on: int, zero: int, interval_s: float, rate: float
) -> tuple[int | None, int | None, int | None]:
    low = max(0, zero - round(min(_BEFORE_S - 0.05, 0.42 * interval_s) * rate))
    high = on - round(0.004 * rate)
    if high - low < 0.07 * rate:
        return None, None, None
    smooth = smoothed(wave, 0.008 * rate)
    bump = smooth[low:high] - _line(smooth, low, high, max(2, round(0.012 * rate)))
    peak = low + int(np.abs(bump).argmax())
    size = float(np.abs(bump).max())
    if size < _LEAST_P_MV:
        return None, None, None
    slope = smoothed(wave, 0.008 * rate, slope=True) * np.sign(bump[peak - low])
    reach = round(0.075 * rate)
    rise = slope[max(low, peak - reach) : peak + 1]
    fall = -slope[peak : min(high, peak + reach) + 1]
    if rise.max(initial=0) <= 0 or fall.max(initial=0) <= 0:
        return None, peak, None
    up = max(low, peak - reach) + int(rise.argmax())
    down = peak + int(fall.argmax())
    start = up - _drop(bump, up - low, -1) / float(rise.max())
    end = down + _drop(bump, down - low, 1) / float(fall.max())
    return int(max(round(start), low)), peak, int(min(round(end), on))


def _drop(bump: Array, place: int, step: int) -> float:
    """How far the wave still stands out at its steepest place."""
    place = min(max(place, 0), len(bump) - 1)
    return float(abs(bump[place]))
