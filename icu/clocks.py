"""Whether a clock at a bed is wrong (`hospital_ops/sender_clocks.py`), as the board shows it."""

from __future__ import annotations

from hospital_ops.sender_clocks import GAP_US, OFF_US, SEEN_US
from icu.state import BedState


def is_off(bed: BedState, now: int) -> bool:
    """Whether a sender that speaks now has a clock that is wrong."""
    return any(
        abs(clock.offset) > OFF_US
        and clock.last - clock.since >= SEEN_US
        and now - clock.last < GAP_US
        for clock in bed.clocks.values()
    )
