"""Within which time a patient should be seen, and measured again: the target of the colour.

The chart leaves times to the facility; those of the South African Triage Scale (sats_tews.json)
stand until the site sets its own. An incomplete case is treated as yellow. Measuring again once
the target has passed without a new value is the house's own rule.
"""

from __future__ import annotations

from typing import Final

from hospital_ops.board import CaseCell
from hospital_ops.case_steps import ARRIVED
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from triage.reopening import RANK

_MINUTES: Final[dict[str, float]] = table("sats_tews")["target_minutes"]
SOURCE: Final[str] = str(table("sats_tews").get("source", "SATS"))


def target_us(colour: str) -> int:
    """The target of a colour in microseconds; an incomplete case has that of yellow."""
    return round(_MINUTES[colour if colour in _MINUTES else "yellow"] * 60 * SECOND)


def colour_of(cell: CaseCell) -> str:
    """The colour that holds: the physician's, else the proposal.

    A decision that something new has opened again holds no less than what is proposed now.
    """
    proposed = str(cell.triage.get("proposed", "incomplete"))
    if cell.decision is None:
        return proposed
    decided = cell.decision.colour
    risen = cell.reopened_at and RANK.get(proposed, 0) > RANK.get(decided, 0)
    return proposed if risen else decided


def see_by(cell: CaseCell) -> int:
    """Until when a physician should see who has arrived, microseconds; 0: seen, or not here."""
    if cell.step != ARRIVED or not cell.arrived_at or is_seen(cell):
        return 0
    return cell.arrived_at + target_us(colour_of(cell))


def is_seen(cell: CaseCell) -> bool:
    """Whether somebody took the patient over, or decided once the patient was here."""
    decided = cell.decision is not None and cell.decision.at >= cell.arrived_at > 0
    return bool(cell.taken_over_at) or decided


def measure_by(cell: CaseCell) -> int:
    """Until when who waits should be measured again, microseconds; 0: nobody waits for it."""
    target = target_us(colour_of(cell))
    if cell.step != ARRIVED or not cell.arrived_at or cell.taken_over_at or not target:
        return 0
    newest = max((shown.at for shown in cell.values.values()), default=0)
    return max(newest, cell.arrived_at if not newest else 0) + target
