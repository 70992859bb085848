"""How much of what is costly one person, and all people of one unit, may ask for at a time.

A file of curves reads up to two hours of a bed; an incident freezes ten minutes of a unit. Neither
may hold up the boards (SAFETY.md rule 12). Counted in each web process by itself.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from hospital_ops.clock import SECOND
from hospital_ops.errors import TooMany


class Quota(NamedTuple):
    """At most `most` within `within_s`, and `at_once` at the same time; `act` says of what."""

    act: str
    most: int
    within_s: int
    at_once: int


# Numbers of this house: far above what somebody at a bed does, far below what a machine can.
EXPORTS: Final = Quota("files of curves", 20, 600, 1)
STRIPS: Final = Quota("strips", 120, 600, 2)
INCIDENTS: Final = Quota("reports", 30, 600, 2)
INCIDENTS_OF_UNIT: Final = Quota("reports of this unit", 120, 600, 8)
KEPT: Final = 10_000  # names of which moments are remembered


@dataclass(slots=True)
class Quotas:
    """What was asked for lately, by who or where."""

    taken: dict[tuple[str, str], deque[int]] = field(default_factory=dict)
    running: Counter[tuple[str, str]] = field(default_factory=Counter)

    @contextmanager
    def one(self, quota: Quota, name: str, now_us: int) -> Iterator[None]:
        """One more for `name` (a person, a unit), while the block runs; TooMany where it is."""
        key = quota.act, name
        moments = self._lately(key, now_us - quota.within_s * SECOND)
        if self.running[key] >= quota.at_once:
            raise TooMany(f"Wait until the {quota.act} that you asked for are here.", 2)
        if len(moments) >= quota.most:
            wait_s = (moments[0] - now_us) // SECOND + quota.within_s + 1
            raise TooMany(
                f"More than {quota.most} {quota.act} in {quota.within_s // 60} minutes:"
                f" nothing more is taken for {wait_s} s. What was taken before is kept.",
                wait_s,
            )
        moments.append(now_us)
        self.running[key] += 1
        try:
            yield
        finally:
            self.running[key] -= 1
            if not self.running[key]:
                del self.running[key]

    def _lately(self, key: tuple[str, str], since: int) -> deque[int]:
        if len(self.taken) > KEPT:
            self.taken = {k: m for k, m in self.taken.items() if m and m[-1] > since}
        moments = self.taken.setdefault(key, deque())
        while moments and moments[0] <= since:
            moments.popleft()
        return moments
