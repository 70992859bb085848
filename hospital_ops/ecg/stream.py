"""Beats while the samples come in: any number of leads at once, the same beats for any chunks.

Theory of operation, all on a grid of absolute seconds:
A  samples -> inner rate (about 120 Hz, means of whole groups) -> band 9-26 Hz -> envelope
B  a second is complete when the envelope reaches past it: its candidates, its highest point
C  one second later the reference (median of the highest points around) is known: strong or weak
D  one more second later its neighbours are known too: the rule decides, once and for ever
So a beat is told 2 to 4 seconds after it happened (5 to 6 in the first seconds of a lead).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from hospital_ops.ecg.candidates import (
    BIAS,
    SETTING,
    WEIGHTS,
    Candidates,
    Surroundings,
    features,
    nothing,
)
from hospital_ops.ecg.filters import band_pass, highest_around
from hospital_ops.ecg.hops import Array, Hops, quantile

MIN_RATE_HZ: Final = 50.0
_MIRROR_S: Final = 9  # what the last seconds need after them, as told in the theory above
_KEPT: Final = 16  # seconds looked back on, at most
_REFERENCE: Final = SETTING["reference"]
_TEMPLATE_BACK: Final = int(SETTING["template_back_s"])
_LIKENESS_BACK: Final = 4


class BeatStream:
    """The beats of `leads` leads of one rate, told as soon as they are certain.

    Values in mV; NaN (a gap) repeats the value before it. Not for rates below 50 Hz (ValueError).
    """

    def __init__(self, rate_hz: float, leads: int = 1) -> None:
        if not rate_hz >= MIN_RATE_HZ:
            raise ValueError(f"beats need at least {MIN_RATE_HZ:g} samples a second: {rate_hz}")
        self.rate_hz, self.leads = rate_hz, leads
        self.group = max(1, int(rate_hz // SETTING["inner_rate_hz"]))
        self.rate = rate_hz / self.group
        self.hop = round(self.rate)
        half = round(SETTING["filter_s"] * self.rate / 2)
        band = (SETTING["band_hz"][0], min(SETTING["band_hz"][1], 0.45 * self.rate))
        self._band = band_pass(2 * half + 1, band, self.rate)
        smooth = round(SETTING["smooth_s"] * self.rate / 2)
        self._smooth = np.full(2 * smooth + 1, 1 / (2 * smooth + 1))
        self._refractory = int(SETTING["refractory_s"] * self.rate)
        self._half_wave = round(SETTING["half_wave_s"] * self.rate)
        self._margin = max(self._refractory, 3 * self._half_wave) + 1
        self._reset()

    def _reset(self) -> None:
        leads, width = self.leads, 2 * self._half_wave + 1
        self._raw: Array = np.empty((leads, 0))
        self._last: Array = np.zeros((leads, 1))
        # What the last push completed: whole seconds of the inner signal, (leads, seconds,
        # samples), and the highest point of the envelope in each, (leads, seconds).
        self.seconds: Array = np.empty((leads, 0, self.hop))
        self.highest: Array = np.empty((leads, 0))
        self.likeness: Array = np.empty(0)  # to the template of its lead, of each beat last told
        self._inner: Array | None = None  # inner samples, from the filters' margin before `_done`
        self._offset: Array = np.zeros((leads, 1))
        self._done = 0  # inner samples whose envelope is known
        self._length = 0  # samples taken in
        self._recent: list[Array] = []  # the last inner samples, for the mirror at the end
        self._bandpassed: Array = np.zeros((leads, self._margin))
        self._envelope: Array = np.zeros((leads, self._margin))
        self._plain: Array = np.zeros((leads, self._margin))
        self._from = -self._margin  # inner position of the first one of both
        self._highest, self._middle, self._floor = Hops(leads), Hops(leads), Hops(leads)
        self._waves, self._counts = Hops(leads, (width,)), Hops(leads)
        self._shapes, self._likeness = Hops(leads), Hops(leads)
        self._fresh, self._pending = nothing(width), nothing(width)
        self._history = nothing(width)

    def push(self, chunk: Array) -> tuple[Array, Array]:
        """Take in samples (leads, n); what became certain: lead and sample number of each beat."""
        self._take_in(chunk)
        self._find()
        self._refer()
        return self._decide()

    def finish(self) -> tuple[Array, Array]:
        """The beats of the last seconds, as if the signal went back the way it came."""
        length = self._length
        if not self._recent:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        tail = np.concatenate(self._recent, axis=1)[:, ::-1]
        more = max(round(_MIRROR_S * self.rate) - tail.shape[1], 0)
        mirrored = np.pad(tail, ((0, 0), (0, more)), mode="symmetric")
        lead, at = self.push(np.repeat(mirrored, self.group, axis=1))
        real = at < length
        # A beat at the very end meets its own image in the mirror: both are one.
        one = np.unique(np.stack([lead[real], at[real]]), axis=1)
        return one[0], one[1]

    def _take_in(self, chunk: Array) -> None:
        chunk = np.asarray(chunk, dtype=float)
        self._length += chunk.shape[1]
        if not np.isfinite(chunk).all():
            chunk = _held(chunk, self._last)
        if chunk.shape[1]:
            self._last = chunk[:, -1:]
        raw = np.concatenate([self._raw, chunk], axis=1) if self._raw.shape[1] else chunk
        count = raw.shape[1] // self.group
        self._raw = raw[:, count * self.group :]
        if not count:
            return
        inner = raw[:, : count * self.group].reshape(self.leads, count, self.group)
        means = inner.mean(axis=2) if self.group > 1 else inner[:, :, 0]
        self._remember(means)
        margin = len(self._band) // 2 + len(self._smooth) // 2
        if self._inner is None:
            self._offset = means[:, :1].copy()  # the filter lets a trace of a constant through
            self._inner = np.zeros((self.leads, margin))
        self._inner = np.concatenate([self._inner, means - self._offset], axis=1)
        if self._inner.shape[1] <= 2 * margin:
            return
        band = _filtered(self._inner, self._band)
        envelope = np.sqrt(_filtered(band * band, self._smooth))
        self._plain = np.concatenate([self._plain, self._inner[:, margin:-margin]], axis=1)
        self._inner = self._inner[:, -2 * margin :]
        edge = len(self._smooth) // 2
        inside = band[:, edge : band.shape[1] - edge]
        self._bandpassed = np.concatenate([self._bandpassed, inside], axis=1)
        self._envelope = np.concatenate([self._envelope, envelope], axis=1)
        self._done += envelope.shape[1]

    def _remember(self, means: Array) -> None:
        self._recent.append(means)
        kept = sum(piece.shape[1] for piece in self._recent)
        while kept - self._recent[0].shape[1] >= _MIRROR_S / 2 * self.rate:
            kept -= self._recent.pop(0).shape[1]

    def _find(self) -> None:
        """B: candidates and highest points of the seconds that became complete."""
        start, stop = self._highest.end, (self._done - self._margin) // self.hop
        if stop <= start:
            self.seconds, self.highest = self.seconds[:, :0], self.highest[:, :0]
            return
        low, high = start * self.hop - self._from, stop * self.hop - self._from
        reach = self._refractory
        piece = self._envelope[:, low - reach : high + reach]
        top = highest_around(piece, reach)
        here = self._envelope[:, low:high]
        seconds = here.reshape(self.leads, stop - start, self.hop)
        self.highest = seconds.max(axis=2)
        self.seconds = self._plain[:, low:high].reshape(seconds.shape)
        self._highest.append(self.highest)
        self._middle.append(np.median(seconds, axis=2))
        # A flat top is one candidate, not many: its first sample.
        rising = here > self._envelope[:, low - 1 : high - 1]
        lead, place = np.nonzero((here == top) & rising & (here > _REFERENCE["least_mv"]))
        self._fresh = self._fresh.joined(self._described(lead, place + low))
        keep = max(stop * self.hop - self._margin - self._from, 0)
        self._bandpassed, self._envelope = self._bandpassed[:, keep:], self._envelope[:, keep:]
        self._plain = self._plain[:, keep:]
        self._from += keep

    def _described(self, lead: Array, place: Array) -> Candidates:
        """Candidates at buffer positions `place`, with their shapes."""
        half = self._half_wave
        steps = np.arange(-half, half + 1)
        wave = self._bandpassed[lead[:, None], place[:, None] + steps]
        slope = np.diff(wave, axis=1)
        energy = np.maximum((wave * wave).mean(axis=1), 1e-18)
        shape = np.log(np.sqrt((slope * slope).mean(axis=1) / energy) * self.rate + 1e-9)
        near = half // 2
        peak = place + np.abs(wave[:, half - near : half + near + 1]).argmax(axis=1) - near
        centred = self._bandpassed[lead[:, None], peak[:, None] + steps]
        centred = centred / (np.sqrt((centred * centred).sum(axis=1))[:, None] + 1e-12)
        height = self._envelope[lead, place]
        at = place + self._from
        weak = np.zeros(len(at), bool)
        return Candidates(lead, at, at // self.hop, height, shape, peak + self._from, centred, weak)

    def _refer(self) -> None:
        """C: the reference of each second, and which candidates are strong against it."""
        start, stop = self._waves.end, self._highest.end - 1
        first = int(_REFERENCE["first_s"])
        if stop <= start or self._highest.end < first:
            return
        reference = self._reference(start, stop)
        middle = self._middle.windows(start, stop, 4, 1, np.inf)
        self._floor.append(quantile(middle, 0.5, 0.0) / reference)
        ready = self._fresh.hop < stop
        known, self._fresh = self._fresh.take(ready), self._fresh.take(~ready)
        known.height = known.height / reference[known.lead, known.hop - start]
        known.strong = known.height > _REFERENCE["strong"]
        known = known.take(known.height > _REFERENCE["weak"])
        strong = known.take(known.strong)
        cell = strong.lead * (stop - start) + strong.hop - start
        size = (self.leads, stop - start)
        self._waves.append(_summed(strong.wave, cell, size))
        self._shapes.append(_summed(strong.shape, cell, size))
        self._counts.append(_summed(np.ones(len(cell)), cell, size))
        self._pending = self._pending.joined(known)

    def _reference(self, start: int, stop: int) -> Array:
        back, first = int(_REFERENCE["back_s"]), int(_REFERENCE["first_s"])
        windows = self._highest.windows(start, stop, back, 1, np.inf)
        found = quantile(windows, _REFERENCE["quantile"], 0.0)
        if start < first - 1:  # the first seconds share what is known after a few of them
            early = quantile(self._highest.values[:, None, :first], _REFERENCE["quantile"], 0.0)
            found[:, : max(first - 1 - start, 0)] = early
        return np.asarray(np.maximum(found, _REFERENCE["least_mv"]))

    def _decide(self) -> tuple[Array, Array]:
        """D: the rule, for the seconds whose neighbours are known."""
        start, stop = self._likeness.end, self._waves.end - 1
        if stop <= start:
            self.likeness = np.empty(0)
            return np.empty(0, np.int64), np.empty(0, np.int64)
        template = self._waves.windows(start, stop, _TEMPLATE_BACK, 1, 0.0).sum(axis=-1)
        template = template / (np.sqrt((template**2).sum(axis=-1))[..., None] + 1e-12)
        counts = self._counts.windows(start, stop, _TEMPLATE_BACK, 1, 0.0).sum(axis=-1)
        shapes = self._shapes.windows(start, stop, _TEMPLATE_BACK, 1, 0.0).sum(axis=-1)
        ready = self._pending.hop < stop
        asked = self._pending.take(ready)
        known = self._history.joined(self._pending.take(self._pending.strong))
        hop = asked.hop - start
        likeness = (asked.wave * template[asked.lead, hop]).sum(axis=1)
        strong = asked.strong
        cell = asked.lead[strong] * (stop - start) + hop[strong]
        self._likeness.append(_summed(likeness[strong], cell, (self.leads, stop - start)))
        sums = self._likeness.windows(start, stop, _LIKENESS_BACK, 0, 0.0).sum(axis=-1)
        of = self._counts.windows(start, stop, _LIKENESS_BACK, 0, 0.0).sum(axis=-1)
        floor = self._floor.windows(start, stop, 0, 0, 0.0)[..., 0]
        around = Surroundings(
            likeness=likeness,
            likeness_around=(sums / np.maximum(of, 1))[asked.lead, hop],
            shape=(shapes / np.maximum(counts, 1))[asked.lead, hop],
            floor=floor[asked.lead, hop],
        )
        accepted = self._accepted(asked, features(asked, known, around, self.rate))
        self._pending = self._pending.take(~ready)
        self._forget(known, stop)
        found = asked.take(accepted)
        self.likeness = likeness[accepted]
        return found.lead, found.peak * self.group + self.group // 2

    def _accepted(self, asked: Candidates, numbers: Array) -> Array:
        """The rule itself: a weighted sum above zero."""
        return np.asarray(numbers @ WEIGHTS + BIAS > 0)

    def _forget(self, known: Candidates, stop: int) -> None:
        self._history = known.take((known.hop >= stop - _KEPT) & (known.hop < stop))
        for series in (
            self._highest,
            self._middle,
            self._floor,
            self._waves,
            self._counts,
            self._shapes,
            self._likeness,
        ):
            series.forget(stop - _KEPT)


def _held(chunk: Array, last: Array) -> Array:
    """The chunk with each gap filled by the value before it."""
    whole = np.concatenate([last, chunk], axis=1)
    place = np.where(np.isfinite(whole), np.arange(whole.shape[1]), 0)
    np.maximum.accumulate(place, axis=1, out=place)
    return np.asarray(np.take_along_axis(whole, place, axis=1)[:, 1:])


def _filtered(signal: Array, taps: Array) -> Array:
    """A symmetric filter, whole outputs only.

    Written as sums of shifted rows, so that each output is the same to the last bit wherever in a
    chunk its samples lie.
    """
    half = len(taps) // 2
    count = signal.shape[1] - 2 * half
    out = taps[half] * signal[:, half : half + count]
    for step in range(1, half + 1):
        pair = signal[:, half - step : half - step + count] + signal[:, half + step :][:, :count]
        pair *= taps[half + step]
        out += pair
    return np.asarray(out)


def _summed(values: Array, cell: Array, size: tuple[int, int]) -> Array:
    """Sums of `values` by cell (ordered), as (leads, seconds, ...)."""
    out = np.zeros((size[0] * size[1], *values.shape[1:]))
    if len(cell):
        starts = np.flatnonzero(np.diff(cell, prepend=-1))
        out[cell[starts]] = np.add.reduceat(values, starts, axis=0)
    return out.reshape(*size, *values.shape[1:])
