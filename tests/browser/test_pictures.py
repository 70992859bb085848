"""Pictures of the running demonstration for the documents, only where they are asked for.

`HOSPITAL_OPS_PICTURES=1 python3 dev.py test tests/browser/test_pictures.py` writes docs/pictures/;
every other run sees the boards fill with four beds and writes nothing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, expect

from hospital_ops.clock import SECOND, iso, to_datetime
from tests.browser.crew_tablet import new_case, paired, value
from tests.browser.ward import ROOT, Ward, now_us, running, stopped, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
WANTED: Final = os.environ.get("HOSPITAL_OPS_PICTURES") == "1"
FOLDER: Final = ROOT / "docs" / "pictures"
LARGEST: Final = 600_000
WALL: Final = {"width": 1920, "height": 1080}
SMALL_WALL: Final = {"width": 1440, "height": 810}  # the same layout, a file of half the size
SHEET: Final = {"width": 1440, "height": 1000}  # what is longer than a screen
TABLET: Final = {"width": 1024, "height": 768}
PHONE: Final = {"width": 412, "height": 915}
BEDS: Final = 12 if WANTED else 4
BED: Final = "h1-icu-1-03"  # on a ventilator and a pressor, with orders


async def full(ward: Ward) -> Any:
    """The most urgent case once all beds have values and three ambulances are on their way."""
    icu = await ward.json("icu.h1", "/api/v1/boards/h1-icu-1")
    ed = await ward.json("ed.h1", "/api/v1/boards/h1-ed")
    red = [case for case in ed["cases"] if case["proposed"] == "red" and case["step"] == "coming"]
    red.sort(key=lambda case: -len(case["ecgs"]))
    beds = all(len(bed["values"]) > 5 for bed in icu["beds"])
    return red[0] if beds and red and len(ed["cases"]) >= 3 else None


async def has_past(ward: Ward) -> bool:
    """Whether the wards have lived through the day before."""
    path = ward.data / "past.json"
    known = json.loads(path.read_text("utf-8")) if path.exists() else {"done": 0, "of": 1}
    return bool(known["done"] == known["of"])


async def picture(page: Page, name: str) -> None:
    """Writes a picture where pictures are wanted; it has to be small."""
    await page.evaluate("document.fonts.ready")
    assert await page.evaluate("complaints") == []
    if WANTED:
        FOLDER.mkdir(parents=True, exist_ok=True)
        drawn = await page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
        assert len(drawn) < LARGEST, f"{name}: {len(drawn)} bytes"


async def test_the_demonstration_fills_both_boards_and_stands_for_its_pictures(
    chromium: Browser, tmp_path: Path
) -> None:
    more = ("--seed", "93") if WANTED else ("--seed", "3", "--no-history")
    arguments = ("--icu-beds", str(BEDS), "--ambulances", "3", "--speed", "6", *more)
    with running(tmp_path / "pictures", *arguments) as ward:
        if WANTED:
            await until(lambda: has_past(ward), 1200)
        case = await until(lambda: full(ward), 150)
        assert case["proposed"] == "red", "the most urgent of three ambulances"
        pages = (
            ("icu-wall-night", "/icu/h1-icu-1?mode=wall&lang=ru", SMALL_WALL, "dark"),
            ("icu-wall-day", "/icu/h1-icu-1?mode=wall&lang=en", SMALL_WALL, "light"),
            ("icu-tablet", "/icu/h1-icu-1?mode=touch&lang=ru", TABLET, "dark"),
            ("icu-phone", "/icu/h1-icu-1?lang=en", PHONE, "dark"),
            ("ed-call", "/ed/h1-ed?lang=ru", WALL, "dark"),
            ("ed-tablet", "/ed/h1-ed?mode=touch&lang=en", TABLET, "dark"),
            ("ed-board-day", "/ed/h1-ed?mode=wall&lang=en", WALL, "light"),
            ("ed-phone", "/ed/h1-ed?lang=ru", PHONE, "light"),
            ("case", f"/ed/cases/{case['id']}?lang=en", WALL, "light"),
            ("ed-hand-over", f"/ed/cases/{case['id']}/sheet?lang=en", SMALL_WALL, "light"),
            ("ed-walk-in", "/ed/h1-ed/new?lang=ru", TABLET, "light"),
            ("bed", f"/icu/beds/{BED}?lang=en", WALL, "dark"),
            ("trends", f"/icu/beds/{BED}/trends?lang=en", SHEET, "dark"),
            ("relatives", "/relatives/h1-icu-1?lang=ru", SMALL_WALL, "light"),
            *(
                ("ecg12", f"/ed/cases/{case['id']}/ecgs/{ecg['id']}?lang=en", WALL, "light")
                for ecg in case["ecgs"][:1]
            ),
        )
        for each in pages if WANTED else pages[:1]:
            await seen(ward, chromium, *each)
        if WANTED:
            await papers(ward, chromium)
            await crew(ward, chromium)
            await lost(ward, chromium)
    if WANTED:
        for beds in (4, 50):
            await wall_of(beds, chromium, tmp_path / f"wall-{beds}")


async def seen(ward: Ward, chromium: Browser, name: str, path: str, size: Any, scheme: str) -> None:
    """One page as it is seen."""
    user = "triage.h1" if name == "ed-walk-in" else "icu.h1"
    page = await ward.open(chromium, user, path, viewport=size, color_scheme=scheme)
    board = path.startswith(("/icu/h1-", "/ed/h1-ed")) and "/new" not in path
    if board or name == "bed":  # it follows
        await live(page, sweep=WANTED and path.startswith("/icu/"))
    if "/trends" in path:
        drawn = page.locator("#trends")
        await expect(drawn).to_have_attribute("data-state", "drawn")
    await picture(page, name)
    await page.context.close()


async def live(page: Page, *, sweep: bool) -> None:
    """Until the page is live, and with `sweep` has stayed so while its traces filled."""
    link = page.locator("html")
    for _ in range(6):
        await expect(link).to_have_attribute("data-link", "live")
        if not sweep:
            return
        await page.wait_for_timeout(7000)
        if await link.get_attribute("data-link") == "live":
            return
    raise AssertionError("this machine is too slow: the page does not stay live")


async def papers(ward: Ward, chromium: Browser) -> None:
    """A charted day of the flowsheet, the report of a shift, a strip on paper."""
    stay = (await ward.json("icu.h1", f"/api/v1/icu/beds/{BED}/stay"))["stay"]
    stay = stay["stay"] if isinstance(stay, dict) else stay
    end = now_us() - 60 * SECOND
    day = to_datetime(end - 12 * 3600 * SECOND).astimezone(ZoneInfo("Europe/Moscow")).date()
    span = f"from={iso(end - 10 * SECOND)}&to={iso(end)}"
    for name, path, scheme in (
        ("flowsheet", f"/icu/beds/{BED}/flowsheet?day={day}&lang=ru", "light"),
        ("hand-over", f"/icu/stays/{stay}/report?lang=en", "light"),
        ("strip", f"/icu/beds/{BED}/strip?{span}&lang=en", "light"),
    ):
        await seen(ward, chromium, name, path, SMALL_WALL if name == "strip" else SHEET, scheme)


async def wall_of(beds: int, chromium: Browser, data: Path) -> None:
    """The wall of a unit of so many beds, every one of them played, at night and by day."""

    async def filled() -> bool:
        board = await ward.json("icu.h1", "/api/v1/boards/h1-icu-1")
        return all(len(bed["values"]) > 5 for bed in board["beds"])

    arguments = ("--no-simulators", "--icu-beds", str(beds), "--ambulances", "1", "--seed", "5")
    with running(data, *arguments) as ward, played(ward, "h1-icu-1"):
        await until(filled, 400)
        for lang, scheme, name in (("ru", "dark", "night"), ("en", "light", "day")):
            path = f"/icu/h1-icu-1?mode=wall&lang={lang}"
            await seen(ward, chromium, f"icu-wall-{beds}-{name}", path, WALL, scheme)


@contextmanager
def played(ward: Ward, unit: str) -> Iterator[None]:
    """The patients of one unit alone: two units of fifty need a machine of their own."""
    run = ward.run
    run["beds"] = [bed for bed in run["beds"] if bed["unit"] == unit]
    own = ward.data.parent / f"{unit}.run.json"
    own.touch(0o600)
    own.write_text(json.dumps(run), "utf-8")
    command = [sys.executable, "-m", "hospital_ops", "simulate", "ward", "--run", str(own)]
    process = subprocess.Popen([*command, "--seed", "5", "--speed", "6"], cwd=ROOT)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


async def crew(ward: Ward, chromium: Browser) -> None:
    """A crew's tablet at night, by day with its signs, and as a phone."""
    page = await paired(ward, chromium, "h1-214", ward.http, color_scheme="dark")
    await new_case(page, sex="M", band="12to50y", complaint="fainting")
    await new_case(page, sex="F", band="gt50y", complaint="chest_pain")
    for name, keys in (("hr", "104"), ("bp", "98/61"), ("spo2", "94"), ("rr", "26")):
        await value(page, name, keys)
    await page.locator("[data-key=avpu-A]").click()
    await page.locator("[data-key=oxygen]").click()
    await page.locator("[data-key=eta]").click()
    await page.locator("[data-key=notify-alert]").click()
    await page.locator("[data-key=eta-10]").click()
    await page.locator("[data-key=back]").click()
    await page.locator("[data-key=v-temp]").click()
    await expect(page.locator("[data-count=here]")).to_have_text("on tablet 0")
    await page.locator("[data-key=language]").click()
    await picture(page, "tablet-night")
    await page.locator("[data-key=theme]").click()
    await page.locator("[data-key=language]").click()
    await page.locator("[data-key=to-signs]").click()
    await picture(page, "tablet-signs")
    await page.locator("[data-key=back]").click()
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    await picture(page, "tablet-phone")
    await page.context.close()


async def lost(ward: Ward, chromium: Browser) -> None:
    """The wall while its server stands still."""
    night: dict[str, Any] = {"viewport": SMALL_WALL, "color_scheme": "dark"}
    page = await ward.open(chromium, "wall.h1", "/icu/h1-icu-1?mode=wall&lang=ru", **night)
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    with stopped(ward.pid("web")):
        await expect(page.get_by_role("alertdialog")).to_be_visible()
        await picture(page, "not-live")
    await page.context.close()
