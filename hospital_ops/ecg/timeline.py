"""The curves of one bed on the bed's own clock, waiting for their turn.

Pieces come when the network likes; here they lie by their device's time, and leave at the pace of
life. A piece that is missing when its turn comes leaves a hole (NaN); it is not waited for. A pile
of old pieces that comes in one go is left out: only what is of now is looked at.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from hospital_ops.clock import SECOND
from hospital_ops.ecg.hops import Array

SPAN_S: Final = 12  # kept of a bed; the longest piece that can be used is half of it
LAG_S: Final = 1.0  # of the newest sample: so late may a piece be without leaving a hole
SPARE_S: Final = 2.0  # more than this behind the lag: the oldest is left out
DRY_S: Final = 5.0  # without any sample: the bed sends nothing
BEHIND: Final = 8  # pieces in a row from before the played ones: the clock was set back


class Timeline:
    """Samples of `leads` leads of one rate, in mV."""

    def __init__(self, rate_hz: float, leads: int) -> None:
        self.rate_hz, self.leads = rate_hz, leads
        self._samples: Array = np.full((leads, round(SPAN_S * rate_hz)), np.nan, np.float32)
        self.at = 0  # device time of the next sample to be played, microseconds since 1970 UTC
        self.known = False  # `at` is set
        self.playing = False
        self._ahead = 0  # samples from `at` to the newest one
        self._dry = 0
        self._behind = 0
        self._longest = 0

    def put(self, lead: int, started_at: int, values: Array) -> None:
        """A piece of one lead, NaN where there is no sample."""
        count, size = len(values), self._samples.shape[1]
        if not count or count > size // 2:
            return
        if not self.known:
            self._begin(started_at)
        first = round((started_at - self.at) * self.rate_hz / SECOND)
        if first + count <= 0:
            self._behind += 1
            if self._behind < BEHIND:
                return
            self._begin(started_at)
            first = 0
        elif first + count > size:
            self._begin(started_at)
            first = 0
        self._behind = 0
        if first < 0:
            values, first = values[-first:], 0
        self._samples[lead, first : first + len(values)] = values
        self._longest = max(self._longest, count)
        self._ahead = max(self._ahead, first + len(values))
        if not self.playing and self._ahead >= self._lag:
            self.playing, self._dry = True, 0

    def take(self, count: int) -> Array:
        """The next `count` samples of each lead; holes where nothing has come."""
        if not self.playing:
            return np.full((self.leads, count), np.nan)
        spare = self._lag + round(SPARE_S * self.rate_hz)
        if self._ahead > count + spare:
            self._skip(self._ahead - count - self._lag)
        taken = self._samples[:, :count].astype(float)
        self._dry = 0 if self._ahead else self._dry + count
        self._skip(count)
        if self._dry >= DRY_S * self.rate_hz:
            self.playing = self.known = False
        return taken

    @property
    def _lag(self) -> int:
        """Whoever sends long pieces is waited for by one of them."""
        return max(round(LAG_S * self.rate_hz), self._longest + round(LAG_S * self.rate_hz / 2))

    def _begin(self, started_at: int) -> None:
        self.at, self.known = started_at, True
        self._samples[:] = np.nan
        self._ahead = self._behind = self._longest = 0

    def _skip(self, count: int) -> None:
        self._samples[:, :-count] = self._samples[:, count:]
        self._samples[:, -count:] = np.nan
        self._ahead = max(self._ahead - count, 0)
        self.at += round(count * SECOND / self.rate_hz)
