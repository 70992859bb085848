"""The call for a red patient: it rings again and further up until somebody has heard, by name.

Pure: called with every change of a case and when its time has come (triage/timers.py).
"""

from __future__ import annotations

from typing import Any, Final

from hospital_ops.board_ed import RingCell
from hospital_ops.case_steps import ARRIVED, COMING
from hospital_ops.clock import SECOND, from_iso
from triage.state import CallRecord, CaseState, UnitState

RING_KINDS: Final = ("alert", "advice", "information", "")  # the word of the crew, "" for none
AGAIN_US: Final = 120 * SECOND
LEVELS: Final = 3  # triage nurse, physician of the department, everybody
NET_US: Final = 600 * SECOND  # arrived, and nobody has taken over
KEPT_US: Final = 86_400 * SECOND  # calls counted: a shift, and the one before
KEPT: Final = 500  # calls: bounds the state where every case rings


def should_ring(case: CaseState, ring: tuple[str, ...]) -> bool:
    """Whether a red patient is coming, or at the door, of whom nobody has taken notice.

    A decision, an acknowledgement or a take-over is notice; a decision that was opened again needs
    a new one. Ten minutes after the arrival the net speaks instead.
    """
    at_the_door = case.step == ARRIVED and not case.taken_over_at and not case.untaken
    if not (case.step == COMING or at_the_door) or case.triage.get("proposed") != "red":
        return False
    if (case.facts.get("notify") or "") not in ring:
        return False
    if case.decision is not None and not case.reopened_at:
        return False
    return not any(_at(heard) >= case.reopened_at for heard in case.acknowledgements)


def advance(state: UnitState, case: CaseState) -> bool:
    """Begins, repeats or ends the call of a case; True where it rang just now."""
    now, call = state.now, case.call
    if not should_ring(case, state.ring):
        case.call = None
        return False
    if call is None:
        case.call = RingCell(since=now, count=1, level=1, rang_at=now, again_at=now + AGAIN_US)
        state.calls.append(CallRecord(at=now, case=case.case))
        state.calls = [c for c in state.calls if c.at > now - KEPT_US][-KEPT:]
        return True
    if now < call.again_at:
        return False
    count = call.count + 1
    case.call = RingCell(
        since=call.since,
        count=count,
        level=min(count, LEVELS),
        rang_at=now,
        again_at=now + AGAIN_US,
    )
    return True


def note_use(state: UnitState, case: CaseState) -> bool:
    """Counts the last call of a case as used; True where that is news.

    Used: a physician decided red, or a place was held for the patient.
    """
    red = case.decision is not None and case.decision.colour == "red"
    record = next((c for c in reversed(state.calls) if c.case == case.case), None)
    if record is None or record.used or not (red or case.places):
        return False
    record.used = True
    return True


def _at(heard: dict[str, Any]) -> int:
    try:
        return from_iso(str(heard.get("at", "")))
    except ValueError:
        return 0
