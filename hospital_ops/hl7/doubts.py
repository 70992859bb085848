"""A word to whoever connects a device: what was sent and could not be used."""

from __future__ import annotations

from typing import Final

from hospital_ops.bindings import FUTURE_US
from hospital_ops.clock import SECOND
from hospital_ops.hl7.observations import Found
from hospital_ops.hl7.values import EXPECTED

# A device's time that is further past is corrected and flagged (SAFETY.md section 2, rule 6).
PAST_US: Final = 300 * SECOND


def doubts(found: Found) -> list[str]:
    """How many values could not be used, and the first of them."""
    doubted = [
        row
        for rows in found.by_mode.values()
        for row in rows
        if row.validity == "Inv" and not row.reason.startswith(EXPECTED)
    ]
    if not doubted:
        return []
    first = doubted[0]
    return [f"{len(doubted)} values stored as invalid, the first {first.code}: {first.reason}"]


def off_time(found: Found, received_at: int, zone: str) -> list[str]:
    """That a monitor's newest time lies ahead of ours or long past, and as what it was read."""
    newest = max(
        (
            row.determined_at
            for rows in found.by_mode.values()
            for row in rows
            if row.origin == "monitor" and row.determined_at is not None
        ),
        default=received_at,
    )
    off = newest - received_at
    if -PAST_US <= off <= FUTURE_US:
        return []
    where = "ahead of ours (not shown yet)" if off > 0 else "behind ours"
    said = f"its time lies {_length(abs(off))} {where}: set the clock"
    return [f"{said} or send the zone (without one: {zone})" if found.zoneless else said]


def _length(us: int) -> str:
    minutes = us // (60 * SECOND)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def damage(lines: list[tuple[int, str]]) -> str:
    """How many segments were lost, and the first of them: (its number, what stands for a name)."""
    (number, name), others = lines[0], len(lines) - 1
    said = f"segment {number} has no name ({name!r}) and was not taken"
    return f"{said}, nor were {others} others" if others else said
