"""What a crew did and agreed on the way, as lines of the page of its case."""

from __future__ import annotations

from dataclasses import dataclass

from hospital_ops.board import CaseCell
from hospital_ops.clock import from_iso
from web.views.values import Frame, clock


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
            said=", ".join(
                str(item[name])
                for name in ("what", "dose", "route", "who", "until", "text")
                if item.get(name)
            ),
            limit=item["kind"] == "limit",
        )
        for item in cell.items
        if frame.words.has(f"case.item.{item['kind']}")
    ]
    return tuple(sorted(views, key=lambda view: not view.limit))
