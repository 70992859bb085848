"""Who is on duty and who was called, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hospital_ops.board import AlarmCell, BedCell, CallCell
from hospital_ops.clock import from_iso
from web.views.alarms import AlarmView, alarm_view, shown
from web.views.values import Frame, clock

_LOOKS: Final = ("high", "medium", "low", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonView:
    """Somebody on duty."""

    who: str
    post: str
    beds: str
    second: str
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledView:
    """An alarm that somebody is called for."""

    bed: str
    label: str
    alarm: AlarmView
    at: str
    read: bool


def person(row: Mapping[str, Any], beds: Sequence[BedCell], frame: Frame) -> PersonView:
    """One line of the list."""
    labels = {cell.bed: cell.label for cell in beds}
    return PersonView(
        who=row["who"],
        post=frame.words.t(f"duty.post.{row['post']}"),
        beds=", ".join(labels.get(bed, bed) for bed in row["beds"]),
        second=", ".join(labels.get(bed, bed) for bed in row["second"]),
        until=clock(from_iso(row["until"]), frame.zone),
    )


def called(cells: Iterable[BedCell], who: str, frame: Frame) -> list[CalledView]:
    """What somebody is called for and nobody has taken on: the most urgent first, then the newest.

    As the queue of the bar; the time is that of the call.
    """
    found = [
        (call, cell, alarm_view(alarm, frame.words))
        for cell in cells
        for alarm in shown(cell)
        for call in alarm.called
        if call.who == who and alarm.state in ("active", "latched")
    ]
    found.sort(key=lambda each: (each[2].rank, _LOOKS.index(each[2].look), -each[0].at))
    return [
        CalledView(
            bed=cell.bed,
            label=cell.label,
            alarm=alarm,
            at=clock(call.at, frame.zone, seconds=True),
            read=bool(call.read_at),
        )
        for call, cell, alarm in found
    ]


def call_lines(alarm: AlarmCell, frame: Frame) -> tuple[str, ...]:
    """`Nurse nurse.h1 since 14:02, read`, one for each call."""
    return tuple(_line(call, frame) for call in alarm.called)


def _line(call: CallCell, frame: Frame) -> str:
    words = frame.words
    said = words.t(
        "duty.called",
        who=f"{words.t(f'duty.post.{call.post}')} {call.who}".strip(),
        time=clock(call.at, frame.zone),
    )
    return f"{said}, {words.t('duty.read')}" if call.read_at else said


def next_line(alarm: AlarmCell, frame: Frame) -> str:
    """`next: physician, charge nurse`; empty: nobody any more."""
    posts = _next_posts(alarm, frame)
    return frame.words.t("duty.next", posts=posts) if posts else ""


def _next_posts(alarm: AlarmCell, frame: Frame) -> str:
    return ", ".join(frame.words.t(f"duty.post.{post}") for post in alarm.next_posts)


def on_tile(cell: BedCell, frame: Frame) -> tuple[str, str, int]:
    """Who was called last at a bed, who is next, and when (0: nobody); of its first alarm."""
    for alarm in shown(cell):
        if alarm.state in ("active", "latched") and alarm.called:
            return _line(alarm.called[-1], frame), _next_posts(alarm, frame), alarm.next_at
    return "", "", 0
