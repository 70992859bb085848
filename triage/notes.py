"""What somebody said or ticked about a case, taken into its state. Pure; a repeat does nothing."""

from __future__ import annotations

from typing import Any, Final

from hospital_ops import wire
from hospital_ops.board_ed import PlaceCell
from hospital_ops.case_steps import ENDS
from hospital_ops.clock import iso
from triage.pathways import PATHWAYS, items_of, opened_by
from triage.state import CaseState

MESSAGES_KEPT: Final = 50  # of one case: more than any way is long
FINDINGS_KEPT: Final = 100
CREW: Final = ("crew", "tablet")


def take(case: CaseState, note: wire.CaseNote) -> None:
    """Takes a note in."""
    if note.kind == "readiness":
        _readiness(case, note)
    elif note.kind == "pathway":
        _pathway(case, note)
    elif note.kind == "message":
        _message(case, note)
    elif note.kind == "read_back":
        _read_back(case, note)
    elif note.kind == "view":
        case.view = {"by": note.by, "at": iso(note.at), "text": note.text}
    elif note.kind == "finding" and len(case.findings) < FINDINGS_KEPT:
        case.findings = {**case.findings, note.key: note.done}


def open_pathways(case: CaseState, at: int) -> None:
    """Opens the checklists of the present proposal; what was opened or closed stays so."""
    if case.step in ENDS:
        return
    for pathway in opened_by(case.triage, case.facts):
        _opened(case, pathway["id"], at, "")


def take_place(case: CaseState, entry: wire.PlaceGiven) -> None:
    """A place is held, ready or free again; an ended case holds none."""
    others = tuple(place for place in case.places if place.place != entry.place)
    if entry.state == "free" or case.step in ENDS:
        case.places = others
        return
    cell = PlaceCell(
        place=entry.place,
        kind=entry.kind,
        label=entry.label,
        entrance=entry.entrance,
        state=entry.state,
        at=entry.at,
        by=entry.by,
        zone=entry.zone,
    )
    case.places = tuple(sorted((*others, cell), key=lambda place: place.place))


def join(target: CaseState, source: CaseState) -> None:
    """One case was found to be another: what was said and kept for it is the other's."""
    target.readiness = {**source.readiness, **target.readiness}
    target.places = tuple(sorted((*target.places, *source.places), key=lambda place: place.place))
    target.messages = (*source.messages, *target.messages)[-MESSAGES_KEPT:]
    target.findings = {**source.findings, **target.findings}
    target.view = target.view or source.view
    if source.noticed is not None:
        target.noticed = {**source.noticed, **(target.noticed or {})}
    _join_decisions(target, source)
    if source.arrived_at and not target.arrived_at and target.step not in ENDS:
        target.step, target.arrived_at = source.step, source.arrived_at
    if source.taken_over_at and not target.taken_over_at:
        target.taken_over_at, target.taken_over_by = source.taken_over_at, source.taken_over_by


def _join_decisions(target: CaseState, source: CaseState) -> None:
    """The later decision holds, under the number of the case that goes on."""
    here, there = target.decision, source.decision
    if there is None or (here is not None and here.at >= there.at):
        return
    number = here.version if here is not None else target.decided_before
    target.decision = wire.replaced(there, version=number)
    target.known = tuple(sorted({*target.known, *source.known}))
    target.reopened_at, target.reopened_for = source.reopened_at, source.reopened_for


def _opened(case: CaseState, pathway: str, at: int, by: str) -> dict[str, Any]:
    if pathway not in case.readiness:
        fresh = {"opened_at": at, "by": by, "closed": False, "items": {}}
        case.readiness = {**case.readiness, pathway: fresh}
    return case.readiness[pathway]


def _pathway(case: CaseState, note: wire.CaseNote) -> None:
    if note.key in PATHWAYS:
        row = _opened(case, note.key, note.at, note.by)
        changed = {**row, "closed": not note.done, "by": note.by}
        case.readiness = {**case.readiness, note.key: changed}


def _readiness(case: CaseState, note: wire.CaseNote) -> None:
    pathway, _, item = note.key.partition(":")
    if pathway not in PATHWAYS or item not in {row["id"] for row in items_of(pathway)}:
        return
    row = _opened(case, pathway, note.at, note.by)
    items = dict(row["items"])
    if note.done:
        done = {"at": note.at, "by": note.by, "role": note.role, "note": note.text}
        items.setdefault(item, done)
    else:
        items.pop(item, None)
    case.readiness = {**case.readiness, pathway: {**row, "items": items}}


def _message(case: CaseState, note: wire.CaseNote) -> None:
    if any(each["id"] == note.note for each in case.messages):
        return
    message = {
        "id": note.note,
        "phrase": note.key,
        "text": note.text,
        "to": note.about,
        "by": note.by,
        "at": iso(note.at),
        "read_back": None,
    }
    case.messages = (*case.messages, message)[-MESSAGES_KEPT:]


def _read_back(case: CaseState, note: wire.CaseNote) -> None:
    """By those whom it was for, the first time."""
    read, whom = {"by": note.by, "at": iso(note.at)}, "crew" if note.role in CREW else "hospital"
    case.messages = tuple(
        {**each, "read_back": read}
        if each["id"] == note.about and each["to"] == whom and not each["read_back"]
        else each
        for each in case.messages
    )
