"""How far the clock of a sender is off, from its own stream of values (SAFETY rule 6).

A clock that is wrong gives every value the same distance from its receipt, for as long as it is
watched; stored data that are sent in one go do not, so they stay late. Only what is beyond the
table's figure is corrected: a slow line must never look live.
"""

from __future__ import annotations

from typing import Final

from hospital_ops import wire
from hospital_ops.clock import SECOND
from icu.rules import figure
from icu.state import BedState, SenderClock

OFF_US: Final = round(figure("clock_offset", r"> (\d+) s") * SECOND)
STEADY_US: Final = 2 * SECOND  # so far apart are a network's good and bad moments
GAP_US: Final = 150 * SECOND  # a monitor that speaks each minute may miss one
SEEN_US: Final = 5 * SECOND  # steady for so long: it is shown
TRUSTED_US: Final = 30 * SECOND  # steady for so long: times are corrected by it
_SENDERS: Final = 32  # of one bed: pumps count


def shift(bed: BedState, sender: str, message: wire.Observed) -> int:
    """What is to be added to the times of this message, microseconds; mostly 0."""
    told = {o.determined_at or 0 for o in message.observations if o.origin == "monitor"}
    newest = max(told, default=0)
    if not newest:
        return 0
    offset, now = message.received_at - newest, message.received_at
    clock = bed.clocks.get(sender)
    if clock is None:
        while len(bed.clocks) >= _SENDERS:
            del bed.clocks[min(bed.clocks, key=lambda each: bed.clocks[each].last)]
        clock = bed.clocks[sender] = SenderClock(offset, now, now)
    elif abs(offset - clock.offset) > STEADY_US or now - clock.last > GAP_US:
        clock.offset, clock.since = offset, now
    else:
        clock.offset += (offset - clock.offset) // 16  # clocks drift
    clock.last = now
    if abs(offset) <= OFF_US:
        clock.trusted = 0  # it has been set right
    elif now - clock.since >= TRUSTED_US:
        clock.trusted = clock.offset
    return clock.trusted


def is_off(bed: BedState, now: int) -> bool:
    """Whether a sender that speaks now has a clock that is wrong."""
    return any(
        abs(clock.offset) > OFF_US
        and clock.last - clock.since >= SEEN_US
        and now - clock.last < GAP_US
        for clock in bed.clocks.values()
    )
