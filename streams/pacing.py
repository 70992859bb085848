"""Live values before a backlog: of what is long past, a bed is taken so much in a second.

A device that was offline brings its day as fast as it is answered. Each of its messages is decided,
shown and stored by the processes that the live beds need, so its sender waits a little for each.
Nothing else waits: neither what is live, nor what comes in one portion with it, nor other beds.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Final

from hospital_ops import wire
from hospital_ops.clock import SECOND, Clock

LATE_US: Final = 60 * SECOND  # older values are a backlog; a short gap is caught up at once
VALUES_PER_S: Final = 2000  # of a bed: a day of a value a second in 43 s
WAIT_MOST_S: Final = 1.0  # so long a message waits, however large the one before was
_KEPT: Final = 1000  # beds; those whose time has come are forgotten beyond

Place = tuple[str, str, str]  # unit, bed, case


class Pace:
    """When the next late values of each bed or case have their turn."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._turns: dict[Place, float] = {}

    async def turn(self, entries: Sequence[wire.Entry]) -> None:
        """Returns when entries that are to be appended together have their turn."""
        wait_s = self.wait_s(entries)
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    def wait_s(self, entries: Sequence[wire.Entry]) -> float:
        """So many seconds they wait; what comes next of the same beds waits for them too.

        Nothing where one of them is no late value.
        """
        before = self._clock.now_us() - LATE_US
        late = []
        for entry in entries:
            if not isinstance(entry, wire.Observed) or not _is_late(entry, before):
                return 0.0
            late.append(entry)
        return self._charged(late)

    def _charged(self, late: Sequence[wire.Observed]) -> float:
        now, values = self._clock.monotonic_s(), Counter[Place]()
        for entry in late:
            values[entry.unit, entry.bed, entry.case] += len(entry.observations)
        begins = [now]
        for place, count in values.items():
            turn = max(now, self._turns.get(place, now))
            self._turns[place] = min(turn + count / VALUES_PER_S, now + WAIT_MOST_S)
            begins.append(turn)
        if len(self._turns) > _KEPT:
            self._turns = {place: turn for place, turn in self._turns.items() if turn > now}
        return max(begins) - now


def _is_late(entry: wire.Observed, before: int) -> bool:
    for one in entry.observations:
        if one.determined_at is None or one.determined_at >= before:
            return False
    return True
