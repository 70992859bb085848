"""An alarm in words and its place in the order: which one a tile names.

Order and looks: ui rules for alarms (high, medium, check patient, technical, stale, overdue,
acknowledged, next due). The queue of a whole unit is in `alarmqueue.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hospital_ops.board import AlarmCell, BedCell, Head
from icu.rules import ROWS
from icu.rules import words as rule_words
from icu.silencing import NOTE
from web.words import Words

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
    figures = figures_of(alarm)
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
    if alarm.code == NOTE:  # about the rule that would have rung
        return f"{said}: {_lowered(rule_words(alarm.about, words.language))}"
    return f"{words.t(f'value.{name}')}: {_lowered(said)}" if name and _general(alarm) else said


def stored_text(rule: str, said: str, words: Words) -> str:
    """An alarm as the archive has it: a rule's own words in the reader's language, else as said."""
    for key in (rule, f"{rule}_age"):
        if said in ("", rule_words(key)):
            return rule_words(key, words.language)
    return said


def figures_of(alarm: AlarmCell) -> tuple[float, str, float] | None:
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


def rings(cell: BedCell) -> str:
    """What of a bed sounds, for the page: it knows the time and so when a silence ends."""
    told = [
        f"{alarm.priority}:{alarm.burst_at}:{alarm.paused_until}"
        for alarm in shown(cell)
        if alarm.state in RINGING
    ]
    told += [f"remind:{a.reminded_at}:0" for a in shown(cell) if a.reminded_at]
    return " ".join(told)


def ordered(alarms: Iterable[AlarmView]) -> list[AlarmView]:
    """By place in the order, high before medium before low, then newest first."""
    looks = ("high", "medium", "low")
    return sorted(alarms, key=lambda a: (a.rank, looks.index(a.look), -a.since, a.id))


def house_of(head: Head | None) -> str:
    """The codes of the unit's own alarms, for the bar."""
    return " ".join(alarm.code for alarm in head.alarms) if head else ""
