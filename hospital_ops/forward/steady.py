"""The box's clock: it does not jump while the machine runs, however its wall clock is set.

A box may start with a wrong clock and be put right only when the link is back. Were the moments of
what waits taken from two clocks, no one difference could bring them to the hospital's. So the
wall clock is read once after the machine's start; from then on the time since that start is added.
A reading has a name: what one clock has said is brought to the hospital's time by its difference
and by no other's.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class SteadyClock:
    """Wall clock as it was first read since the machine's start, and what has passed since.

    `file` keeps that reading for the next process of the same start. `name` is of this reading
    alone; `began_at` is the machine's start by it, microseconds since 1970 UTC.
    """

    def __init__(self, file: Path, wall_ns: Callable[[], int] = time.time_ns) -> None:
        boot = _boot()
        known = _read(file, boot)
        self._offset = wall_ns() // 1000 - _running_us() if known is None else known
        if known is None and boot:
            # On a full disk each process has a clock of its own, and goes on forwarding.
            with suppress(OSError):
                beside = file.with_suffix(".new")
                beside.write_text(f"{boot} {self._offset}\n", encoding="utf-8")
                beside.replace(file)
        self.name = hashlib.sha256(f"{boot} {self._offset}".encode()).hexdigest()[:16]
        self.began_at = self._offset

    def now_us(self) -> int:
        """Microseconds since 1970 UTC, as the wall clock had it at the first reading."""
        return _running_us() + self._offset

    def monotonic_s(self) -> float:
        """Seconds that never run backwards."""
        return time.monotonic()


def _running_us() -> int:
    """Microseconds since the machine's start; where the system says it, sleep counts, too."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1000


def _boot() -> str:
    """The name of this start of the machine; empty where the system gives it none."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _read(file: Path, boot: str) -> int | None:
    try:
        named, offset = file.read_text(encoding="utf-8").split()
        return int(offset) if boot and named == boot else None
    except (OSError, ValueError):
        return None
