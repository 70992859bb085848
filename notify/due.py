"""What day and hour it is for a family: local date by the hospital's zone, window, quiet hours.

The day key, not the clock, prevents twice and never (SAFETY.md rule 6): every moment belongs to
exactly one local date, and a date has one window even where the clocks change inside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hospital_ops.clock import SECOND, from_datetime, to_datetime
from notify.rules import RULES, Hours


@dataclass(frozen=True, slots=True)
class Window:
    """When the messages of one local date may leave: from `opens_at` until before `closes_at`."""

    day: date
    opens_at: int  # microseconds UTC
    closes_at: int

    def is_open(self, now_us: int) -> bool:
        """Whether a message may leave now."""
        return self.opens_at <= now_us < self.closes_at

    def is_over(self, now_us: int) -> bool:
        """Whether what has not left never will."""
        return now_us >= self.closes_at

    @property
    def escalates_at(self) -> int:
        """From here on the page says that the window closes, and counts who hears nothing."""
        early: int = RULES["escalate_before_close_min"] * 60 * SECOND
        return self.closes_at - early


def local_date(now_us: int, zone: str) -> date:
    """The day of the family's calendar at a moment."""
    return to_datetime(now_us).astimezone(ZoneInfo(zone)).date()


def local_clock(at_us: int, zone: str) -> str:
    """`08:05` as the hospital's clock on the wall shows it."""
    return f"{to_datetime(at_us).astimezone(ZoneInfo(zone)):%H:%M}"


def window(day: date, zone: str, hours: Hours) -> Window:
    """The window of a local date; a wall time that the clock jumps over moves with the jump."""
    opens, closes = _moment(day, hours.opens, zone), _moment(day, hours.closes, zone)
    return Window(day, opens, max(opens, closes))


def is_quiet(now_us: int, zone: str, hours: Hours) -> bool:
    """Whether people sleep: nothing leaves then, whatever the window says."""
    return hours.is_quiet(to_datetime(now_us).astimezone(ZoneInfo(zone)).time())


def may_leave(now_us: int, planned: Window, zone: str, hours: Hours) -> bool:
    """Whether a message of `planned` may leave now: its own day, its window, nobody asleep."""
    return (
        planned.is_open(now_us)
        and local_date(now_us, zone) == planned.day
        and not is_quiet(now_us, zone, hours)
    )


def asleep_at(now_us: int, zone: str, hours: Hours) -> int:
    """When the quiet hours of this local date begin: until then something may still leave."""
    day = local_date(now_us, zone)
    begins = _moment(day, hours.quiet_from, zone)
    if begins > now_us and hours.quiet_from > hours.quiet_until:
        return begins
    return _moment(day + timedelta(days=1), time(0), zone)


def _moment(day: date, at: time, zone: str) -> int:
    moment = datetime.combine(day, at, ZoneInfo(zone))  # fold 0: the first of two
    return from_datetime(moment.astimezone(UTC))
