"""The beds of a stay as a page names them: where the patient lay, from when to when. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from hospital_ops.clock import iso
from streams.projections import Places
from web.whereabouts.spans import STILL, Span
from web.words import Words

CASE_ID: Final = 36  # characters of a uuid


def name(places: Places, span: Span, unit: str, words: Words) -> str:
    """A bed as its unit calls it, with the unit where it is another one's."""
    if span.is_case:
        return words.t("lain.street")
    known = places.beds.get(span.place)
    label = words.t("bed.title", bed=known.label if known else span.place)
    there = places.units.get(span.unit)
    return label if span.unit == unit else f"{there.name if there else span.unit}, {label}"


def called(places: Places, place: str, words: Words) -> str:
    """A place of the archive in words: the bed with its unit, or the time before the hospital."""
    known = places.beds.get(place)
    if known is None:
        return words.t("lain.street") if len(place) == CASE_ID else place
    unit = places.units.get(known.unit)
    return f"{words.t('patients.bed', bed=known.label)}, {unit.name if unit else known.unit}"


def listed(places: Places, spans: Sequence[Span], unit: str, words: Words) -> list[dict[str, Any]]:
    """The spans as the page of trends draws them."""
    return [
        {
            "place": span.place,
            "name": name(places, span, unit, words),
            "from": iso(span.from_at),
            "to": None if span.to_at == STILL else iso(span.to_at),
        }
        for span in spans
    ]


def moves(
    places: Places, spans: Sequence[Span], unit: str, words: Words, start: int, end: int
) -> list[dict[str, Any]]:
    """The moves within a range as events on the axis."""
    return [
        {
            "at": iso(after.from_at),
            "kind": "move",
            "text": f"{name(places, left, unit, words)} → {name(places, after, unit, words)}",
            "tone": "",
            "act": "",
        }
        for left, after in pairwise(spans)
        if start <= after.from_at < end
    ]


def by_hour(
    spans: Sequence[Span], names: Mapping[Span, str], hours: Sequence[tuple[int, int]]
) -> list[str]:
    """What stands above each hour: the bed where it begins or changes; empty where it goes on."""
    shown: list[str] = []
    before: Span | None = None
    for start, end in hours:
        here = [span for span in spans if span.within(start, end)]
        new = [span for span in here if span is not before]
        shown.append(" → ".join(names[span] for span in new))
        before = here[-1] if here else before
    return shown
