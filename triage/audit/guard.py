"""Which numbers may be shown: none of fewer than `least` cases, not even as a difference. Pure.

A column is a population (of a measure and a judge) with its parts in each dimension. Whoever sees
a total and some of its parts knows the rest; whoever sees a column and a larger one that holds it
knows what lies between. Both have to be empty or large enough, so further parts are hidden until
they are (complementary suppression).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Ids = frozenset[str]
TOTAL: Final = ("all", "")
Place = tuple[str, str]  # (dimension, key)


@dataclass(frozen=True, slots=True)
class Column:
    """A population: `parts[dimension][key]` are disjoint and make up `whole`."""

    whole: Ids
    parts: Mapping[str, Mapping[str, Ids]]


def shown(columns: Sequence[Column], least: int) -> list[set[Place]]:
    """For each column the places whose number may be shown."""
    order = sorted(range(len(columns)), key=lambda n: -len(columns[n].whole))
    found: dict[int, set[Place]] = {}
    for n in order:
        column = columns[n]
        wider = [
            (columns[m], found[m]) for m in found if found[m] and column.whole <= columns[m].whole
        ]
        found[n] = _of_column(column, wider, least)
    return [found[n] for n in range(len(columns))]


def _of_column(
    column: Column, wider: Sequence[tuple[Column, set[Place]]], least: int
) -> set[Place]:
    between = [other.whole - column.whole for other, _ in wider]
    if len(column.whole) < least or any(0 < len(ids) < least for ids in between):
        return set()
    places = {TOTAL}
    for dimension, parts in column.parts.items():
        places |= {(dimension, key) for key in _of_dimension(dimension, parts, wider, least)}
    return places


def _of_dimension(
    dimension: str,
    parts: Mapping[str, Ids],
    wider: Sequence[tuple[Column, set[Place]]],
    least: int,
) -> set[str]:
    """The keys that may be shown; hides the smallest of the others until the hidden are enough."""
    rest = [
        {key: others.get(key, frozenset()) - ids for key, ids in parts.items()}
        for other, _ in wider
        for others in (other.parts[dimension],)
    ]
    families = [parts, *rest]
    used = {key for key, ids in parts.items() if ids}
    hidden = {
        key
        for key in used
        if any(0 < len(family[key]) < least for family in families)
        or any((dimension, key) not in places for _, places in wider)
    }
    while hidden and any(0 < _size(family, hidden) < least for family in families):
        left = used - hidden
        if not left:
            break
        hidden.add(min(left, key=lambda key: (len(parts[key]), key)))
    return used - hidden


def _size(family: Mapping[str, Ids], keys: Collection[str]) -> int:
    return sum(len(family[key]) for key in keys)
