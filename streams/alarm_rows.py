"""Alarms and whom they called, as rows of the archive: pure."""

from __future__ import annotations

from typing import Any

from hospital_ops import wire
from hospital_ops.board import verdict_json
from hospital_ops.clock import to_datetime
from streams.shard import hospital_of
from streams.value_rows import short

Row = tuple[Any, ...]


def alerted(entry: wire.Alerted, shard: str, entry_id: str) -> Row:
    """What became of an alarm."""
    return (
        hospital_of(shard), shard, entry.alarm, entry.bed, entry.patient_id,
        entry.rule, entry.priority, entry.state, to_datetime(entry.at),
        to_datetime(entry.since), entry.text, entry.value, entry.mode, entry_id,
        short(entry.about), entry.limit, _verdict(entry),
    )  # fmt: skip


def called(entry: wire.Called, shard: str, entry_id: str) -> Row:
    """Who was called, and whether they have read it."""
    read_at = to_datetime(entry.read_at) if entry.read_at else None
    return (
        hospital_of(shard), shard, entry.alarm, entry.bed, entry.post,
        entry.who, to_datetime(entry.at), read_at, entry.mode, entry_id,
    )  # fmt: skip


def _verdict(entry: wire.Alerted) -> str | None:
    return wire.to_json(verdict_json(entry.verdict)).decode() if entry.verdict else None
