"""The stored curves of a stay, in whichever bed of it they were recorded."""

from __future__ import annotations

from typing import Final, NamedTuple
from uuid import UUID

from hospital_ops.access import Scope
from hospital_ops.clock import to_datetime
from hospital_ops.curves.blocks import Curve, Piece
from hospital_ops.curves.export import gathered
from hospital_ops.database import Database
from icu.refilings import store as refilings
from web.trends.steps import Lying
from web.whereabouts import store as whereabouts

NOBODY: Final = UUID(int=0)


class Ranged(NamedTuple):
    """A part of a range: the bed in which the patient lay, and where to look."""

    bed: str
    first: int  # microseconds; pieces that begin from here on
    past: int
    begun: int  # of the span
    theirs: bool  # an earlier bed: only pieces that are the patient's by what was told since


async def of_stay(
    database: Database, scope: Scope, bed: str, start_us: int, end_us: int
) -> tuple[Lying, Scope, list[Ranged]]:
    """Who lies there, the scope to read the stay in, and the beds of the range, oldest first."""
    here, wide = await whereabouts.stay(database, scope, bed)
    beds = here.beds(bed)
    parts = [
        Ranged(span.place, *ends, span.from_at, span is not beds[-1])
        for span in beds
        if (ends := span.within(start_us, end_us)) is not None
    ]
    return here, wide, parts


async def pieces(
    database: Database, scope: Scope, bed: str, start_us: int, end_us: int
) -> tuple[Lying, list[tuple[Curve, Piece]]]:
    """The stored pieces of a range of the stay, of nobody else's and of one kind (SAFETY I18)."""
    here, wide, parts = await of_stay(database, scope, bed, start_us, end_us)
    found: list[tuple[Curve, Piece]] = []
    for part in parts:
        stored = await gathered(database, wide, part.bed, part.first, part.past)
        own = [each for each in stored if each[1].started_at >= part.begun]
        if part.theirs:
            own = await _theirs(database, wide, here, part, own)
        found += own
    return here, list(here.own(found, lambda each: each[0].mode))


async def _theirs(
    database: Database,
    wide: Scope,
    here: Lying,
    part: Ranged,
    stored: list[tuple[Curve, Piece]],
) -> list[tuple[Curve, Piece]]:
    ends = to_datetime(part.begun), to_datetime(part.past)
    async with database.transaction(wide) as connection:
        holding = await refilings.of_curves(connection, part.bed, *ends)
    found = []
    for curve, piece in stored:
        at, stored_as = to_datetime(piece.started_at), UUID(str(curve.patient_id or NOBODY))
        if refilings.curve_is(holding, stored_as, curve.device, at, curve.mode) == here.patient_id:
            found.append((curve, piece))
    return found
