"""The page of a past second: a board or bed as it could be seen then, marked as past. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from hospital_ops.clock import SECOND, to_datetime
from web.boards import Feed, IcuBoard
from web.render import Renderer
from web.views.edboard import ed_parts
from web.views.page import Page
from web.views.values import clock

SPEEDS: Final = (1, 2, 5, 10, 30, 60)
SPAN_S: Final = 4 * 3600  # what the slider reaches over


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks at: a unit's board or one bed, at a moment, from a present."""

    unit: str
    kind: str
    name: str
    bed: str
    at_us: int
    now_us: int


def fragment(renderer: Renderer, language: str, wanted: Wanted, board: Feed | None) -> str:
    """The band that says when, and below it what stood there; `board` None: nothing is kept."""
    return renderer.fill("_past.html", **parts(renderer, language, wanted, board))


def page(
    renderer: Renderer,
    language: str,
    wanted: Wanted,
    board: Feed | None,
    *,
    user: str,
    demo: bool,
    units: Iterable[Mapping[str, str]],
) -> str:
    """The whole page, with its slider and clock."""
    filled = parts(renderer, language, wanted, board)
    words = filled.pop("w")
    title = words.t("past.bed", bed=filled["label"]) if wanted.bed else wanted.name
    made = Page(
        words=words,
        title=f"{words.t('past.title')}: {title}",
        user=user,
        demo=demo,
        unit=wanted.unit,
        unit_name=wanted.name,
        units=tuple(units),
        zone=str(renderer.frame(language, 0).zone),
    )
    until = max(wanted.at_us, min(wanted.now_us, wanted.at_us + SPAN_S * SECOND // 2))
    return renderer.fill(
        "past.html",
        page=made,
        speeds=SPEEDS,
        first=until // SECOND - SPAN_S,
        last=until // SECOND,
        **filled,
    )


def parts(renderer: Renderer, language: str, wanted: Wanted, board: Feed | None) -> dict[str, Any]:
    frame = renderer.frame(language, wanted.at_us)
    shown: dict[str, Any] = {}
    label = wanted.bed
    if isinstance(board, IcuBoard):
        beds = {cell.bed: cell for cell in board.whole(board.cells)}
        if wanted.bed:
            beds = {name: cell for name, cell in beds.items() if name == wanted.bed}
            label = next((cell.label for cell in beds.values()), wanted.bed)
        shown = renderer.icu_parts(frame, beds, board.head)
    elif board is not None:
        shown = ed_parts(frame, board.cells.values(), board.head, ())
    local = to_datetime(wanted.at_us).astimezone(frame.zone)
    return {
        "w": frame.words,
        "wanted": wanted,
        "label": label,
        "known": board is not None,
        "at_s": wanted.at_us // SECOND,
        "date": f"{local:%d.%m.%Y}",
        "clock": clock(wanted.at_us, frame.zone, seconds=True),
        "ago": frame.words.ago((wanted.now_us - wanted.at_us) / SECOND),
        "iso": f"{datetime.fromtimestamp(wanted.at_us / SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "rev": board.rev if board else 0,
        "past_query": f"?at={local:%Y-%m-%dT%H:%M:%S}",
    } | shown
