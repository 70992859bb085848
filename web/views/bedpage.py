"""The page of one bed: its tile written large, and places for its curves. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from hospital_ops.board import BedCell, Head
from web.render import Renderer
from web.views import flags
from web.views.alarmqueue import queue_view
from web.views.alarms import house_of
from web.views.bed import tile_view
from web.views.curves import lanes
from web.views.page import Page
from web.views.values import clock

SPEEDS: Final = ("12.5", "25", "50")  # mm/s


def render(
    renderer: Renderer,
    language: str,
    *,
    cell: BedCell,
    beds: Mapping[str, BedCell],
    head: Head | None,
    unit: str,
    rev: int,
    now_us: int,
    mode: str,
    theme: str,
    user: str,
    demo: bool,
    units: Iterable[Mapping[str, str]],
) -> str:
    """The page of `cell`'s bed with its values; the board's socket keeps it up to date."""
    frame = renderer.frame(language, now_us)
    words = frame.words
    page = Page(
        words=words,
        title=words.t("bed.title", bed=cell.label),
        mode=mode,
        theme=theme,
        user=user,
        demo=demo,
        unit=unit,
        units=tuple(units),
        rev=rev,
        now_us=now_us,
        clock=clock(now_us, frame.zone, seconds=True),
        zone=str(frame.zone),
        socket=f"/ws/v1/boards/{unit}?format=html&lang={words.language}",
    )
    return renderer.fill(
        "bed.html",
        page=page,
        tile=tile_view(cell, frame),
        held=flags.held(cell, words),
        patient_id=cell.patient.patient_id if cell.patient else "",
        lanes=lanes(words),
        speeds=SPEEDS,
        queue=queue_view(beds, words),
        counts=(sum(1 for each in beds.values() if each.patient or each.values), len(beds)),
        probe=head.probe_at if head else 0,
        house=house_of(head),
        now_us=now_us,
    )
