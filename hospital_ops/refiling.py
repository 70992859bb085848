"""What a late ADT files anew: from when to when a place was whose, other than it was thought. Pure.

Values are filed by the bindings that are known when they are stored. Each change of a history files
its span anew up to the moment it was told: the rule is the same, so in whatever order ADT and
values arrive, a value comes to the same patient in the end (SAFETY I10). What reaches further back
than `AUTOMATIC_US` is proposed to a person, and so is what an admission that never was (A11) would
leave with nobody: mostly it is registered again.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

from hospital_ops import bindings
from hospital_ops.bindings import FUTURE_US, REAL, Binding, History
from hospital_ops.clock import SECOND

AUTOMATIC_US: Final = 48 * 3600 * SECOND  # as far as a person files at once (`icu/filing`)
NOBODYS_US: Final = 600 * SECOND  # what a cancelled admission takes off a patient without asking


class Refiled(NamedTuple):
    """From `from_at` to before `to_at` (microseconds UTC) a place was this patient's."""

    from_at: int
    to_at: int
    patient_id: str  # empty: nobody's
    numbers: tuple[str, ...]
    mode: str
    was: tuple[str, ...]  # who was taken to lie there


def changed(before: History, after: History, told_at: int) -> list[Refiled]:
    """The spans in which somebody else lies by the second history, up to just after it was told."""
    end = told_at + FUTURE_US
    edges = sorted({one.from_at for one in (*before, *after) if one.from_at < end} | {end})
    found: list[Refiled] = []
    for first, last in pairwise(edges):
        old, new = (bindings.at(each, first) or Binding(first) for each in (before, after))
        if _who(old) == _who(new):
            continue
        numbers = tuple(filter(None, (new.mrn, *new.known_as))) if new.patient_id else ()
        span = Refiled(first, last, new.patient_id, numbers, new.mode, (old.patient_id,))
        if found and found[-1].to_at == first and found[-1][2:5] == span[2:5]:
            was = tuple(dict.fromkeys((*found[-1].was, *span.was)))
            span = span._replace(from_at=found.pop().from_at, was=was)
        found.append(span)
    return found


def is_proposed(span: Refiled, told_at: int, trigger: str) -> bool:
    """Whether a person decides: it reaches too far back, or leaves with nobody what was somebody's
    whom the event puts nowhere else."""
    cancelled = trigger == "A11" and not span.patient_id
    return span.from_at < told_at - (NOBODYS_US if cancelled else AUTOMATIC_US)


def whose(
    refiled: Iterable[Refiled], at: int, stored: str, named: str, mode: str, *, elsewhere: bool
) -> str:
    """Whose a stored value is; `refiled` in the order told, those in force. As the views do."""
    holds = None
    for one in refiled:
        if one.from_at <= at < one.to_at:
            holds = one
    if holds is None or holds.patient_id == stored:
        return stored
    named_other = bool(named) and named not in holds.numbers
    if elsewhere or named_other or (holds.mode == REAL and mode != REAL):
        return ""
    return holds.patient_id


def hours(span: Refiled) -> range:
    """The beginnings of the UTC hours that the span touches."""
    hour = 3600 * SECOND
    return range(span.from_at // hour * hour, span.to_at, hour)


def _who(one: Binding) -> tuple[str, tuple[str, ...], str]:
    if not one.patient_id:
        return "", (), ""
    return one.patient_id, tuple(sorted((one.mrn, *one.known_as))), one.mode
