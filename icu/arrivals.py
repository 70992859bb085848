"""Who is expected in the unit: transfers that were accepted, until they arrive. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hospital_ops import wire
from hospital_ops.board import HEAD
from hospital_ops.board_coming import ComingCell
from icu import admissions, kin
from icu.state import UnitState

EXPECTED: Final = ("accepted", "left")
ABOUT_PEOPLE: Final = (wire.Merged, wire.CareAgreed, wire.Flagged, wire.Coming, wire.Kin)
AboutPeople = wire.Merged | wire.CareAgreed | wire.Flagged | wire.Coming | wire.Kin
KEPT: Final = 100  # more than a unit could take; the oldest is forgotten first


def told(unit: UnitState, entry: AboutPeople) -> Iterable[str]:
    """What is told of people: numbers that are one person's, agreements, flags, who is expected."""
    if isinstance(entry, wire.Merged):
        return admissions.merge(unit, entry)
    if isinstance(entry, wire.CareAgreed):
        return admissions.agreed(unit, entry)
    if isinstance(entry, wire.Flagged):
        return admissions.flagged(unit, entry)
    if isinstance(entry, wire.Kin):
        return kin.take(unit, entry)
    return take(unit, entry)


def take(unit: UnitState, entry: wire.Coming) -> list[str]:
    """A transfer as it stands now; answers which cells that changes.

    One that is over stays known, so that a repeat does nothing.
    """
    known = unit.coming.get(entry.transfer)
    if known is not None and entry.version <= known.version:
        return []
    unit.coming[entry.transfer] = entry
    for old in list(unit.coming)[: max(0, len(unit.coming) - KEPT)]:
        del unit.coming[old]
    return [HEAD]


def shown(unit: UnitState) -> tuple[ComingCell, ...]:
    """Who is expected, by the time of arrival; those without one last."""
    expected = [one for one in unit.coming.values() if one.state in EXPECTED]
    return tuple(
        ComingCell(one.transfer, one.state, one.words, one.bed, one.eta, one.mode)
        for one in sorted(expected, key=lambda one: (one.eta == 0, one.eta, one.transfer))
    )
