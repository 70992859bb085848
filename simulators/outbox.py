"""What a device has measured and the hospital has not confirmed: live first, then the backlog."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from simulators.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Letter:
    """One message with its final bytes: every attempt sends the same."""

    id: str
    raw: bytes


class Outbox:
    """Bounded: when the backlog is full its oldest goes, counted in the ledger.

    The newest message that was never tried goes first; what waits behind it goes oldest first.
    """

    def __init__(self, ledger: Ledger, backlog_max: int) -> None:
        self._ledger, self._backlog_max = ledger, backlog_max
        self._live: deque[Letter] = deque()
        self._backlog: deque[Letter] = deque()
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        return len(self._live) + len(self._backlog)

    def add(self, letter: Letter) -> None:
        """A new message; those before it that nobody sent become backlog."""
        self._backlog.extend(self._live)
        self._live.clear()
        self._live.append(letter)
        self._trim()
        self._filled.set()

    def take(self) -> Letter | None:
        """The next to send, out of the box until it is confirmed or put back."""
        if self._live:
            return self._live.pop()
        return self._backlog.popleft() if self._backlog else None

    def put_back(self, letter: Letter) -> None:
        """It was not confirmed: it is the first of the backlog again."""
        self._backlog.appendleft(letter)
        self._trim()

    def wake(self) -> None:
        """Ends a `wait`, for a device that is switched off."""
        self._filled.set()

    async def wait(self, timeout_s: float) -> None:
        """Returns when something new has come, when woken, or after `timeout_s`."""
        self._filled.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._filled.wait()
        except TimeoutError:
            return

    def _trim(self) -> None:
        while len(self._backlog) > self._backlog_max:
            self._ledger.dropped(self._backlog.popleft().id)
