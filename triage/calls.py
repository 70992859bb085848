"""The call for a red patient: it rings again and further up until somebody has heard, by name.

Pure: called with every change of a case and when its time has come (triage/timers.py).
"""

from __future__ import annotations

from typing import Final

from hospital_ops.board_ed import RingCell
from hospital_ops.case_steps import ARRIVED, COMING
from hospital_ops.clock import SECOND
from triage.notice import unheard
from triage.state import CallRecord, CaseState, UnitState

RING_KINDS: Final = ("alert", "advice", "information", "")  # the word of the crew, "" for none
AGAIN_US: Final = 120 * SECOND
LEVELS: Final = 3  # triage nurse, physician of the department, everybody
NET_US: Final = 600 * SECOND  # arrived, and nobody has taken over
KEPT_US: Final = 86_400 * SECOND  # calls counted: a shift, and the one before
KEPT: Final = 500  # calls: bounds the state where every case rings


def should_ring(case: CaseState, ring: tuple[str, ...]) -> bool:
    """Whether a red patient is coming or here with a red reason nobody has taken notice of.

    A decision that stands is notice of everything; one that was opened again, and a hearing or a
    take-over, are notice of what there was (triage/notice.py).
    """
    if case.step not in (COMING, ARRIVED) or (case.facts.get("notify") or "") not in ring:
        return False
    decision = case.decision
    if decision is not None and (decision.colour == "red" or not case.reopened_at):
        return False
    return bool(unheard(case))


def advance(state: UnitState, case: CaseState) -> bool:
    """Begins, repeats or ends the call of a case; True where it rang just now.

    A call that ends because the colour fell goes on where it was when the same reasons are back
    before it would have rung again: a value at a limit does not ring each time it crosses it.
    """
    now, call = state.now, case.call
    if not should_ring(case, state.ring):
        if call is not None:
            case.lapsed, case.call = call, None
        return False
    reasons = unheard(case)
    if call is None:
        return _begin(state, case, reasons)
    case.rang_for = tuple(sorted({*case.rang_for, *reasons}))
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


def _begin(state: UnitState, case: CaseState, reasons: frozenset[str]) -> bool:
    now, lapsed = state.now, case.lapsed
    going_on = lapsed is not None and now < lapsed.again_at
    if going_on and reasons <= set(case.rang_for):
        case.call = lapsed
        return False
    case.rang_for = tuple(sorted({*reasons, *(case.rang_for if going_on else ())}))
    case.call = RingCell(since=now, count=1, level=1, rang_at=now, again_at=now + AGAIN_US)
    state.calls.append(CallRecord(at=now, case=case.case))
    state.calls = [c for c in state.calls if c.at > now - KEPT_US][-KEPT:]
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
