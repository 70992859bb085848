"""What people do with charted values, as rows, and which hours of trends it touches: pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from hospital_ops import wire
from hospital_ops.clock import SECOND, to_datetime
from streams.shard import hospital_of

Charted = wire.Corrected | wire.HourValidated
HOUR_US: Final = 3600 * SECOND
# The minutes of an hour are made a quarter of an hour after it, from what the archive holds by then
# (hospital_ops/migrations/trends.py): what is received from a little before on marks the hour.
LATE_US: Final = HOUR_US + 600 * SECOND


@dataclass(slots=True)
class Again:
    """Hours of beds about which something became known later: (unit, bed, beginning)."""

    hours: set[tuple[str, str, int]] = field(default_factory=set)

    def observed(self, unit: str, message: wire.Observed, at: int | None) -> None:
        """A value determined at `at` (None: when it was received) has come."""
        if not message.bed or at is None:
            return
        hour = at // HOUR_US * HOUR_US
        if message.received_at >= hour + LATE_US:
            self.hours.add((unit, message.bed, hour))

    def corrected(self, unit: str, entry: Charted) -> None:
        """A charted value was taken back, or another put in its place."""
        if isinstance(entry, wire.Corrected):
            self.taken_back(unit, entry.bed, entry.determined_at)

    def taken_back(self, unit: str, bed: str, at: int) -> None:
        """What was told of a moment holds no longer."""
        self.hours.add((unit, bed, at // HOUR_US * HOUR_US))


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
