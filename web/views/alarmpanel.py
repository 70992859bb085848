"""The alarms of a bed in words: rule, value, limit, how long, where the limit comes from. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from hospital_ops.board import AlarmCell, BedCell
from hospital_ops.clock import SECOND
from icu.explained import cited, of_cell, rule_json
from web.views.alarmcheck import verdict_text
from web.views.alarms import AlarmView, alarm_text, alarm_view, ordered, shown
from web.views.duty import call_lines, next_line
from web.views.values import Frame, clock, unit_words
from web.words import Words

MOST_SEEN: Final = 200  # alarms of one story that a button tells of


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """One alarm of the panel, with what is listed under it."""

    view: AlarmView
    since: str
    limit: str  # empty where there is none
    source: str
    delay: str
    seen_by: str
    paused: str  # until when the sound is off
    listed: str  # other alarms of the same value or cause
    check: str  # what other signals make of it
    calls: tuple[str, ...]  # who was called, and whether it was read
    next: str  # who is called next; empty: nobody
    next_at: int
    member: bool  # told under the alarm above it
    story: int  # how many further alarms ring in its story
    seen: str  # this alarm and its burst, as the button tells what was on the screen
    story_seen: str  # and those of its story


def rows(cell: BedCell, frame: Frame) -> list[AlarmRow]:
    """The alarms that ring for themselves, in the order of the bar, each story together."""
    cells = {alarm.id: alarm for alarm in shown(cell)}
    views = ordered(alarm_view(alarm, frame.words) for alarm in cells.values())
    place = {view.id: index for index, view in enumerate(views)}
    views.sort(key=lambda view: (place[cells[view.id].story or view.id], place[view.id]))
    return [_row(cell, cells[view.id], view, frame) for view in views]


def story_of(cell: BedCell, lead: str) -> list[AlarmCell]:
    """The alarms of a story that nobody has taken on, the one that leads it first."""
    return [
        alarm
        for alarm in shown(cell)
        if lead in (alarm.id, alarm.story) and alarm.state != "acknowledged"
    ]


def _seen(alarms: Iterable[AlarmCell]) -> str:
    return " ".join(f"{alarm.id}:{alarm.burst_at}" for alarm in alarms)


def seen_of(told: str) -> dict[str, int]:
    """Id of an alarm -> when the burst that was on the screen began, as a button tells it."""
    pairs = (part.partition(":") for part in told.split()[:MOST_SEEN])
    return {name: int(burst) for name, _, burst in pairs if burst.isdecimal()}


def digest(found: list[AlarmRow]) -> str:
    """What the panel says, but for running times: a page that has it needs no new one."""
    told = repr([replace(row, since="") for row in found])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def source_of(alarm: AlarmCell, source: str | None, by: str, words: Words) -> str:
    """Where the limit of an alarm comes from: its device, who approved it here, or the table."""
    if alarm.device:
        return alarm.device
    return words.t("limits.set_by", by=by) if by else cited(source or "", words.language)


def _row(bed: BedCell, alarm: AlarmCell, view: AlarmView, frame: Frame) -> AlarmRow:
    words, now_us = frame.words, frame.now_us
    birth_date = bed.patient.birth_date if bed.patient else ""
    rule = rule_json(alarm.code, alarm.about, birth_date, now_us, of_cell(alarm))
    under = [each for each in bed.alarms if each.merged_into == alarm.id]
    paused = alarm.paused_until
    limit = ""
    if alarm.limit is not None and alarm.sign:
        limit = f"{alarm.sign} {words.number(alarm.limit)} {unit_words(alarm.unit, words)}"
    return AlarmRow(
        view=view,
        since=words.since((now_us - alarm.since) / SECOND),
        limit=limit,
        source=source_of(alarm, rule["limit_source"], alarm.limit_by, words),
        delay=words.duration(rule["delay_s"]) if rule["delay_s"] and not alarm.device else "",
        seen_by=alarm.acknowledged_by,
        paused=clock(paused, frame.zone, seconds=True) if paused else "",
        listed=", ".join(alarm_text(each, words) for each in under),
        check=verdict_text(alarm.verdict, words),
        calls=call_lines(alarm, frame),
        next=next_line(alarm, frame),
        next_at=alarm.next_at,
        member=bool(alarm.story),
        story=len(story_of(bed, alarm.id)) if not alarm.story else 0,
        seen=_seen([alarm]),
        story_seen=_seen(story_of(bed, alarm.id)),
    )
