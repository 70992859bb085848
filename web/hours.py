"""Hours of a local day as spans of UTC, and times that people type. Pure.

A day has 23 or 25 hours where the clock is changed; a time may then come twice, or not at all.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from hospital_ops.clock import SECOND, from_datetime, to_datetime
from hospital_ops.errors import MessageError
from streams.charting import BEFORE

MINUTE: Final = 60 * SECOND
AHEAD_US: Final = 15 * MINUTE  # a time so far ahead is meant as now
BEHIND_US: Final = 12 * 60 * MINUTE  # a time of the day before is at most so long ago
NO_TIME: Final = "the time is HH:MM"
TO_COME: Final = "This time is still to come, or there was none: type one of the last 12 hours."


class Hour(NamedTuple):
    """One column: a span of UTC in microseconds, and what stands above it."""

    from_at: int
    to_at: int
    label: str  # "03", "03 +02:00" where the clock shows it twice


def day_of(moment_us: int, zone: ZoneInfo) -> str:
    """The local day of a moment, ISO 8601."""
    return to_datetime(moment_us).astimezone(zone).date().isoformat()


def hours_of(day: str, zone: ZoneInfo) -> list[Hour]:
    """The hours of a local day; ValueError where it is no day."""
    local = datetime.fromisoformat(day).date()
    first = datetime.combine(local, time.min, zone).astimezone(UTC)
    following = datetime.combine(local + timedelta(days=1), time.min, zone).astimezone(UTC)
    spans: list[tuple[datetime, datetime]] = []
    while first < following:
        spans.append((first, min(first + timedelta(hours=1), following)))
        first = spans[-1][1]
    names = [f"{begin.astimezone(zone):%H}" for begin, _ in spans]
    return [
        Hour(
            from_datetime(begin),
            from_datetime(end),
            name if names.count(name) == 1 else f"{name} {_offset(begin.astimezone(zone))}",
        )
        for (begin, end), name in zip(spans, names, strict=True)
    ]


def moment_of(text: str, now_us: int, zone: ZoneInfo, since_us: int = 0) -> int:
    """The moment that somebody means who types `HH:MM`, microseconds UTC; empty for now.

    The last time the clock showed it, today or within the last twelve hours; a quarter of an hour
    ahead is now. MessageError for any other time to come, and for one before `since_us`, when
    whoever lies in the bed came to it: it would be another patient's.
    """
    found = _meant(text, now_us, zone) if text else now_us
    if found < since_us:
        if since_us - found >= MINUTE:
            raise MessageError("before_stay", BEFORE)
        return since_us
    return found


def _meant(text: str, now_us: int, zone: ZoneInfo) -> int:
    try:
        shown = datetime.strptime(text, "%H:%M").time()
    except ValueError as error:
        raise MessageError("bad_time", NO_TIME) from error
    today = to_datetime(now_us).astimezone(zone).date()
    shows = sorted(
        moment
        for days in (-1, 0, 1)
        for fold in (0, 1)
        if (moment := _shown(today + timedelta(days=days), shown.replace(fold=fold), zone))
    )
    last = max((moment for moment in shows if moment <= now_us), default=0)
    coming = min((moment for moment in shows if moment > now_us), default=0)
    if now_us - last <= BEHIND_US:
        return last
    if coming - now_us <= AHEAD_US:
        return now_us
    if to_datetime(last).astimezone(zone).date() == today:
        return last
    raise MessageError("bad_time", TO_COME)


def _shown(day: date, shown: time, zone: ZoneInfo) -> int:
    """When a day's clock shows a time; 0 where it leaves it out."""
    moment = datetime.combine(day, shown, zone).astimezone(UTC)
    back = moment.astimezone(zone)
    there = (back.date(), back.hour, back.minute) == (day, shown.hour, shown.minute)
    return from_datetime(moment) if there else 0


def stored_at(moment_us: int, zone: ZoneInfo) -> str:
    """`22.11.2026 10:42`; in an hour that comes twice with which one it was."""
    local = to_datetime(moment_us).astimezone(zone)
    return f"{local:%d.%m.%Y} {clock_at(moment_us, zone)}"


def clock_at(moment_us: int, zone: tzinfo) -> str:
    """`10:42`; in an hour that comes twice with which one it is, `02:00 +03:00`."""
    local = to_datetime(moment_us).astimezone(zone)
    twice = local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()
    return f"{local:%H:%M}{' ' + _offset(local) if twice else ''}"


def _offset(moment: datetime) -> str:
    text = f"{moment:%z}"
    return f"{text[:3]}:{text[3:]}"
