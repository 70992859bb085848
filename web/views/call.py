"""The call for a red patient of whom nobody has heard: a band that stays until somebody has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hospital_ops.board import CaseCell
from web.views.case import CaseView
from web.views.values import Frame, clock


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """The most urgent case that rings, when and for whom it rings again, how many more do."""

    view: CaseView
    others: int
    again: str
    level: int

    @property
    def told(self) -> tuple[object, ...]:
        """What the reader sees: a change of it sends the band again."""
        told = tuple(cell.told for cell in self.view.values)
        return (self.view.shape, told, self.others, self.again, self.level)


def call_view(
    cells: Mapping[str, CaseCell], views: Iterable[CaseView], frame: Frame
) -> CallView | None:
    """The call of a board whose cases stand in this order; None where none rings."""
    ringing = [view for view in views if cells[view.case].call is not None]
    call = cells[ringing[0].case].call if ringing else None
    if call is None:
        return None
    following = min(call.level + 1, 3)
    again = frame.words.t(
        "call.again_for",
        n=call.count,
        time=clock(call.again_at, frame.zone),
        whom=frame.words.t(f"call.for.{following}"),
    )
    return CallView(view=ringing[0], others=len(ringing) - 1, again=again, level=call.level)
