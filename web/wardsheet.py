"""The ward sheet: every quarter of an hour a page for paper on disk, for when everything fails.

It is made from the boards in memory, so it comes while PostgreSQL is away too (without orders, and
it says so). Names stand on it: the folder is the account's own (0700), each file 0600.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Final

from hospital_ops import log
from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import to_datetime
from hospital_ops.database import DatabaseGone
from icu.handover import store
from streams.shard import hospital_of
from web.boards import IcuBoard
from web.language import LANGUAGES
from web.state import Web
from web.views import handover as views
from web.views.values import clock

EVERY_S: Final = 900.0
FIRST_S: Final = 20.0  # boards have their values by then
KEPT: Final = 96  # a day of sheets for each unit
FOLDER: Final = "ward-sheets"
STYLE: Final = Path(__file__).parent / "static" / "css" / "paper.css"
logger = log.get("sheets")


async def run(web: Web, folder: Path) -> None:
    """Writes the sheets of all intensive care units again and again, until cancelled."""
    await asyncio.sleep(FIRST_S)
    while True:
        for unit, feed in list(web.feeds.items()):
            if isinstance(feed, IcuBoard) and feed.ready.is_set():
                try:
                    for language in LANGUAGES:
                        text = await render(web, feed, language, "paper.css", _reader(web, unit))
                        at = web.clock.now_us()
                        await asyncio.to_thread(_write, folder, unit, at, text, language)
                except OSError as error:
                    logger.error("sheet_not_written", unit=unit, error=type(error).__name__)
        await asyncio.sleep(EVERY_S)


async def render(web: Web, feed: IcuBoard, language: str, css: str, principal: Principal) -> str:
    """The sheet of a unit as it is now."""
    now = web.clock.now_us()
    frame = web.renderer.frame(language, now)
    try:
        orders, away = await store.open_orders(web.database, principal, feed.unit.unit), False
    except DatabaseGone:
        orders, away = {}, True
    local = to_datetime(now).astimezone(frame.zone)
    return web.renderer.fill(
        "wardsheet.html",
        w=frame.words,
        unit=feed.unit.name,
        css=css,
        demo=web.demo,
        made=f"{local:%d.%m.%Y} {clock(now, frame.zone)}",
        away=away,
        beds=views.sheet(feed.whole(feed.cells), orders, frame),
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
    end = ".html" if language == LANGUAGES[0] else f"-{language}.html"
    for name in (f"{to_datetime(now_us):%Y%m%dT%H%MZ}{end}", f"latest{end}"):
        part = place / f".{name}"
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        part.replace(place / name)
    old = sorted(place.glob(f"2*Z{end}"))[:-KEPT]
    for path in old:
        path.unlink(missing_ok=True)
