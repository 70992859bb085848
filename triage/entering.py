"""A case that goes to another department, or comes from one, on its way. Pure.

What is known of the patient comes along: facts, values under their own times, ECGs, what the crew
did. What the former department did does not: hearing, deciding and getting ready begin anew there.
"""

from __future__ import annotations

from typing import Any

from hospital_ops import identity, wire
from hospital_ops.board import CaseCell, decode_case
from hospital_ops.case_steps import COMING
from hospital_ops.clock import iso
from triage.items import add_value
from triage.notes import MESSAGES_KEPT
from triage.state import CaseState

PHRASE = "rerouted"  # of the message that the crew reads back


def leave(case: CaseState, entry: wire.CaseStep) -> None:
    """The case goes elsewhere; outside of this installation the crew is told from here."""
    case.rerouted = {
        "to": entry.to,
        "where": entry.where,
        "by": entry.by,
        "at": iso(entry.at),
        "reason": entry.note,
    }
    if not entry.to:
        _tell_crew(case, entry.where, entry.note, entry.by, entry.at)


def enter(case: CaseState, entry: wire.CaseEntered) -> None:
    """Takes in what the former department knew; what came here already is not overwritten."""
    if case.step == "rerouted" and iso(entry.at) > str(case.rerouted.get("at", "")):
        case.step, case.ended_at, case.ended_for, case.rerouted = COMING, 0, "", {}  # it comes back
        case.noticed, case.lapsed = {}, None
    elif case.step != COMING:
        return
    cell = decode_case(entry.cell)
    case.facts = {**cell.facts, **case.facts, "destination": entry.unit}
    case.mode, case.eta = cell.mode, case.eta if case.eta is not None else cell.eta
    case.opened_at = min(case.opened_at, cell.opened_at or case.opened_at)
    # What was taken back there, or moved to another, does not come again under its id.
    case.gone = {**dict.fromkeys(cell.gone, ""), **case.gone}
    for name, shown in cell.values.items():
        event = shown.event or str(identity.derived(case.case, name, str(shown.at)))
        add_value(case, name, event, shown)
    case.items = _with(case.items, cell.items)
    ecgs = tuple({"unit": entry.came_from, **ecg} for ecg in cell.ecgs)
    case.ecgs = _with(case.ecgs, ecgs)
    if found := cell.facts.get("ecg_findings"):
        known = case.facts.get("ecg_findings") or ()
        case.facts["ecg_findings"] = sorted({*known, *found})
    case.joined = tuple(dict.fromkeys((*case.joined, *cell.joined)))
    waiting = (m for m in cell.messages if m["to"] == "hospital" and not m["read_back"])
    case.messages = _with(case.messages, tuple(waiting))
    case.decided_before = max(case.decided_before, cell.version)
    if not case.rerouted:
        case.rerouted = {
            "from": entry.came_from,
            "where": entry.where,
            "by": entry.by,
            "at": iso(entry.at),
            "reason": entry.reason,
            "decided": _decided(cell),
        }
        if not entry.by.startswith("device:"):  # a crew that chose for itself knows
            _tell_crew(case, entry.where, entry.reason, entry.by, entry.at)


def _decided(cell: CaseCell) -> dict[str, Any] | None:
    """What was decided there, for whoever decides here."""
    decision = cell.decision
    if decision is None:
        return None
    return {"colour": decision.colour, "by": decision.by, "at": iso(decision.at)}


def _tell_crew(case: CaseState, where: str, reason: str, by: str, at: int) -> None:
    message = {
        "id": str(identity.derived("reroute", case.case, where, str(at))),
        "phrase": PHRASE,
        "text": ": ".join(filter(None, (where, reason))),
        "to": "crew",
        "by": by,
        "at": iso(at),
        "read_back": None,
    }
    case.messages = (*case.messages, message)[-MESSAGES_KEPT:]


def _with(
    known: tuple[dict[str, Any], ...], more: tuple[dict[str, Any], ...]
) -> tuple[dict[str, Any], ...]:
    """Both by time, each id once."""
    ids = {one["id"] for one in known}
    new = (one for one in more if one["id"] not in ids)
    return tuple(sorted((*known, *new), key=lambda one: (str(one["at"]), str(one["id"]))))
