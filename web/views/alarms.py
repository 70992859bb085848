"""The order of alarms: which one a tile names, what stands in the bar, what a storm does.

Order and looks: ui rules for alarms (high, medium, check patient, technical, stale, overdue,
acknowledged, next due); more than eight new reds are a storm and only three keep the frame.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hospital_ops.board import AlarmCell, BedCell, Head
from icu.rules import ROWS
from icu.rules import words as rule_words
from web.words import Words

STORM: Final = 8  # more new reds than this
TOP: Final = 3  # so many keep the frame in a storm, so many are named in the bar

# Place of a tile's last line in the order; STALE is put in by the page itself.
HIGH, MEDIUM, CHECK, UNCONFIRMED, TECHNICAL, STALE, OVERDUE, ACKNOWLEDGED, DUE, QUIET = range(10)

_LIMIT: Final = re.compile(r"(-?\d+(?:\.\d+)?)\s*([<>≤≥])\s*(-?\d+(?:\.\d+)?)")
RINGING: Final = ("active", "latched")  # a latched one goes on until it is acknowledged
_MARKS: Final = {"high": "!!!", "medium": "!!", "low": ""}
# Code of a value -> its word; what an alarm is about may be any of them.
NAMES: Final = {
    "8867-4": "hr", "8889-8": "pr", "59408-5": "spo2", "76214-6": "map", "8478-0": "map",
    "76215-3": "abp", "76213-8": "abp", "8480-6": "nibp", "8462-4": "nibp", "9279-1": "rr",
    "8310-5": "temp", "19891-1": "etco2", "60985-9": "cvp", "60956-0": "icp", "9269-2": "gcs",
    "32693-4": "lactate",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmView:
    """One alarm in words; `look` is high, medium or low (technical), `rank` its place."""

    id: str
    look: str
    mark: str
    text: str
    since: int
    rank: int
    new: bool
    acknowledged: bool
    latched: bool
    about: str
    paused: bool = False


def alarm_view(alarm: AlarmCell, words: Words) -> AlarmView:
    """An alarm as its tile and the bar name it."""
    rule = ROWS.get(alarm.code, {})
    technical = rule.get("kind") == "technical" and alarm.priority != "high"
    look = "low" if technical else alarm.priority
    new, ringing = alarm.state == "active", alarm.state in RINGING
    rank = {"high": HIGH, "medium": MEDIUM}.get(look, TECHNICAL) if ringing else ACKNOWLEDGED
    return AlarmView(
        id=alarm.id,
        look=look,
        mark=_MARKS.get(look, ""),
        text=alarm_text(alarm, words),
        since=alarm.since,
        rank=rank,
        new=new,
        acknowledged=alarm.state == "acknowledged",
        latched=alarm.state == "latched",
        about=alarm.about,
        paused=bool(alarm.paused_until),
    )


def alarm_text(alarm: AlarmCell, words: Words) -> str:
    """`MAP 48 < 60` where value and limit are known, else the rule's own words, else as sent."""
    name = NAMES.get(alarm.about)
    figures = _figures(alarm)
    if figures and name:
        value, sign, edge = figures
        numbers = f"{words.number(value)} {sign} {words.number(edge)}"
        return f"{words.t(f'value.{name}')} {numbers}"
    if alarm.device or alarm.code not in ROWS:
        return alarm.text or alarm.code
    key = alarm.code if alarm.about else f"{alarm.code}_age"
    said = rule_words(key, words.language)
    said = rule_words(alarm.code, words.language) if said == key else said
    if said == alarm.code:
        return alarm.text or alarm.code
    return f"{words.t(f'value.{name}')}: {_lowered(said)}" if name and _general(alarm) else said


def _figures(alarm: AlarmCell) -> tuple[float, str, float] | None:
    """Value, sign and limit; nothing where seconds were waited for (apnoea)."""
    if alarm.value is not None and alarm.limit is not None and alarm.sign in ("<", ">"):
        return alarm.value, alarm.sign, alarm.limit
    found = _LIMIT.search(alarm.text)
    return (float(found[1]), found[2], float(found[3])) if found else None


def _general(alarm: AlarmCell) -> bool:
    """Whether a rule's words do not say which value they mean."""
    return alarm.code in ("silent_sensor", "signal_poor", "implausible", "limits_missing")


def _lowered(said: str) -> str:
    return said[:1].lower() + said[1:]


def shown(cell: BedCell) -> list[AlarmCell]:
    """The alarms that ring for themselves; one value never rings twice."""
    return [alarm for alarm in cell.alarms if not alarm.merged_into]


def ordered(alarms: Iterable[AlarmView]) -> list[AlarmView]:
    """By place in the order, high before medium before low, then newest first."""
    looks = ("high", "medium", "low")
    return sorted(alarms, key=lambda a: (a.rank, looks.index(a.look), -a.since, a.id))


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One alarm in the bar: `place` is its rank in a storm, 0 otherwise."""

    bed: str
    alarm: AlarmView
    place: int = 0


@dataclass(frozen=True, slots=True)
class QueueView:
    """The bar's alarms: the first three, how many more, and how many reds ring in a storm."""

    items: tuple[QueueItem, ...]
    more: int
    storm: int


def queue_view(beds: Mapping[str, BedCell], words: Words) -> QueueView:
    """The queue over all beds, by priority, then newest."""
    items = [
        QueueItem(cell.label, alarm_view(alarm, words))
        for cell in beds.values()
        for alarm in shown(cell)
    ]
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


def storm_places(beds: Mapping[str, BedCell]) -> dict[str, int]:
    """In a storm the three most urgent beds with their rank 1 to 3; otherwise nothing.

    Urgency: distance from the limit where it is known, then onset.
    """
    if _new_reds(beds) <= STORM:
        return {}
    red = [cell for cell in beds.values() if _reds(cell)]
    red.sort(key=lambda cell: (-_distance(_worst_red(cell)), _worst_red(cell).since, cell.bed))
    return {cell.bed: place for place, cell in enumerate(red[:TOP], start=1)}


def _reds(cell: BedCell) -> list[AlarmCell]:
    return [a for a in shown(cell) if a.priority == "high" and a.state == "active"]


def _new_reds(beds: Mapping[str, BedCell]) -> int:
    return sum(1 for cell in beds.values() if _reds(cell))


def _worst_red(cell: BedCell) -> AlarmCell:
    return max(_reds(cell), key=lambda alarm: (_distance(alarm), -alarm.since))


def _distance(alarm: AlarmCell) -> float:
    """How far the value lies beyond its limit, as a share of the limit; 1 where none is printed.

    A red without a number (asystole, apnoea) is as far away as can be.
    """
    figures = _figures(alarm)
    if not figures:
        return 1.0
    value, _, edge = figures
    return abs(value - edge) / (abs(edge) or 1.0)


def house_of(head: Head | None) -> str:
    """The codes of the unit's own alarms, for the bar."""
    return " ".join(alarm.code for alarm in head.alarms) if head else ""
