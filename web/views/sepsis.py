"""The sepsis clock in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hospital_ops.clinical.sepsis import SOURCE
from hospital_ops.clock import from_iso
from web.views.orders import day_clock
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
    earlier = told.get("earlier_lactate")
    elements = tuple(_element(one, frame, earlier) for one in told["elements"])
    return ClockView(head=head, elements=elements)


def _element(
    one: Mapping[str, Any], frame: Frame, earlier: Mapping[str, Any] | None
) -> ElementView:
    words, state = frame.words, one["state"]
    at = from_iso(one["at"] or one["deadline_at"])
    key = "done_before" if one["before"] else state
    time = day_clock(at, frame) if one["before"] else clock(at, frame.zone)
    text = words.t(f"sepsis.{key}", time=time, n=round(one["deadline_min"]))
    if one["by"]:
        text = f"{text} · {one['by']}"
    if one["element"] == "lactate" and earlier and one["at"] is None:
        drawn = day_clock(from_iso(earlier["at"]), frame)
        value = words.number(earlier["mmol_l"])
        text = f"{text} · {words.t('sepsis.earlier_lactate', value=value, time=drawn)}"
    return ElementView(
        id=one["element"],
        name=words.t(f"sepsis.element.{one['element']}"),
        state=state,
        text=text,
        may_mark=one["at"] is None,
        may_undo=bool(one["by"]),
    )
