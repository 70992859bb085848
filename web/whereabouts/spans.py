"""In which beds one patient has lain since the stay began, from when to when. Pure.

The answer is that of the binding history (`hospital_ops/bindings.py`), bed by bed; and nobody lies
in two beds: where a bed was never told that its patient had left, its span ends as the next begins.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from hospital_ops import bindings
from hospital_ops.bindings import Binding

STILL: Final = 2**62  # microseconds: the patient has not left


class Span(NamedTuple):
    """From `from_at` to before `to_at` (microseconds UTC) the patient lay in `place`."""

    unit: str
    place: str
    from_at: int
    to_at: int
    is_case: bool = False  # before the hospital: the place is the pre-arrival case

    def within(self, start: int, end: int) -> tuple[int, int] | None:
        """What of a range lies in it; None: nothing."""
        first, past = max(start, self.from_at), min(end, self.to_at)
        return (first, past) if first < past else None


class Told(NamedTuple):
    """A row of the binding history: the unit, the bed, and what was told of it."""

    unit: str
    bed: str
    binding: Binding


def spans(told: Iterable[Told], patient_id: str) -> list[Span]:
    """The spans of the patient, oldest first; the last one is `STILL` where nobody said it ended.

    `told` is rising by time, of every bed in which the patient has lain.
    """
    by_bed: dict[tuple[str, str], list[Binding]] = defaultdict(list)
    for row in told:
        by_bed[row.unit, row.bed].append(row.binding)
    found = [
        Span(unit, bed, *ends)
        for (unit, bed), rows in by_bed.items()
        for ends in _of_bed(_needed(rows, patient_id), patient_id)
        if ends[0] < ends[1]  # a move that never was (A12) is none
    ]
    found.sort(key=lambda span: (span.from_at, span.to_at))
    cut = [span._replace(to_at=min(span.to_at, later.from_at)) for span, later in pairwise(found)]
    return [span for span in [*cut, *found[-1:]] if span.from_at < span.to_at]


def _of_bed(rows: Sequence[Binding], patient_id: str) -> Iterable[tuple[int, int]]:
    history: bindings.History = ()
    for row in rows:
        history = bindings.bound(history, row)
    begun = None
    for one in history:
        if one.patient_id == patient_id:
            begun = one.from_at if begun is None else begun
        elif begun is not None:
            yield begun, one.from_at
            begun = None
    if begun is not None:
        yield begun, STILL


def _needed(rows: Sequence[Binding], patient_id: str) -> Sequence[Binding]:
    """Up to what ended the patient's last time there: a history keeps only so many bindings."""
    came = [n for n, row in enumerate(rows) if row.patient_id == patient_id]
    if not came:
        return ()
    numbers = {number for n in came for number in (rows[n].mrn, *rows[n].known_as) if number}
    left = [n for n, row in enumerate(rows) if row.left in numbers]
    after = next((n for n in range(came[-1] + 1, len(rows)) if rows[n].patient_id), -1)
    return rows[: max(came[-1], *left, after) + 1]
