"""The sepsis clock in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hospital_ops.clinical.sepsis import SOURCE
from hospital_ops.clock import from_iso
from web.views.values import Frame, clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ElementView:
    """One line of the bundle."""

    id: str
    name: str
    state: str  # due, overdue, done, late, not_asked
    text: str
    may_mark: bool
    may_undo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """The whole panel."""

    head: str
    elements: tuple[ElementView, ...]
    source: str = SOURCE


def view(told: Mapping[str, Any], frame: Frame) -> ClockView:
    """The panel of a clock that runs."""
    words = frame.words
    head = words.t(
        "sepsis.head",
        category=words.t(f"sepsis.category.{told['category']}"),
        time=clock(from_iso(told["zero_at"]), frame.zone),
        age=words.duration(told["minutes"] * 60),
        by=told["started_by"],
    )
    return ClockView(head=head, elements=tuple(_element(one, frame) for one in told["elements"]))


def _element(one: Mapping[str, Any], frame: Frame) -> ElementView:
    words, state = frame.words, one["state"]
    at = from_iso(one["at"] or one["deadline_at"])
    text = words.t(f"sepsis.{state}", time=clock(at, frame.zone), n=round(one["deadline_min"]))
    if one["by"]:
        text = f"{text} · {one['by']}"
    return ElementView(
        id=one["element"],
        name=words.t(f"sepsis.element.{one['element']}"),
        state=state,
        text=text,
        may_mark=one["at"] is None,
        may_undo=bool(one["by"]),
    )
