"""The worklist of a unit: what is to be done, by bed and hour, the overdue first. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hospital_ops.clock import SECOND, from_iso
from icu.bedside_orders import CONTINUING
from web.hours import clock_at
from web.views.orders import OrderView, day_clock, order
from web.views.values import Frame

HOURS: Final = 12  # so far ahead: a shift
HOUR_US: Final = 3600 * SECOND
OVERDUE, UNTIMED, LATER, DRAFTS = "overdue", "untimed", "later", "drafts"
BY: Final = ("bed", "hour")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to be done: an order now, or a coming occurrence of a recurring one."""

    view: OrderView
    bed: str
    label: str
    time: str
    planned: bool  # a later occurrence: shown, nothing can be pressed
    acts: tuple[str, ...]  # what can be done in one press, the usual one first


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Items under one heading inside a section."""

    title: str
    late: bool
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A bed with its hours, or an hour with its beds."""

    key: str
    title: str
    href: str
    late: bool
    groups: tuple[Group, ...]


_Key = tuple[int, str]  # order, name
_Entry = tuple[_Key, _Key, int, Item]  # bed, hour, time


def sections(
    rows: Iterable[Mapping[str, Any]],
    places: Mapping[str, tuple[int, str, str]],
    frame: Frame,
    by: str = "bed",
) -> list[Section]:
    """The list; `places` says for each patient: order, bed id and label, where they lie now.

    Orders of patients who lie in no bed of the unit any more are not lost: they stand last.
    """
    nowhere = (1_000_000, "", frame.words.t("worklist.nowhere"))
    entries: list[_Entry] = []
    for row in rows:
        position, bed, label = places.get(row["patient_id"], nowhere)
        for hour, at, planned in _moments(row, frame):
            view = order(row, frame)
            item = Item(
                view=view,
                bed=bed,
                label=label,
                time=day_clock(at, frame) if at else "",
                planned=planned,
                acts=_usual_first(row["kind"], view.quick),
            )
            entries.append(((position, bed), hour, at, item))
    if by == "bed":
        entries.sort(key=lambda entry: entry[:3])
    else:
        entries.sort(key=lambda entry: (entry[1], entry[0], entry[2]))
    return _nested(entries, 0 if by == "bed" else 1, frame)


def _usual_first(kind: str, acts: tuple[str, ...]) -> tuple[str, ...]:
    """What goes on by itself is begun first; everything else is done in one press.

    A "Done" is taken back where it was pressed, or at the bed: never beside the next "Done".
    """
    acts = tuple(act for act in acts if act != "undo")
    usual = "start" if kind in CONTINUING else "complete"
    return tuple(sorted(acts, key=lambda act: (act != usual, acts.index(act))))


def _nested(entries: Sequence[_Entry], outer: int, frame: Frame) -> list[Section]:
    tree: dict[_Key, dict[_Key, list[Item]]] = {}
    for entry in entries:
        first, second = (entry[0], entry[1]) if outer == 0 else (entry[1], entry[0])
        tree.setdefault(first, {}).setdefault(second, []).append(entry[3])
    found = []
    for first, groups in tree.items():
        made = []
        for second, items in groups.items():
            hour = second if outer == 0 else first
            title = _hour(hour, frame) if outer == 0 else _bed(items[0], frame)
            made.append(Group(title=title, late=hour[1] == OVERDUE, items=tuple(items)))
        example = made[0].items[0]
        found.append(
            Section(
                key=first[1] or "nowhere",
                title=_bed(example, frame) if outer == 0 else _hour(first, frame),
                href=f"/icu/beds/{example.bed}" if outer == 0 and example.bed else "",
                late=any(group.late for group in made),
                groups=tuple(made),
            )
        )
    return found


def _moments(row: Mapping[str, Any], frame: Frame) -> list[tuple[_Key, int, bool]]:
    """(hour, time, planned) of an order: where it stands, and again at each coming time."""
    if row["request"] == "draft":
        return [((-2, DRAFTS), 0, False)]
    if not row["due_at"]:
        return [((HOURS + 2, UNTIMED), 0, False)]
    due = from_iso(row["due_at"])
    if row["urgency"] == "overdue":
        found = [((-1, OVERDUE), due, False)]
    else:
        found = [(_hour_of(due, frame), due, False)]
    repeat = row["repeat"]
    if repeat and row["request"] == "active":
        found += [
            (_hour_of(at, frame), at, True) for at in _coming(due, repeat, row["occurrence"], frame)
        ]
    return found


def _coming(due: int, repeat: Mapping[str, Any], occurrence: int, frame: Frame) -> Iterable[int]:
    """Later times of a recurring order within the hours that are shown."""
    every, end = repeat["every_min"] * 60 * SECOND, frame.now_us + HOURS * HOUR_US
    until = from_iso(repeat["until"]) if repeat["until"] else end
    at, number = due + every, occurrence + 1
    while at <= min(end, until) and not (repeat["times"] and number > repeat["times"]):
        if at > frame.now_us:
            yield at
        at, number = at + every, number + 1


def _hour_of(at: int, frame: Frame) -> _Key:
    """The clock hour of a time, counted from the present one; the far ones together."""
    ahead = at // HOUR_US - frame.now_us // HOUR_US
    return (int(ahead), str(at // HOUR_US)) if ahead < HOURS else (HOURS + 1, LATER)


def _hour(key: _Key, frame: Frame) -> str:
    words, name = frame.words, key[1]
    if not name.isdecimal():
        return words.t(f"worklist.{name}")
    start = int(name) * HOUR_US
    return f"{clock_at(start, frame.zone)}–{clock_at(start + HOUR_US, frame.zone)}"


def _bed(item: Item, frame: Frame) -> str:
    return frame.words.t("worklist.bed", bed=item.label) if item.bed else item.label


def totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How much there is: due, overdue, escalated, drafts that wait for a signature."""
    return {
        "due": sum(row["urgency"] == "due" for row in rows),
        "overdue": sum(row["urgency"] == "overdue" for row in rows),
        "escalated": sum(bool(row["escalation"]) and row["escalation"]["step"] > 1 for row in rows),
        "drafts": sum(row["request"] == "draft" for row in rows),
    }


def digest(found: Sequence[Section]) -> str:
    """What the list says, but for running times."""
    told = [
        (s.key, g.title, i.view.id, i.view.version, i.view.tone, i.view.late.partition("→")[2])
        for s in found
        for g in s.groups
        for i in g.items
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
