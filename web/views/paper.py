"""Curves as paths on paper: one user unit is one millimetre. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

DRAWN_HZ: Final = 500.0  # above it two samples fall into one twentieth of a millimetre


def drawable(piece: Sequence[int], rate_hz: float) -> list[tuple[int, int]]:
    """(place, sample): all of them, or of each group the lowest and highest in their order."""
    step = int(rate_hz // DRAWN_HZ)
    if step < 2:
        return list(enumerate(piece))
    chosen: list[tuple[int, int]] = []
    for start in range(0, len(piece), 2 * step):
        group = list(enumerate(piece[start : start + 2 * step], start))
        low, high = min(group, key=lambda one: one[1]), max(group, key=lambda one: one[1])
        chosen += sorted({low, high})
    return chosen


def drawn(lines: list[list[tuple[float, float]]]) -> str:
    """The path of lines of points."""
    parts = []
    for line in lines:
        points = [f"{x:.2f} {y:.2f}" for x, y in line]
        if points:
            parts.append(f"M{points[0]}L{' '.join(points[1:] or points)}")
    return "".join(parts)
