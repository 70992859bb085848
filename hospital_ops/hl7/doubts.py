"""A word to whoever connects a device: what was sent and could not be used."""

from __future__ import annotations

from hospital_ops.hl7.observations import Found
from hospital_ops.hl7.values import EXPECTED


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


def damage(lines: list[tuple[int, str]]) -> str:
    """How many segments were lost, and the first of them: (its number, what stands for a name)."""
    (number, name), others = lines[0], len(lines) - 1
    said = f"segment {number} has no name ({name!r}) and was not taken"
    return f"{said}, nor were {others} others" if others else said
