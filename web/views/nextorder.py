"""The next order of a bed on its tile: what and when, short enough for a line. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hospital_ops.board import BedCell
from web.views.orders import day_clock
from web.views.orderwords import plain_units
from web.views.values import Frame

LONGEST: Final = 32  # characters that a line of a tile has for a name


@dataclass(frozen=True, slots=True)
class NextView:
    """When, what, whether it is overdue, and how many more are due or overdue by now."""

    when: str
    what: str
    late: bool
    more: int


def on_tile(cell: BedCell, frame: Frame) -> NextView | None:
    """The next order due, or the one overdue for the longest."""
    order = cell.next_order
    if order is None:
        return None
    counted = cell.orders.get("due", 0) + cell.orders.get("overdue", 0)
    # The unit counts what is due; until it has done so again this one is as it was.
    late = bool(cell.orders.get("overdue"))
    return NextView(
        when=day_clock(order.due_at, frame),
        what=_short(order.text, order.kind, frame),
        late=late,
        more=max(0, counted - 1),
    )


def _short(text: str, kind: str, frame: Frame) -> str:
    """What is ordered without its details; where even that is long, its kind: no name is cut."""
    name = plain_units(text.partition(", ")[0], frame.words).strip()
    return name if 0 < len(name) <= LONGEST else frame.words.t(f"orders.kind.{kind}")
