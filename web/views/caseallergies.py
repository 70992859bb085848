"""What was told of a patient's allergies before the bed, as the page of the case shows it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from hospital_ops.board import CaseCell
from hospital_ops.clock import from_iso
from web.views.caseitems import allergy_words
from web.views.values import Frame, clock


class Told(NamedTuple):
    """One line: its id, when, what and by whom, and whether it is no allergy."""

    id: str
    at: str
    said: str
    by: str
    none_known: bool


def told(cell: CaseCell, frame: Frame) -> tuple[Told, ...]:
    """Oldest first; "none known" is not shown beside an allergy."""
    items = [item for item in cell.items if item["kind"] == "allergy"]
    named = any(not item.get("none_known") for item in items)
    return tuple(
        Told(
            str(item["id"]),
            clock(from_iso(str(item["at"])), frame.zone),
            allergy_words(item, frame),
            str(item.get("by") or ""),
            bool(item.get("none_known")),
        )
        for item in items
        if not (named and item.get("none_known"))
    )
