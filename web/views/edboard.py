"""The emergency board as a whole: who comes, who is here by zone, who calls, what is counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

from hospital_ops.board import CaseCell, Head
from hospital_ops.case_steps import OFF_THE_BOARD
from hospital_ops.clock import from_datetime, to_datetime
from web.views.call import call_view
from web.views.case import CaseView, arrivals, case_view, present
from web.views.edcard import WAITING
from web.views.values import Frame

ZONES: Final = ("resuscitation", "treatment", WAITING)
SHIFTS_H: Final = (8, 20)  # local hours at which a shift begins


class Room(Protocol):
    """A place of the department (streams.projections.Room)."""

    @property
    def place(self) -> str: ...
    @property
    def zone(self) -> str: ...
    @property
    def label(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneView:
    """A zone with its occupancy; `views` are its rows."""

    zone: str
    places: int  # 0: it has none, as the waiting area
    taken: int
    held: int
    free: tuple[str, ...]
    views: tuple[CaseView, ...]

    @property
    def told(self) -> tuple[object, ...]:
        """A change of it sends the table again."""
        cases = tuple(view.id for view in self.views)
        return (self.zone, self.places, self.taken, self.held, self.free, cases)


def ed_parts(
    frame: Frame, cases: Iterable[CaseCell], head: Head | None, rooms: Sequence[Room]
) -> dict[str, Any]:
    """What the templates of the emergency board are filled with."""
    cells = {cell.case: cell for cell in cases if cell.step not in OFF_THE_BOARD}
    views = [case_view(cell, frame) for cell in cells.values()]
    coming = arrivals(views)
    zones = _zones(present(views), coming, rooms)
    here = [view for zone in zones for view in zone.views]
    reds = sum(1 for view in views if view.counts_as == "red")
    return {
        "coming": coming,
        "here": here,
        "zones": zones,
        "net": sorted((view for view in here if view.more.untaken), key=lambda v: v.more.arrived),
        "call": call_view(cells, coming + here, frame),
        "totals": _totals((len(coming), len(here), reds), head, frame),
        "probe": head.probe_at if head else 0,
        "now_us": frame.now_us,
    }


def _zones(
    here: Sequence[CaseView], coming: Sequence[CaseView], rooms: Sequence[Room]
) -> list[ZoneView]:
    found = []
    for zone in ZONES:
        places = [room for room in rooms if room.zone == zone]
        views = tuple(view for view in here if view.more.zone == zone)
        held = {view.more.place for view in coming if view.more.zone == zone}
        taken = {view.more.place for view in views}
        free = tuple(room.label for room in places if room.label not in held | taken)
        if places or views:
            found.append(
                ZoneView(
                    zone=zone,
                    places=len(places),
                    taken=len(views),
                    held=len(held),
                    free=free,
                    views=views,
                )
            )
    return found


def _totals(
    counts: tuple[int, int, int], head: Head | None, frame: Frame
) -> tuple[tuple[str, str], ...]:
    """Coming, here and red; the calls of this shift and the share that was used."""
    named = zip(("ed.coming", "ed.here", "ed.red"), map(str, counts), strict=True)
    since = shift_began(frame)
    calls = [used for at, used in (head.calls if head else ()) if at >= since]
    said = str(len(calls))
    if calls:
        said = frame.words.t("ed.calls_used", n=len(calls), share=100 * sum(calls) // len(calls))
    return (*named, ("ed.calls", said))


def shift_began(frame: Frame) -> int:
    """When the present shift began, microseconds since 1970."""
    local = to_datetime(frame.now_us).astimezone(frame.zone)
    hour = max((h for h in SHIFTS_H if h <= local.hour), default=None)
    day = local if hour is not None else local - timedelta(days=1)
    began = day.replace(hour=hour if hour is not None else SHIFTS_H[-1], minute=0, second=0)
    return from_datetime(began.replace(microsecond=0))
