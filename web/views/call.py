"""The call for a red patient of whom nobody has heard: a band that stays until somebody has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hospital_ops.board import CaseCell
from hospital_ops.clock import from_iso
from web.views.case import CaseView


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """The most urgent case that rings, and how many more do."""

    view: CaseView
    others: int

    @property
    def told(self) -> tuple[object, ...]:
        """What the reader sees: a change of it sends the band again."""
        return (self.view.shape, tuple(cell.told for cell in self.view.values), self.others)


def rings(cell: CaseCell) -> bool:
    """Whether a case on its way is red and nobody has taken notice of that.

    A decision or an acknowledgement is notice; a decision that was opened again needs a new one.
    """
    if cell.step != "coming" or cell.triage.get("proposed") != "red":
        return False
    if cell.decision is not None and not cell.reopened_at:
        return False
    return not any(_at(heard) >= cell.reopened_at for heard in cell.acknowledgements)


def call_view(cells: Mapping[str, CaseCell], coming: Iterable[CaseView]) -> CallView | None:
    """The call of a board whose cases are on their way in this order; None where none rings."""
    ringing = [view for view in coming if rings(cells[view.case])]
    return CallView(view=ringing[0], others=len(ringing) - 1) if ringing else None


def _at(heard: Mapping[str, object]) -> int:
    try:
        return from_iso(str(heard.get("at", "")))
    except ValueError:
        return 0
