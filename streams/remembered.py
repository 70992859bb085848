"""What was asked a moment ago: believed for a second, so that a busy sender costs one question."""

from __future__ import annotations

import asyncio
from typing import Final, Generic, TypeVar

KEPT_S: Final = 1.0  # far below the 5 s within which a revoked session or device is out
MOST: Final = 10_000  # answers: bounds the memory

T = TypeVar("T")


class Remembered(Generic[T]):
    """Answers by key, each forgotten after a second; the oldest go first where there are many."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, T]] = {}

    def get(self, key: str) -> T | None:
        """What was answered within the last second, or None."""
        known = self._known.get(key)
        if known is None or asyncio.get_running_loop().time() >= known[0]:
            return None
        return known[1]

    def put(self, key: str, answer: T) -> T:
        """Keeps an answer for a second, and returns it."""
        self._known.pop(key, None)  # so that the order is that of the times
        self._known[key] = asyncio.get_running_loop().time() + KEPT_S, answer
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]
        return answer

    def forget(self, key: str) -> None:
        """The answer is no longer true."""
        self._known.pop(key, None)
