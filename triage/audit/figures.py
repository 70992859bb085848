"""The figures of the audit: shares with their intervals, by age, sex, hour, rule and unit. Pure.

Nobody's name comes in and none can come out: a judge is the engine, the crews or the physicians.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from math import sqrt
from statistics import NormalDist
from typing import Any, Final

from hospital_ops.clock import from_datetime, to_datetime
from hospital_ops.errors import MessageError
from triage.audit.course import (
    DIMENSIONS,
    JUDGES,
    LEAST,
    TABLE,
    Case,
    Measure,
    belongs,
    colour,
    counts,
    is_known,
    place,
)
from triage.audit.guard import TOTAL, Column, Place, shown

_Z: Final = NormalDist().inv_cdf((1 + float(TABLE["confidence"])) / 2)
QUARTERS_BACK: Final = 4


@dataclass(frozen=True, slots=True)
class Figures:
    """The cases of each population with what may be shown of it."""

    cases: dict[str, Case]
    columns: dict[tuple[str, str], Column]  # (measure, judge)
    places: dict[tuple[str, str], set[Place]]
    mistaken: dict[tuple[str, str], frozenset[str]]

    def ids(self, measure: str, judge: str, where: Place) -> frozenset[str]:
        """The cases behind a number; empty where it is not shown."""
        if where not in self.places.get((measure, judge), ()):
            return frozenset()
        column = self.columns[measure, judge]
        return column.whole if where == TOTAL else column.parts[where[0]][where[1]]

    def cell(self, measure: str, judge: str, where: Place) -> dict[str, Any] | None:
        """`{"n", "k", "share", "low", "high"}` or None where it is hidden."""
        among = self.ids(measure, judge, where)
        if not among:
            return None
        n, k = len(among), len(among & self.mistaken[measure, judge])
        low, high = wilson(k, n)
        return {
            "n": n,
            "k": k,
            "share": round(k / n, 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }


def wilson(k: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of k of n (n > 0)."""
    share, z2 = k / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (0.0 if k == 0 else middle - half), (1.0 if k == n else middle + half)


def figures(
    cases: Sequence[Case], in_force: Sequence[Measure], zone: tzinfo, now_us: int
) -> Figures:
    """Counts every measure for every judge, and says what may be shown."""
    columns: dict[tuple[str, str], Column] = {}
    mistaken: dict[tuple[str, str], frozenset[str]] = {}
    for measure in in_force:
        among = [case for case in cases if belongs(case, measure, now_us)]
        for judge in JUDGES:
            judged = [case for case in among if colour(case, judge)]
            columns[measure.id, judge] = _column(judged, zone)
            wrong = (case.case for case in judged if counts(case, measure, judge))
            mistaken[measure.id, judge] = frozenset(wrong)
    places = shown(list(columns.values()), LEAST)
    return Figures(
        {case.case: case for case in cases},
        columns,
        dict(zip(columns, places, strict=True)),
        mistaken,
    )


def _column(cases: Sequence[Case], zone: tzinfo) -> Column:
    parts: dict[str, dict[str, set[str]]] = {dimension: {} for dimension in DIMENSIONS}
    for case in cases:
        for dimension in DIMENSIONS:
            parts[dimension].setdefault(place(case, dimension, zone), set()).add(case.case)
    frozen = {d: {key: frozenset(ids) for key, ids in keys.items()} for d, keys in parts.items()}
    return Column(frozenset(case.case for case in cases), frozen)


def tables(found: Figures, in_force: Sequence[Measure]) -> list[dict[str, Any]]:
    """A table for each measure: rows by dimension and key, a cell for each judge or None."""
    return [{**_about(measure), "rows": _rows(found, measure)} for measure in in_force]


def _about(measure: Measure) -> dict[str, Any]:
    return {
        "measure": measure.id,
        "kind": measure.kind,
        "within_h": measure.within_h,
        "source": measure.source,
        "site_setting_of": measure.set_at,
    }


def _rows(found: Figures, measure: Measure) -> list[dict[str, Any]]:
    wanted: list[Place] = [TOTAL]
    for dimension in DIMENSIONS:
        keys = {key for j in JUDGES for key in found.columns[measure.id, j].parts[dimension]}
        wanted += [(dimension, key) for key in sorted(keys, key=_in_order(dimension))]
    rows: list[dict[str, Any]] = [
        {
            "by": where[0],
            "key": where[1],
            "cells": {judge: found.cell(measure.id, judge, where) for judge in JUDGES},
        }
        for where in wanted
    ]
    return [row for row in rows if row["by"] == "all" or any(row["cells"].values())]


def _in_order(dimension: str) -> Callable[[str], Any]:
    if dimension == "hour":
        return int
    order = ["lt12y", "12to50y", "gt50y", "F", "M"]
    return lambda key: (order.index(key) if key in order else len(order), key)


def unknown(cases: Sequence[Case], in_force: Sequence[Measure], now_us: int) -> int | None:
    """How many decided cases have a course that is not known; None where they are too few to say.

    By the longest time that a measure looks at.
    """
    within = max((measure.within_h for measure in in_force), default=0)
    count = sum(not is_known(case, within, now_us) for case in cases)
    return count if count == 0 or count >= LEAST else None


def quarter_of(at_us: int, zone: tzinfo) -> str:
    """`2026-Q4`, by the house's own calendar."""
    day = to_datetime(at_us).astimezone(zone)
    return f"{day.year}-Q{(day.month + 2) // 3}"


def span_of(quarter: str, zone: tzinfo) -> tuple[int, int]:
    """From when until when a quarter lasts; MessageError where it is none.

    Quarters do not overlap: no two answers can be subtracted from each other.
    """
    year, _, part = quarter.partition("-Q")
    if not (len(year) == 4 and year.isdecimal() and part in ("1", "2", "3", "4")):
        raise MessageError("bad_quarter", "`quarter` is like 2026-Q4")
    begins, month = int(year), int(part) * 3 - 2
    if not 2000 <= begins < 2200:
        raise MessageError("bad_quarter", "`quarter` is like 2026-Q4")
    following = (begins + month // 10, 1 if month == 10 else month + 3)
    start, end = (
        from_datetime(datetime(y, m, 1, tzinfo=zone).astimezone(UTC))
        for y, m in ((begins, month), following)
    )
    return start, end


def quarters(now_us: int, zone: tzinfo) -> list[str]:
    """The present quarter and those before it that may be chosen."""
    found = [quarter_of(now_us, zone)]
    while len(found) < QUARTERS_BACK:
        start, _ = span_of(found[-1], zone)
        found.append(quarter_of(start - 1, zone))
    return found
