"""Numbers that belong to whole seconds ("hops") of many leads, kept for as long as looked back on.

Everything the detector remembers lies on this grid of absolute seconds, so that it cannot depend
on how the samples were cut into chunks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Array = np.ndarray[Any, Any]


class Hops:
    """A row of values per lead and second; `first` is the number of the oldest second kept."""

    def __init__(self, leads: int, shape: tuple[int, ...] = ()) -> None:
        self.first = 0
        self.values: Array = np.empty((leads, 0, *shape))

    @property
    def end(self) -> int:
        """The number of the first second that is not known yet."""
        return self.first + int(self.values.shape[1])

    def append(self, values: Array) -> None:
        """Add seconds, an array (leads, seconds, ...)."""
        self.values = np.concatenate([self.values, values], axis=1) if self.end else values

    def forget(self, before: int) -> None:
        """Drop what is older than second `before`."""
        drop = min(max(before - self.first, 0), self.values.shape[1])
        self.values = self.values[:, drop:]
        self.first += drop

    def windows(self, start: int, stop: int, back: int, ahead: int, fill: float) -> Array:
        """For each second in [start, stop) its surroundings, as (leads, seconds, ..., window).

        The window runs from `back` seconds before to `ahead` after; unknown seconds are `fill`.
        """
        low, high = start - back, stop + ahead
        inside = self.values[:, max(low - self.first, 0) : max(high - self.first, 0)]
        left = max(self.first - low, 0)
        right = high - low - left - inside.shape[1]
        shape = (self.values.shape[0],)
        rest = self.values.shape[2:]
        whole = np.concatenate(
            [
                np.full((*shape, left, *rest), fill),
                inside,
                np.full((*shape, max(right, 0), *rest), fill),
            ],
            axis=1,
        )
        return sliding_window_view(whole, back + ahead + 1, axis=1)


def quantile(values: Array, share: float, empty: float) -> Array:
    """The quantile along the last axis of what is finite there; `empty` where nothing is."""
    ordered = np.sort(values, axis=-1)  # infinity marks what is unknown, and sorts to the end
    count = np.isfinite(ordered).sum(axis=-1)
    place = share * np.maximum(count - 1, 0)
    low = place.astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    under = np.take_along_axis(ordered, low[..., None], -1)[..., 0]
    over = np.take_along_axis(ordered, high[..., None], -1)[..., 0]
    with np.errstate(invalid="ignore"):
        found = under + (over - under) * (place - low)
    return np.where(count > 0, found, empty)
