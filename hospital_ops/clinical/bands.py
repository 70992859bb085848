"""Points by band: the commonest shape of a clinical table, compiled once and read fast.

A table `[{"min", "max", "score"}, ...]` lists bands rising, with bounds inclusive at the printed
resolution. A value between two printed cells is brought to that resolution first: rounded
(NEWS2 says so) or cut off (APACHE II says so).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from math import floor, inf
from typing import Any

# A reading such as 38.05 is a hair less in binary; this keeps it on the side the printed
# decimal stands on. It is far below any resolution used.
_HAIR = 1e-6


class Bands:
    """Points of one parameter, from its published bands."""

    __slots__ = ("_half", "_per_unit", "_tops", "points", "rows")

    def __init__(
        self, rows: Sequence[dict[str, Any]], resolution: float, *, rounded: bool = True
    ) -> None:
        """`resolution` is the step of the printed table (0.1 for temperature)."""
        rows = sorted(rows, key=lambda row: -inf if row["min"] is None else row["min"])
        self.rows = tuple(rows)
        self._per_unit = round(1 / resolution)
        self._half = (0.5 if rounded else 0.0) + _HAIR
        self.points: tuple[Any, ...] = tuple(row["score"] for row in rows)
        self._tops = [round(row["max"] * self._per_unit) for row in rows[:-1]]

    def index(self, value: float) -> int:
        """Which band holds `value`, counted from the lowest."""
        return bisect_left(self._tops, floor(value * self._per_unit + self._half))

    def __call__(self, value: float) -> Any:
        """The points of the band that holds `value`."""
        return self.points[bisect_left(self._tops, floor(value * self._per_unit + self._half))]

    def printed(self, value: float) -> str:
        """The band as the table prints it, for reasons: "<=90", "91-100", ">=220"."""
        row = self.rows[self.index(value)]
        low, high = row["min"], row["max"]
        if low is None:
            return f"<={high:g}"
        return f">={low:g}" if high is None else f"{low:g}-{high:g}"

    def edges(self) -> list[float]:
        """Every printed bound, for boundary tests and counterfactuals."""
        bounds = {row[side] for row in self.rows for side in ("min", "max")}
        return sorted(bound for bound in bounds if bound is not None)


def resolution_of(rows: Sequence[dict[str, Any]]) -> float:
    """The printed step of a table: the smallest gap between the end of a band and the next."""
    ordered = sorted(rows, key=lambda row: -inf if row["min"] is None else row["min"])
    gap = min(after["min"] - before["max"] for before, after in pairwise(ordered))
    return float(round(gap, 4))


def falling(rows: Sequence[dict[str, Any]], value: float) -> int:
    """Points of the first row of a "lt / gte / gt / range / eq" table that holds `value`.

    Used by SOFA, whose tables print strict and inclusive bounds side by side. A value in a gap
    between two printed ranges (whole numbers) is cut to the range it has not yet left.
    """
    best = 0
    for row in rows:
        low, high = row.get("range", (None, None))
        inside = (
            ("lt" in row and value < row["lt"])
            or ("gte" in row and value >= row["gte"])
            or ("gt" in row and value > row["gt"])
            or ("eq" in row and value == row["eq"])
            or (low is not None and low <= floor(value + _HAIR) <= high)
        )
        if inside:
            best = max(best, int(row["score"]))
    return best
