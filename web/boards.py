"""The two boards: beds of an intensive care unit, cases of an emergency department."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hospital_ops.board import (
    INDICATORS,
    BedCell,
    CaseCell,
    bed_json,
    case_json,
    decode_bed,
    decode_case,
    waits_for_board,
    with_indicators,
)
from hospital_ops.clock import Clock
from streams.projections import Bed, Places, Unit
from web.feed import About, BoardFeed, Change
from web.render import Renderer


class IcuBoard(BoardFeed[BedCell]):
    """All registered beds in the order of the wall; those never heard of are empty."""

    plural = "beds"

    def __init__(
        self, url: str, unit: Unit, places: Places, renderer: Renderer, clock: Clock
    ) -> None:
        super().__init__(url, unit, places, renderer, clock)
        self.figures: dict[str, BedCell] = {}  # the indicators of each bed
        self._order: tuple[dict[str, Bed], int, list[Bed]] = {}, 0, []  # see `order`

    def decoded(
        self, cells: Mapping[str, bytes], known: Mapping[str, BedCell]
    ) -> dict[str, BedCell]:
        """The beds that changed; the indicators of each come in a cell of their own."""
        new = {name: decode_bed(cell) for name, cell in cells.items()}
        if not known:
            self.figures.clear()
        figures = {n.removesuffix(INDICATORS): new.pop(n) for n in cells if n.endswith(INDICATORS)}
        self.figures.update(figures)
        for bed in figures:
            if bed not in new and bed in known:
                new[bed] = known[bed]
        return {bed: with_indicators(cell, self.figures.get(bed)) for bed, cell in new.items()}

    def view(self, cell: BedCell, now: int) -> dict[str, Any]:
        """The public form of a bed at this moment."""
        return bed_json(cell, now)

    def whole(self, cells: Mapping[str, BedCell]) -> list[BedCell]:
        """The beds in their order."""
        return [
            cells.get(place.bed) or self._empty(place.bed, place.label) for place in self.order()
        ]

    def order(self) -> list[Bed]:
        """The places of the wall; looked for among the house's only when those are read anew."""
        beds, (known, count, order) = self.places.beds, self._order
        if known is not beds or count != len(beds):
            order = self.places.beds_of(self.unit.unit)
            self._order = beds, len(beds), order
        return order

    def note_reds(self, before: Mapping[str, BedCell | None], after: Mapping[str, BedCell]) -> None:
        """Reds that ring and that no board has confirmed wait for one, from this revision on."""
        for bed, cell in after.items():
            waiting = {a.id for a in cell.alarms if waits_for_board(a)}
            was = before.get(bed)
            for alarm in was.alarms if was else ():
                if alarm.id not in waiting:
                    self.unpainted.pop(alarm.id, None)
            for alarm_id in waiting:
                self.unpainted.setdefault(alarm_id, self.rev)

    def _empty(self, bed: str, label: str) -> BedCell:
        return BedCell(bed=bed, label=label, patient=None, values={})

    def html(self, change: Change[BedCell], language: str) -> str:
        """The frame of one change."""
        beds = {bed.bed: bed for bed in self.whole(change.cells)}
        after = {name: cell for name, cell in change.after.items() if name in beds}
        before: dict[str, BedCell | None] = {
            name: change.before.get(name) or self._empty(name, cell.label)
            for name, cell in after.items()
        }
        return self.renderer.icu_frame(
            language,
            before,
            after,
            (),
            change.head,
            change.rev,
            self.clock.now_us(),
            beds=beds,
            was=change.head_before,
        )

    def html_snapshot(self, language: str) -> str:
        """The whole board as one frame."""
        return self.renderer.icu_snapshot(
            language,
            beds=self.whole(self.cells),
            head=self.head,
            rev=self.rev,
            now_us=self.clock.now_us(),
        )

    def page(self, language: str, about: About) -> str:
        """The wall, for a browser."""
        return self.renderer.icu_page(
            language,
            unit=self.unit.unit,
            unit_name=self.unit.name,
            beds=self.whole(self.cells),
            head=self.head,
            rev=self.rev,
            now_us=self.clock.now_us(),
            **about,
        )


class EdBoard(BoardFeed[CaseCell]):
    """The cases of an emergency department, most urgent first."""

    plural = "cases"

    def decoded(
        self, cells: Mapping[str, bytes], known: Mapping[str, CaseCell]
    ) -> dict[str, CaseCell]:
        """The cases that changed."""
        return {name: decode_case(cell) for name, cell in cells.items()}

    def view(self, cell: CaseCell, now: int) -> dict[str, Any]:
        """The public form of a case at this moment."""
        return case_json(cell, now)

    def whole(self, cells: Mapping[str, CaseCell]) -> list[CaseCell]:
        """The cases by urgency."""
        return sorted(cells.values(), key=lambda case: -float(case.triage.get("urgency", 0)))

    def html(self, change: Change[CaseCell], language: str) -> str:
        """The frame of one change."""
        return self.renderer.ed_frame(
            language,
            change.before,
            change.after,
            change.removed,
            change.head,
            change.rev,
            self.clock.now_us(),
            cases=change.cells,
            rooms=self.places.rooms_of(self.unit.unit),
            was=change.head_before,
        )

    def html_snapshot(self, language: str) -> str:
        """The whole board as one frame."""
        return self.renderer.ed_snapshot(
            language,
            cases=self.whole(self.cells),
            head=self.head,
            rev=self.rev,
            now_us=self.clock.now_us(),
            rooms=self.places.rooms_of(self.unit.unit),
        )

    def page(self, language: str, about: About) -> str:
        """The emergency board, for a browser."""
        return self.renderer.ed_page(
            language,
            unit=self.unit.unit,
            unit_name=self.unit.name,
            cases=self.whole(self.cells),
            head=self.head,
            rev=self.rev,
            now_us=self.clock.now_us(),
            rooms=self.places.rooms_of(self.unit.unit),
            **about,
        )


Feed = IcuBoard | EdBoard
MAKE: dict[str, Callable[[str, Unit, Places, Renderer, Clock], Feed]] = {
    "icu": IcuBoard,
    "ed": EdBoard,
}
