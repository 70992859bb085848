"""What the hospital's own system says of its orders, as rows: pure (decision 0054)."""

from __future__ import annotations

from typing import Any

from hospital_ops import wire
from hospital_ops.clock import to_datetime
from streams.shard import hospital_of

TABLE = "hospital_order_event"


def is_theirs(entry: wire.OrderChanged) -> bool:
    """Whether the order is of the hospital's own system; a native one has its row in PostgreSQL."""
    return entry.owner == "hospital"


def row(entry: wire.OrderChanged, shard: str, entry_id: str) -> tuple[Any, ...]:
    """The row of what was said: theirs in their words, ours as we understood it, side by side."""
    due_at = to_datetime(entry.due_at) if entry.due_at else None
    return (
        hospital_of(shard), shard, entry.order, entry.version, to_datetime(entry.at), entry.bed,
        entry.patient_id or None, entry.source, entry.placer, entry.filler, entry.said, entry.kind,
        entry.text, entry.priority, due_at, entry.request, entry.task,
        to_datetime(entry.received_at or entry.at), entry.mode, entry_id,
    )  # fmt: skip
