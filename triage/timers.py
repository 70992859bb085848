"""When something of a case changes by time alone: a ring, the net, leaving the board.

A heap over the cases that wait for something, so that a tick costs what is due and no more. It is
made anew from the state, so a successor's is the same.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Final

from hospital_ops.case_steps import ARRIVED
from hospital_ops.clock import SECOND
from triage.calls import NET_US, should_ring
from triage.state import CaseState

SHOWN_AFTER_END_US: Final = 600 * SECOND  # a case that has ended stays in sight


def due_of(case: CaseState, ring: tuple[str, ...]) -> int:
    """The moment at which time alone changes this case; 0: never. Microseconds since 1970."""
    moments = []
    if case.ended_at:
        moments.append(case.ended_at + SHOWN_AFTER_END_US)
    if case.step == ARRIVED and case.arrived_at and not (case.taken_over_at or case.untaken):
        moments.append(case.arrived_at + NET_US)
    if case.call is not None:
        moments.append(case.call.again_at)
    elif should_ring(case, ring):  # of a state that knew no calls yet
        moments.append(1)
    return min(moments, default=0)


class Timers:
    """The next moment of each case that waits for one."""

    def __init__(self, cases: Iterable[CaseState], ring: tuple[str, ...]) -> None:
        self._next: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []
        for case in cases:
            self.plan(case, ring)

    def plan(self, case: CaseState, ring: tuple[str, ...]) -> None:
        """Notes the next moment of a case, after anything of it has changed."""
        due = due_of(case, ring)
        if due and self._next.get(case.case) != due:
            heapq.heappush(self._heap, (due, case.case))
        if due:
            self._next[case.case] = due
        else:
            self._next.pop(case.case, None)

    def due(self, now: int) -> list[str]:
        """The cases whose moment has come, the earliest first; each has to be planned again."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            at, case = heapq.heappop(self._heap)
            if self._next.get(case) == at:
                del self._next[case]
                found.append(case)
        return found
