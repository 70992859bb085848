"""What was done, moved and seen of a case, as rows of its events: pure, for `rows.py`."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

from hospital_ops import wire
from hospital_ops.clock import to_datetime
from streams.shard import hospital_of

Beside = wire.CaseItem | wire.CaseMoved | wire.CaseSeen


def claim(entry: Beside) -> tuple[bytes, bytes] | None:
    """(identity, digest) by which the sender's repeats are known; None: each entry counts."""
    if isinstance(entry, wire.CaseItem):
        # Of what was said, not of when it came: the same item sent again is the same.
        said = json.dumps([entry.case, entry.kind, entry.at, entry.said], sort_keys=True)
        return UUID(entry.item).bytes, hashlib.sha256(said.encode()).digest()
    if isinstance(entry, wire.CaseMoved):
        what = json.dumps([entry.case, entry.to, sorted(entry.items)])
        return UUID(entry.move).bytes, hashlib.sha256(what.encode()).digest()
    return None


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
    else:
        told = [(entry.case, "seen", entry.by, {"upto": entry.upto})]
    return [
        (
            hospital_of(shard), shard, case, kind, to_datetime(entry.at), actor,
            json.dumps(payload, ensure_ascii=False), entry.mode, entry_id,
        )
        for case, kind, actor, payload in told
    ]  # fmt: skip
