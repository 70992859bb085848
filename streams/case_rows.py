"""What was done, moved and seen of a case, as rows of its events: pure, for `rows.py`."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

from hospital_ops import wire
from hospital_ops.clock import to_datetime
from streams.shard import hospital_of

Beside = (
    wire.CaseEntered
    | wire.CaseItem
    | wire.CaseMoved
    | wire.CaseSeen
    | wire.CaseNote
    | wire.PlaceGiven
    | wire.SheetSigned
    | wire.Rang
)
OfAllergies = wire.CaseItem | wire.CaseMoved


def claim(entry: Beside) -> tuple[str, bytes, bytes] | None:
    """(source, identity, digest) by which repeats are known; None: each counts."""
    if isinstance(entry, wire.CaseItem):
        # Of what was said, not of when it came: the same item sent again is the same.
        said = json.dumps([entry.case, entry.kind, entry.at, entry.said], sort_keys=True)
        digest = hashlib.sha256(said.encode()).digest()
        return entry.source, UUID(entry.item).bytes, digest
    if isinstance(entry, wire.CaseMoved):
        what = json.dumps([entry.case, entry.to, sorted(entry.items)])
        digest = hashlib.sha256(what.encode()).digest()
        return entry.source, UUID(entry.move).bytes, digest
    return None


def of_allergies(owner: int | None, entry: Beside) -> list[tuple[int, str, OfAllergies]]:
    """(claim, case, entry) after which another thing may be known of allergies; mostly none."""
    if owner is None or not isinstance(entry, OfAllergies):
        return []
    told = isinstance(entry, wire.CaseMoved) or entry.kind in ("allergy", "withdrawal")
    return [(owner, entry.case, entry)] if told else []


def rows(entry: Beside, shard: str, entry_id: str) -> list[tuple[Any, ...]]:
    """Rows of `case_event`; a move stands at both cases, so that each can be followed."""
    told: list[tuple[str, str, str, dict[str, Any]]]
    if isinstance(entry, wire.CaseItem):
        told = [(entry.case, entry.kind, entry.source, {"id": entry.item, **entry.said})]
    elif isinstance(entry, wire.CaseMoved):
        what = {"id": entry.move, "items": list(entry.items), "note": entry.note}
        told = [
            (entry.case, "moved_out", entry.by, {**what, "to": entry.to}),
            (entry.to, "moved_in", entry.by, {**what, "from": entry.case}),
        ]
    elif isinstance(entry, wire.CaseEntered):
        what = {"from": entry.came_from, "reason": entry.reason}
        told = [(entry.case, "entered", entry.by, what)]
    elif isinstance(entry, wire.CaseSeen):
        told = [(entry.case, "seen", entry.by, {"upto": entry.upto})]
    else:
        told = [(entry.case, *_of_department(entry))]
    mode = "" if isinstance(entry, wire.SheetSigned) else entry.mode
    return [
        _row(shard, entry_id, case, kind, entry.at, actor, payload, mode)
        for case, kind, actor, payload in told
    ]


def _of_department(
    entry: wire.CaseNote | wire.PlaceGiven | wire.SheetSigned | wire.Rang,
) -> tuple[str, str, dict[str, Any]]:
    """(kind, by, payload) of what the department said, kept ready, signed or was called for."""
    if isinstance(entry, wire.CaseNote):
        said = {"id": entry.note, "key": entry.key, "text": entry.text, "about": entry.about}
        return entry.kind, entry.by, {**said, "done": entry.done, "role": entry.role}
    if isinstance(entry, wire.PlaceGiven):
        place = {"place": entry.place, "kind": entry.kind, "state": entry.state}
        return "place", entry.by, place
    if isinstance(entry, wire.SheetSigned):
        return "sheet_signed", entry.by, {"version": entry.version}
    return "ring", "", {"count": entry.count, "level": entry.level}


def of_picture(ecg: wire.EcgReceived, shard: str, entry_id: str) -> tuple[Any, ...]:
    """The row by which a photograph of an ECG is found; its bytes lie with the message."""
    told = {"id": ecg.ecg}
    return _row(
        shard, entry_id, ecg.case, "ecg_picture", ecg.received_at, ecg.source, told, ecg.mode
    )


def _row(
    shard: str,
    entry_id: str,
    case: str,
    kind: str,
    at: int,
    actor: str,
    payload: dict[str, Any],
    mode: str,
) -> tuple[Any, ...]:
    return (
        hospital_of(shard), shard, case, kind, to_datetime(at), actor,
        json.dumps(payload, ensure_ascii=False), mode, entry_id,
    )  # fmt: skip
