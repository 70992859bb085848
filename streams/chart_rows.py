"""What people do with charted values, as rows: pure, for `rows.py`."""

from __future__ import annotations

import json
from typing import Any

from hospital_ops import wire
from hospital_ops.clock import to_datetime
from streams.shard import hospital_of

Charted = wire.Corrected | wire.HourValidated


def row(entry: Charted, shard: str, entry_id: str) -> tuple[str, tuple[Any, ...]]:
    """(table, row) of an entry."""
    hospital = hospital_of(shard)
    if isinstance(entry, wire.Corrected):
        return "correction", (
            hospital, shard, entry.bed, entry.event, entry.replaced_by or None, entry.code,
            to_datetime(entry.determined_at), entry.by, entry.role, to_datetime(entry.at),
            entry.reason, entry.mode, entry_id,
        )  # fmt: skip
    return "flowsheet_hour", (
        hospital, shard, entry.bed, to_datetime(entry.from_at), to_datetime(entry.to_at),
        json.dumps(entry.figures), entry.by, entry.role, to_datetime(entry.at), entry.mode,
        entry_id,
    )  # fmt: skip
