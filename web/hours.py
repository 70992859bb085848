"""Hours of a local day as spans of UTC: 23 or 25 of them where the clock is changed. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hospital_ops.clock import from_datetime, to_datetime


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
    date = datetime.fromisoformat(day).date()
    first = datetime.combine(date, time.min, zone).astimezone(UTC)
    following = datetime.combine(date + timedelta(days=1), time.min, zone).astimezone(UTC)
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


def _offset(moment: datetime) -> str:
    text = f"{moment:%z}"
    return f"{text[:3]}:{text[3:]}"
