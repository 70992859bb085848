"""Items that the hospital turns away each time they are all that is asked: passed over for a while.

They stay on the disk and are offered again, later and later, and at each start. Where everything is
turned away it is not the items that are wrong: then none is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hospital_ops.clock import Clock

FIRST_S: Final = 60.0  # passed over for so long the first time ...
MOST_S: Final = 3600.0  # ... twice as long each further time, and never longer than this
MANY: Final = 100  # one after the other with nothing in between: it is not the items
KNOWN_MOST: Final = 1000  # of more than these the first is offered again


class TurnedAwayItems:
    """Ids, until when each is passed over, and how often it was turned away."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, tuple[float, int]] = {}
        self._in_a_row = 0

    def __len__(self) -> int:
        """How many are known to be turned away, whether their time is over or not."""
        return len(self._until)

    def add(self, id_: str) -> None:
        """It was asked alone and turned away."""
        self._in_a_row += 1
        if self._in_a_row > MANY:
            self._until.clear()
            return
        times = self._until.pop(id_, (0.0, 0))[1]
        pause_s = min(FIRST_S * 2**times, MOST_S)
        self._until[id_] = (self._clock.monotonic_s() + pause_s, min(times + 1, 16))
        if len(self._until) > KNOWN_MOST:
            del self._until[next(iter(self._until))]

    def went(self, ids: Iterable[str]) -> None:
        """A request with these was taken: so it was not the line."""
        self._in_a_row = 0
        for id_ in ids:
            self._until.pop(id_, None)

    def now(self) -> set[str]:
        """Those that are passed over at this moment."""
        now = self._clock.monotonic_s()
        return {id_ for id_, (until, _) in self._until.items() if until > now}
