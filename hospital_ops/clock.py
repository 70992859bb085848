"""Time as the house counts it: microseconds since 1970, UTC, from an injected clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

SECOND = 1_000_000  # microseconds
TENTH = SECOND // 10  # ages on boards are told in tenths
# Values that came together have their times in common: this many are remembered as written.
MOMENTS = 4096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """Where the present comes from; a test hands in its own."""

    def now_us(self) -> int:
        """Wall clock, microseconds since 1970 UTC."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never run backwards, for ages and time-outs."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def now_us(self) -> int:
        """Wall clock, microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()


class ManualClock:
    """A clock that a test moves by hand."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        """The hand-set time in microseconds since 1970 UTC."""
        return self._now_us

    def monotonic_s(self) -> float:
        """The hand-set time in seconds."""
        return self._now_us / SECOND

    def advance(self, seconds: float) -> None:
        """Moves the clock; negative steps are a clock set back."""
        self._now_us += round(seconds * SECOND)


@lru_cache(maxsize=MOMENTS)
def iso(at_us: int) -> str:
    """`2026-03-01T10:00:00.000Z` for microseconds since 1970."""
    second, rest = divmod(at_us, SECOND)
    return f"{_to_second(second)}.{rest // 1000:03d}Z"


@lru_cache(maxsize=MOMENTS)
def _to_second(second: int) -> str:
    return f"{to_datetime(second * SECOND):%Y-%m-%dT%H:%M:%S}"


@lru_cache(maxsize=MOMENTS)
def from_iso(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time; ValueError where it carries no zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time carries no zone: end it with Z or +03:00")
    return from_datetime(moment)


def from_datetime(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=MOMENTS)
def to_datetime(at_us: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=at_us)


# What a datetime holds in every zone, with a year to spare: a time outside says no moment. The
# first of all days is what a program writes that has no time.
FIRST_US = from_datetime(datetime(2, 1, 1, tzinfo=UTC))
LAST_US = from_datetime(datetime(9999, 1, 1, tzinfo=UTC))
