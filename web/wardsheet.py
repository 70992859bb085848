"""The ward sheet: every quarter of an hour a page for paper on disk, for when everything fails.

It is made from the boards in memory, so it comes while PostgreSQL is away too (without what only
the record has, and it says so). Names stand on it: the folder is the account's own (0700), each
file 0600.

The units take turns, spread over the quarter: boards of a large house do not wait for its sheets.
"""

from __future__ import annotations

import asyncio
import math
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from hospital_ops import log
from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import SECOND, to_datetime
from hospital_ops.database import DatabaseGone
from icu.paper import store
from icu.paper.forms import Paper
from streams.shard import hospital_of
from web.boards import IcuBoard
from web.language import LANGUAGES
from web.state import Web
from web.views import wardsheet as views
from web.views.values import clock

EVERY_S: Final = 840.0  # none is older than a quarter of an hour, a minute for those before it
FIRST_S: Final = 20.0  # boards have their values by then
STEP_S: Final = 5.0  # between two units that have no sheet, or an old one
KEPT: Final = 103  # a day of sheets for each unit
FOLDER: Final = "ward-sheets"
STYLE: Final = Path(__file__).parent / "static" / "css" / "paper.css"
logger = log.get("sheets")


class Turns:
    """Whose sheet is made next: always that of one unit, the one whose sheet is oldest."""

    def __init__(self) -> None:
        self._made: dict[str, float] = {}  # by the monotonic clock
        self._last = -math.inf

    def has_one(self, unit: str, now_s: float, age_s: float) -> None:
        """A sheet from before the start, seconds old; an old one, or one of the future, is none."""
        if 0 <= age_s < EVERY_S:
            self._made[unit] = now_s - age_s

    def next(self, units: Iterable[str], now_s: float) -> str | None:
        """The unit whose turn it is: it has none or an old one, or its share of the time is over.

        It counts as made, so that a disk that takes nothing is not asked without end.
        """
        made = {unit: self._made.get(unit, -math.inf) for unit in units}
        if not made:
            return None
        oldest = min(made, key=lambda unit: made[unit])
        share_s = EVERY_S / len(made) - STEP_S
        if now_s - made[oldest] < EVERY_S and now_s - self._last < share_s:
            return None
        self._made[oldest] = self._last = now_s
        return oldest


async def run(web: Web, folder: Path) -> None:
    """Writes the sheets of all intensive care units again and again, until cancelled."""
    turns, known = Turns(), set[str]()
    await asyncio.sleep(FIRST_S)
    while True:
        feeds = {
            unit: feed
            for unit, feed in web.feeds.items()
            if isinstance(feed, IcuBoard) and feed.ready.is_set()
        }
        now_s = web.clock.monotonic_s()
        for unit in feeds.keys() - known:
            turns.has_one(unit, now_s, _age_s(folder, unit, web.clock.now_us()))
            known.add(unit)
        turn = turns.next(feeds, now_s)
        if turn is not None:
            await _make(web, folder, feeds[turn])
        await asyncio.sleep(STEP_S)


async def _make(web: Web, folder: Path, feed: IcuBoard) -> None:
    unit = feed.unit.unit
    try:
        for language in LANGUAGES:
            text = await render(web, feed, language, "paper.css", _reader(web, unit))
            await asyncio.to_thread(_write, folder, unit, web.clock.now_us(), text, language)
    except OSError as error:
        logger.error("sheet_not_written", unit=unit, error=type(error).__name__)


def _age_s(folder: Path, unit: str, now_us: int) -> float:
    """How old the sheets are that lie on the disk; without end where one is missing."""
    try:
        written = min(_latest(folder, unit, each).stat().st_mtime for each in LANGUAGES)
    except OSError:
        return math.inf
    return now_us / SECOND - written


async def render(web: Web, feed: IcuBoard, language: str, css: str, principal: Principal) -> str:
    """The sheet of a unit as it is now."""
    now = web.clock.now_us()
    frame = web.renderer.frame(language, now)
    beds = feed.whole(feed.cells)
    paper: Paper | None = None
    try:
        patients = views.patients_of(beds)
        paper = await store.of_unit(web.database, principal, feed.unit.unit, patients)
    except DatabaseGone:
        pass  # the sheet says so
    local = to_datetime(now).astimezone(frame.zone)
    return web.renderer.fill(
        "wardsheet.html",
        w=frame.words,
        unit=feed.unit.name,
        css=css,
        demo=web.demo,
        made=f"{local:%d.%m.%Y} {clock(now, frame.zone)}",
        away=paper is None,
        beds=views.sheet(beds, paper, frame),
        elsewhere=views.elsewhere(paper, frame),
    )


def _reader(web: Web, unit: str) -> Principal:
    """Who reads the open orders of a unit for its sheet."""
    return Principal(
        actor="ward-sheet", role=Role.NURSE, hospital=hospital_of(unit), units=ALL_UNITS, key="",
        mode=web.mode,
    )  # fmt: skip


def _write(folder: Path, unit: str, now_us: int, text: str, language: str) -> None:
    """Whole or not at all: a cut sheet would be worse than the one before."""
    place = folder / FOLDER / unit
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(folder / FOLDER, 0o700)
    shutil.copyfile(STYLE, place / "paper.css")
    end = _end(language)
    for name in (f"{to_datetime(now_us):%Y%m%dT%H%MZ}{end}", f"latest{end}"):
        part = place / f".{name}"
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        part.replace(place / name)
    old = sorted(place.glob(f"2*Z{end}"))[:-KEPT]
    for path in old:
        path.unlink(missing_ok=True)


def _latest(folder: Path, unit: str, language: str) -> Path:
    return folder / FOLDER / unit / f"latest{_end(language)}"


def _end(language: str) -> str:
    return ".html" if language == LANGUAGES[0] else f"-{language}.html"
