"""Items that the hospital turns away each time they are all that is asked: passed over for a while.

They stay on the disk and are offered again, later and later, and at each start; who lies where
never waits for longer than the first time, because values would go before it. While nothing at all
is taken it is not the items that are wrong: the first that is taken makes all of those due at once,
and only what is turned away again after that is proven to be wrong itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from hospital_ops.clock import Clock
from hospital_ops.forward.items import WHO, Item

FIRST_S: Final = 60.0  # passed over for so long the first time ...
MOST_S: Final = 3600.0  # ... twice as long each further time, and never longer than this
MANY: Final = 100  # one after the other with nothing in between: it is not the items
KNOWN_MOST: Final = 1000  # of more than these the first is offered again


class _Known(NamedTuple):
    until: float  # monotonic seconds
    times: int  # how often it was proven to be the item
    taken: int  # how many requests had been taken when it was turned away last
    proven: bool  # that time


class TurnedAwayItems:
    """Ids, until when each is passed over, and how often it was turned away."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._in_a_row = self._taken = 0

    def __len__(self) -> int:
        """How many are known to be turned away, whether their time is over or not."""
        return len(self._known)

    def add(self, item: Item) -> None:
        """It was asked alone and turned away."""
        self._in_a_row += 1
        if self._in_a_row > MANY:
            self._known.clear()
            return
        before = self._known.pop(item.id, None)
        proven = before is not None and before.taken != self._taken
        times = min((before.times if before else 0) + proven, 16)
        pause_s = FIRST_S if item.rank == WHO else min(FIRST_S * 2 ** max(times - 1, 0), MOST_S)
        until = self._clock.monotonic_s() + pause_s
        self._known[item.id] = _Known(until, times, self._taken, proven)
        if len(self._known) > KNOWN_MOST:
            del self._known[next(iter(self._known))]

    def went(self, ids: Iterable[str]) -> None:
        """A request with these was taken: so it is not the line, nor the hospital."""
        self._in_a_row = 0
        self._taken += 1
        for id_ in ids:
            self._known.pop(id_, None)

    def now(self) -> set[str]:
        """Those that are passed over at this moment."""
        now = self._clock.monotonic_s()
        return {
            id_
            for id_, known in self._known.items()
            if known.until > now and (known.proven or known.taken == self._taken)
        }

    def is_proven(self, id_: str) -> bool:
        """Whether it was turned away again while others were taken: better asked alone."""
        known = self._known.get(id_)
        return known is not None and known.times > 0
