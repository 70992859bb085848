"""Waiting times between attempts: full jitter, so that a ward does not return at once."""

from __future__ import annotations

import random


class BackOff:
    """The ceiling doubles with each try, up to `most_s`; `reset` when the other side answers."""

    def __init__(self, chance: random.Random, first_s: float = 0.2, most_s: float = 8.0) -> None:
        self._chance, self._first_s, self._most_s = chance, first_s, most_s
        self._tries = 0

    def reset(self) -> None:
        """The other side answers again."""
        self._tries = 0

    def next_s(self) -> float:
        """Seconds to wait before the next attempt; the ceiling doubles each time."""
        ceiling = min(self._first_s * 2**self._tries, self._most_s)
        self._tries = min(self._tries + 1, 16)
        return self._chance.uniform(ceiling / 4, ceiling)
