"""Red alarms and the boards: shown is what a board has confirmed as painted, not what was sent.

A red that no board of the unit confirms in time raises `board_lost` at its bed, and its call goes
on to the next step at once (SAFETY rule 11).
"""

from __future__ import annotations

from typing import Final

from icu.alarms import merging
from icu.quiet import silent_until
from icu.rules import HIGH, RULES
from icu.state import Alarm, BedState
from icu.states import ACTIVE, LATCHED

RULE: Final = "board_lost"
LIMIT_US: Final = RULES[RULE].delay_us


def waits(alarm: Alarm) -> bool:
    """Whether a red rings that no board has confirmed yet."""
    return (
        alarm.priority == HIGH
        and alarm.state in (ACTIVE, LATCHED)
        and not alarm.painted_at
        and alarm.code != RULE
    )


def unseen(bed: BedState, now: int) -> list[Alarm]:
    """The reds that have waited too long for a board."""
    late = [a for a in bed.alarms.values() if waits(a) and now >= a.rang_at + LIMIT_US]
    if not late:
        return []
    merged = merging(bed)
    return [a for a in late if a.id not in merged and not silent_until(bed, a)]


def take(bed: BedState, alarm_ids: tuple[str, ...], at: int) -> bool:
    """A board has confirmed these; answers whether that is news for this bed."""
    news = [a for a in bed.alarms.values() if a.id in alarm_ids and not a.painted_at]
    for alarm in news:
        alarm.painted_at = at
    return bool(news)


def next_moment(bed: BedState) -> int:
    """When the next red has waited too long; 0: none waits."""
    return min((a.rang_at + LIMIT_US for a in bed.alarms.values() if waits(a)), default=0)
