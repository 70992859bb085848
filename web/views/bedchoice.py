"""The beds that a case may be admitted to, as their wards call them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from icu.store import Choice
from web.words import Words


class Offered(NamedTuple):
    """A line of the choice: the bed's own name and how it stands."""

    bed: str
    said: str
    may: bool  # else it is shown, and cannot be chosen


class Ward(NamedTuple):
    """A unit with its empty beds: those that are ready first."""

    name: str
    beds: tuple[Offered, ...]


def wards_of(empty: Sequence[Choice], words: Words) -> tuple[Ward, ...]:
    """The units that have a bed to give; free beds stand before reserved ones."""
    wards = []
    for _, beds in groupby(empty, key=lambda one: one.unit):
        rows = sorted(beds, key=lambda one: ORDER.index(one.state))
        if any(one.may_be_given for one in rows):
            offered = tuple(Offered(one.bed, _said(one, words), one.may_be_given) for one in rows)
            wards.append(Ward(rows[0].unit_name, offered))
    return tuple(wards)


ORDER = ("free", "reserved", "cleaning")


def _said(one: Choice, words: Words) -> str:
    """`Bed 4, reserved: from theatre`."""
    state = words.t(f"bedmap.{one.state}")
    said = words.t("case.bed_line", bed=words.t("bed.title", bed=one.label), state=state)
    return f"{said}: {one.words}" if one.words else said
