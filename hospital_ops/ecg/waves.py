"""Is there a heart beat at all: oscillation, stillness and lead-off, second by second.

Fibrillation and fast ventricular tachycardia leave no flat line between beats and have one
dominant frequency; asystole has no steep wave; a lead that is off does not move. Each number is
made from whole seconds of the inner signal, so it does not depend on the chunks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np

from hospital_ops.ecg.hops import Array, Hops

LIMITS: Final[dict[str, Any]] = json.loads(
    (resources.files("hospital_ops.ecg") / "rhythm.json").read_text(encoding="utf-8")
)
_OSCILLATION: Final = LIMITS["oscillation"]
_STILL: Final = LIMITS["still"]
_WINDOW: Final = int(_OSCILLATION["window_s"])
_BAND_HZ: Final = (1.5, 30.0)
_MEAN_S: Final = 0.75


@dataclass(slots=True)
class Second:
    """Facts of seconds [start, ...) per lead, each an array (leads, seconds)."""

    start: int
    oscillating: Array  # like fibrillation, flutter or fast ventricular tachycardia
    frequency: Array  # waves a second while oscillating
    still: Array  # no steep wave in this second
    off: Array  # the lead does not move at all
    resting: Array  # a flat line between the waves


class Waves:
    """Keeps what the last seconds of each lead looked like.

    `push` takes whole seconds of the inner signal, (leads, seconds, samples), and the highest
    point of the QRS envelope in each.
    """

    def __init__(self, leads: int, rate: float, samples: int) -> None:
        self.rate, self.samples = rate, samples
        self._signal = Hops(leads, (samples,))
        self._highest = Hops(leads)
        self._counted = 0

    def push(self, seconds: Array, highest: Array) -> Second:
        """Facts of the seconds that are complete now; a window ends with its second."""
        start = self._counted
        if not seconds.shape[1]:
            none = np.zeros((seconds.shape[0], 0), bool)
            return Second(start, none, none.astype(float), none, none, none)
        self._signal.append(seconds)
        self._highest.append(highest)
        stop = self._counted = start + seconds.shape[1]
        # Pieces of a few minutes: a whole day in one array would not fit.
        parts = [self._facts(low, min(low + 128, stop)) for low in range(start, stop, 128)]
        self._signal.forget(stop - _WINDOW - 1)
        self._highest.forget(stop - int(_STILL["usual_back_s"]) - _WINDOW)
        return Second(
            start,
            *(
                np.concatenate([getattr(part, name) for part in parts], axis=1)
                for name in ("oscillating", "frequency", "still", "off", "resting")
            ),
        )

    def _facts(self, start: int, stop: int) -> Second:
        windows = self._signal.windows(start, stop, _WINDOW - 1, 0, np.nan)
        flat = np.moveaxis(windows, -1, -2).reshape(windows.shape[0], stop - start, -1)
        whole = np.isfinite(flat[..., 0])
        oscillating = np.zeros(whole.shape, bool)
        frequency, near = np.zeros(whole.shape), np.zeros(whole.shape)
        oscillating[whole], frequency[whole], near[whole] = self._oscillating(flat[whole])
        last = windows[..., -1]
        off = np.ptp(last, axis=-1) < _STILL["lead_off_range_mv"]
        back = int(_STILL["usual_back_s"])
        around = self._highest.windows(start, stop, back, 0, np.nan)
        with np.errstate(invalid="ignore"):
            usual = _upper(around[..., : -_WINDOW - 1])
        now = around[..., -1]
        limit = np.maximum(usual * _STILL["share_of_usual"], _STILL["least_mv"])
        resting = near >= _OSCILLATION["near_zero_resting"]
        return Second(start, oscillating, frequency, now < limit, off, resting)

    def _oscillating(self, windows: Array) -> tuple[Array, Array, Array]:
        """Whether windows (n, samples) oscillate, their waves a second, their share near zero."""
        if not len(windows):
            return np.zeros(0, bool), np.zeros(0), np.zeros(0)
        length = round(_MEAN_S * self.rate) | 1
        wave = _smoothed(windows - _mean(windows, length))
        size = np.abs(wave)
        edge = max(1, round(0.02 * size.shape[1]))
        amplitude = np.partition(size, -edge, axis=1)[:, -edge]
        near = (size < _OSCILLATION["near_zero_share_of_amplitude"] * amplitude[:, None]).mean(1)
        crossings = (np.diff(wave > 0, axis=1)).sum(axis=1) / _WINDOW / 2
        low, high = _OSCILLATION["crossings_per_s"]
        chosen = (near < _OSCILLATION["near_zero_max"]) & (
            amplitude > _OSCILLATION["amplitude_min_mv"]
        )
        chosen &= (crossings >= low) & (crossings <= high)
        if chosen.any():  # the dear part only where it can still matter
            some = wave[chosen]
            middles = np.median(np.abs(some).reshape(len(some), _WINDOW, self.samples), axis=2).min(
                axis=1
            )
            quiet = middles / amplitude[chosen] >= _OSCILLATION["quiet_median_min"]
            chosen[chosen] = quiet & (self._focus(some) >= _OSCILLATION["concentration_min"])
        return chosen, crossings, near

    def _focus(self, wave: Array) -> Array:
        """The share of the power within 0.75 Hz of the strongest frequency."""
        power = np.abs(np.fft.rfft(wave * np.hanning(wave.shape[1]), axis=1)) ** 2
        frequency = np.fft.rfftfreq(wave.shape[1], 1 / self.rate)
        inside = np.flatnonzero((frequency >= _BAND_HZ[0]) & (frequency <= _BAND_HZ[1]))
        top = inside[power[:, inside].argmax(axis=1)]
        near = np.clip(top[:, None] + np.arange(-3, 4), 0, power.shape[1] - 1)
        focus = np.take_along_axis(power, near, axis=1).sum(axis=1)
        return np.asarray(focus / (power[:, inside].sum(axis=1) + 1e-12))


def _upper(values: Array) -> Array:
    """The upper median of what is known of the last seconds; 0 where nothing is."""
    ordered = np.sort(np.where(np.isfinite(values), values, -1.0), axis=-1)
    count = (ordered >= 0).sum(axis=-1)
    place = np.clip(ordered.shape[-1] - 1 - (count * 2) // 5, 0, ordered.shape[-1] - 1)
    return np.asarray(np.maximum(np.take_along_axis(ordered, place[..., None], -1)[..., 0], 0))


def _mean(windows: Array, length: int) -> Array:
    half = length // 2
    padded = np.pad(windows, ((0, 0), (half + 1, half)), mode="edge")
    sums = np.cumsum(padded, axis=1)
    return np.asarray((sums[:, length:] - sums[:, :-length]) / length)


def _smoothed(wave: Array) -> Array:
    padded = np.pad(wave, ((0, 0), (1, 1)), mode="edge")
    return np.asarray((padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) / 3)
