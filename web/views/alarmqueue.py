"""The alarms of a whole unit: the queue in the bar, one item a story; what a storm does.

Order and looks: ui rules for alarms (high, medium, check patient, technical, stale, overdue,
acknowledged, next due); more than eight new reds are a storm and only three keep the frame. The
same trouble with the signals at several beds is one item.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from hospital_ops.board import AlarmCell, BedCell
from icu.rules import RULES
from web.views.alarms import TECHNICAL, AlarmView, alarm_view, figures_of, shown
from web.words import Words

STORM: Final = 8  # more new reds than this
TOP: Final = 3  # so many keep the frame in a storm, so many are named in the bar
SAME: Final = 3  # so many beds with the same technical alarm are one item
NAMED: Final = 4  # so many of their beds are named


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One alarm in the bar: `place` is its rank in a storm, 0 otherwise."""

    bed: str
    alarm: AlarmView
    place: int = 0
    more: int = 0  # further alarms of its story


@dataclass(frozen=True, slots=True)
class QueueView:
    """The bar's alarms: the first three, how many more, and how many reds ring in a storm."""

    items: tuple[QueueItem, ...]
    more: int
    storm: int


def queue_view(beds: Mapping[str, BedCell], words: Words) -> QueueView:
    """The queue over all beds, by priority, then newest."""
    items = _bundled([item for cell in beds.values() for item in _stories(cell, words)])
    looks = ("high", "medium", "low")
    items.sort(key=lambda i: (i.alarm.rank, looks.index(i.alarm.look), -i.alarm.since, i.bed))
    places = storm_places(beds)
    if places:
        top = sorted(places, key=lambda bed: places[bed])
        named = [
            QueueItem(beds[bed].label, alarm_view(_worst_red(beds[bed]), words), places[bed])
            for bed in top
        ]
        return QueueView(tuple(named), 0, _new_reds(beds))
    return QueueView(tuple(items[:TOP]), max(0, len(items) - TOP), 0)


def rings_differ(before: BedCell | None, now: BedCell) -> bool:
    """Whether anything of a bed that queue and storm are made of has changed."""
    return before is None or (before.label, before.alarms) != (now.label, now.alarms)


def _stories(cell: BedCell, words: Words) -> list[QueueItem]:
    """One item for each story of a bed."""
    alarms = shown(cell)
    return [
        QueueItem(
            cell.label,
            alarm_view(alarm, words),
            more=sum(1 for other in alarms if other.story == alarm.id),
        )
        for alarm in alarms
        if not alarm.story
    ]


def _bundled(items: list[QueueItem]) -> list[QueueItem]:
    """The same technical alarm at several beds has one cause: a gateway, a switch, a server."""
    same: dict[str, list[QueueItem]] = defaultdict(list)
    for item in items:
        if item.alarm.rank == TECHNICAL:
            same[item.alarm.text].append(item)
    bundled = [
        item
        for item in items
        if len(same.get(item.alarm.text, ())) < SAME or item.alarm.rank != TECHNICAL
    ]
    for group in same.values():
        if len(group) >= SAME:
            names = ", ".join(item.bed for item in group[:NAMED])
            rest = f" +{len(group) - NAMED}" if len(group) > NAMED else ""
            newest = max(group, key=lambda item: item.alarm.since)
            bundled.append(replace(newest, bed=names + rest, more=0))
    return bundled


def storm_places(beds: Mapping[str, BedCell]) -> dict[str, int]:
    """In a storm the three most urgent beds with their rank 1 to 3; otherwise nothing.

    Urgency: what kills at once, then the distance from the limit where it is known, then onset.
    """
    if _new_reds(beds) <= STORM:
        return {}
    red = [cell for cell in beds.values() if _reds(cell)]
    red.sort(key=lambda cell: (*_urgency(_worst_red(cell)), cell.bed))
    return {cell.bed: place for place, cell in enumerate(red[:TOP], start=1)}


def _reds(cell: BedCell) -> list[AlarmCell]:
    if not cell.alarms:
        return []
    return [
        a
        for a in shown(cell)
        if a.priority == "high" and a.state == "active" and a.code != "board_lost"
    ]


def _new_reds(beds: Mapping[str, BedCell]) -> int:
    return sum(1 for cell in beds.values() if _reds(cell))


def _worst_red(cell: BedCell) -> AlarmCell:
    return min(_reds(cell), key=_urgency)


def _urgency(alarm: AlarmCell) -> tuple[bool, float, int]:
    rule = RULES.get(alarm.code)
    return not (rule and rule.lethal), -_distance(alarm), alarm.since


def _distance(alarm: AlarmCell) -> float:
    """How far the value lies beyond its limit, as a share of the limit; 1 where none is printed.

    A red without a number (asystole, apnoea) is as far away as can be.
    """
    figures = figures_of(alarm)
    if not figures:
        return 1.0
    value, _, edge = figures
    return abs(value - edge) / (abs(edge) or 1.0)
