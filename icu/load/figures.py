"""The alarm load of a unit from its archived events: per bed, shift and rule. Pure.

There is no name of anybody in what comes in, and none can come out: figures are of the unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from statistics import median
from typing import Any, Final, NamedTuple

from hospital_ops.clock import SECOND, to_datetime
from icu.states import ACKNOWLEDGED, ACTIVE, INACTIVE, LATCHED

DAY_FROM, DAY_UNTIL = 8, 20  # the shifts of the house, local hours: day, and night for the rest
FOLLOWED_US: Final = 600 * SECOND  # an order within ten minutes of the alarm, at its bed
FEW: Final = 30  # fewer events decide nothing


class Event(NamedTuple):
    """An archived step of an alarm; times in microseconds since 1970 UTC."""

    alarm: str
    bed: str
    rule: str
    priority: str
    state: str
    at: int
    verdict: str = ""


class Episode(NamedTuple):
    """An alarm from its first ring."""

    bed: str
    rule: str
    priority: str
    raised: int
    answered: int | None
    sounded_us: int
    verdict: str


def episodes(events: Iterable[Event], until: int) -> list[Episode]:
    """One for each alarm; sounding is active or latched and not acknowledged (pauses count)."""
    of_alarm: dict[str, list[Event]] = {}
    for event in sorted(events, key=lambda each: each.at):
        of_alarm.setdefault(event.alarm, []).append(event)
    return [found for steps in of_alarm.values() if (found := _episode(steps, until)) is not None]


def _episode(steps: Sequence[Event], until: int) -> Episode | None:
    first = next((step for step in steps if step.state == ACTIVE), None)
    if first is None:
        return None  # it began before the time that was asked for, or rang nowhere
    sounded, since, answered = 0, 0, None
    for step in steps:
        loud = step.state in (ACTIVE, LATCHED)
        if loud and not since:
            since = step.at
        elif not loud and since:
            sounded, since = sounded + step.at - since, 0
        if step.state == ACKNOWLEDGED and answered is None:
            answered = step.at
        if step.state == INACTIVE and answered is None and _was_latched(steps, step):
            answered = step.at  # a latched alarm ends by an acknowledgement alone
    if since:
        sounded += until - since
    return Episode(
        first.bed, first.rule, first.priority, first.at, answered, sounded, first.verdict
    )


def _was_latched(steps: Sequence[Event], step: Event) -> bool:
    before = [each for each in steps if each.at < step.at]
    return bool(before) and before[-1].state == LATCHED


def shift_of(at: int, zone: tzinfo) -> str:
    """`day` or `night` of the house's own clock."""
    hour = to_datetime(at).astimezone(zone).hour
    return "day" if DAY_FROM <= hour < DAY_UNTIL else "night"


def table_of(
    found: Sequence[Episode], acts: Mapping[str, Sequence[int]], zone: tzinfo
) -> list[dict[str, Any]]:
    """A row for each bed, shift and rule, the most frequent first; `acts` are orders by bed."""
    groups: dict[tuple[str, str, str], list[Episode]] = {}
    for each in found:
        groups.setdefault((each.bed, shift_of(each.raised, zone), each.rule), []).append(each)
    rows = [
        {"bed": bed, "shift": shift, "rule": rule, **figures(group, acts)}
        for (bed, shift, rule), group in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row["count"], row["bed"], row["rule"]))


def figures(group: Sequence[Episode], acts: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Number, seconds sounding, median time to answer, share followed by an order."""
    answers = [(e.answered - e.raised) / SECOND for e in group if e.answered is not None]
    followed = sum(
        any(e.raised <= at <= e.raised + FOLLOWED_US for at in acts.get(e.bed, ())) for e in group
    )
    return {
        "priority": group[0].priority,
        "count": len(group),
        "sounding_s": round(sum(e.sounded_us for e in group) / SECOND),
        "answered": len(answers),
        "answer_s": round(median(answers), 1) if answers else None,
        "followed_share": round(followed / len(group), 3),
        "probably_false": sum(e.verdict == "probably_false" for e in group),
        "too_few": len(group) < FEW,
    }
