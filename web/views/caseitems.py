"""What a crew did and agreed on the way, as lines of the page of its case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hospital_ops.board import CaseCell
from hospital_ops.clock import from_iso, to_datetime
from triage.onset import Onset, onset_of
from web.views.values import Frame, clock

TOLD_TO: Final = {"crew": "crew", "tablet": "crew", "hospital": "hospital"}  # by role; else here


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One line: when, what kind of thing, and what was said of it."""

    at: str
    kind: str
    said: str
    limit: bool  # a treatment limit comes before everything else


def items(cell: CaseCell, frame: Frame) -> tuple[ItemView, ...]:
    """Treatment limits first, then what was done, each in its order of time."""
    views = [
        ItemView(
            at=clock(from_iso(str(item["at"])), frame.zone),
            kind=frame.words.t(f"case.item.{item['kind']}"),
            said=said_words(item, frame),
            limit=item["kind"] == "limit",
        )
        for item in cell.items
        if item["kind"] != "allergy" and frame.words.has(f"case.item.{item['kind']}")
    ]
    return tuple(sorted(views, key=lambda view: not view.limit))


def said_words(item: Mapping[str, Any], frame: Frame) -> str:
    """What was said of an item, in one line."""
    if item["kind"] == "onset":
        found = onset_of([item])
        return onset_words(found, frame) if found else ""
    if item["kind"] == "allergy":
        return allergy_words(item, frame)
    names = ("what", "dose", "route", "who", "until", "text")
    return ", ".join(str(item[name]) for name in names if item.get(name))


def allergy_words(item: Mapping[str, Any], frame: Frame) -> str:
    """`penicillin (rash), told by the wife; heard by the crew, not confirmed`."""
    words = frame.words
    what = words.t("ordering.allergy.none_known") if item.get("none_known") else str(item["what"])
    said = f"{what} ({item['reaction']})" if item.get("reaction") else what
    by = words.t("case.allergy.by", who=item["who"]) if item.get("who") else ""
    role = item.get("role")
    heard = words.t(f"case.allergy.{TOLD_TO.get(str(role), 'ed')}")
    return ", ".join(filter(None, (said, by, heard)))


def onset_words(onset: Onset, frame: Frame) -> str:
    """`estimated, 12:10`; with the day where it is not today; "not known" is said as such."""
    how = frame.words.t(f"onset.{onset.how}")
    if not onset.since:
        return how
    began, now = (to_datetime(at).astimezone(frame.zone) for at in (onset.since, frame.now_us))
    form = "%H:%M" if began.date() == now.date() else "%Y-%m-%d %H:%M"
    return f"{how}, {began:{form}}"
