"""NOT LIVE: a board that lost its server says so by itself and misses nothing afterwards."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, WebSocket, expect

from hospital_ops.board import decode_bed
from simulators.network import FaultProxy
from streams.pipe import Pipe
from streams.publish import read_board
from tests.browser.ward import Ward, stopped, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
ICU = "/icu/h1-icu-1"
BED = "h1-icu-1-10"
HR = f"#bed-{BED}-8867-4"
ASKED = re.compile(r"[?&]rev=(\d+)")
STEP = re.compile(r'data-rev="(\d+)" data-base="(-?\d+)"')
GREY = "getComputedStyle(document.querySelector('.boardpage')).filter"
# Whether a number was ever on the page as live again before it was the new one.
WATCH_RETURN = """(selector) => {
  window.seen = [];
  const look = () => {
    const number = document.querySelector(selector + " .n").textContent;
    seen.push([document.documentElement.dataset.link, number]);
  };
  new MutationObserver(look).observe(document, {subtree: true, childList: true,
    characterData: true, attributes: true, attributeFilter: ["data-link"]});
}"""


async def board(ward: Ward, chromium: Browser, path: str = ICU, **more: Any) -> Page:
    """A board that says it is live."""
    page = await ward.open(chromium, "nurse.h1", path, **more)
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    return page


async def says_not_live(page: Page, number: str) -> None:
    """The whole width says NOT LIVE, and the last value is readable with its clock time."""
    dialog = page.get_by_role("alertdialog")
    await expect(dialog).to_be_visible()
    await expect(dialog).to_contain_text("NOT LIVE")
    await expect(dialog).to_contain_text("Look at the bedside monitors")
    await expect(page.locator(f"{HR} .n")).to_have_text(number)
    await expect(page.locator(f"{HR} .at")).to_contain_text(":")
    width, window = await page.evaluate(
        "[document.querySelector('.lost').getBoundingClientRect().width, innerWidth]"
    )
    assert width >= 0.95 * window


async def published(ward: Ward) -> float | str | None:
    """The heart rate that the live reader last published of the bed, for every web process."""
    pipe = Pipe(ward.run["redis_url"])
    try:
        cells = (await read_board(pipe, "h1-icu-1")).cells
    finally:
        await pipe.close()
    return decode_bed(cells[BED]).values["8867-4"].value


async def test_a_stopped_server_is_not_live_and_the_values_come_before_the_sign_goes(
    ward: Ward, chromium: Browser
) -> None:
    monitor, sending = ward.monitor(BED), AsyncExitStack()
    desk, wall = await asyncio.gather(
        board(ward, chromium), board(ward, chromium, f"{ICU}?mode=wall")
    )
    async with monitor.sending(hr=77, spo2=98):
        for page in (desk, wall):
            await expect(page.locator(f"{HR} .n")).to_have_text("77")
    assert await desk.evaluate(GREY) == "none"
    with stopped(ward.pid("web")):
        await asyncio.gather(*(says_not_live(page, "77") for page in (desk, wall)))
        assert await desk.evaluate(GREY) == "grayscale(1)"  # no longer a claim to be live
        await desk.evaluate(WATCH_RETURN, HR)
        await sending.enter_async_context(monitor.sending(hr=133, spo2=96))

        async def decided() -> bool:  # the way in goes on without the pages
            return await published(ward) == 133

        await until(decided)
    for page in (desk, wall):
        await expect(page.locator("html")).to_have_attribute("data-link", "live")
        await expect(page.locator(f"{HR} .n")).to_have_text("133")
    await sending.aclose()
    seen = await desk.evaluate("seen")
    assert ["live", "77"] not in seen
    assert ["lost", "133"] in seen
    for page in (desk, wall):
        assert await page.evaluate("complaints") == []
        await page.context.close()


async def test_when_the_live_reader_stands_still_values_grow_old_and_the_bar_says_why(
    ward: Ward, chromium: Browser
) -> None:
    monitor = ward.monitor("h1-icu-1-12")  # its rhythm of sending is this test's own
    page = await board(ward, chromium)
    pulse = f"#bed-{monitor.bed}-8867-4"
    path = page.locator("[data-part=path]")
    async with monitor.sending(hr=81, spo2=98):
        await expect(page.locator(f"{pulse} .n")).to_have_text("81")
    async with AsyncExitStack() as sending:
        with stopped(ward.pid("live")):
            # Acknowledged, and seen by nobody yet.
            await sending.enter_async_context(monitor.sending(hr=144))
            await expect(page.locator(pulse)).to_have_attribute("data-q", re.compile("stale|gone"))
            await expect(path).to_be_visible()
            await expect(path).to_contain_text("Monitoring path not confirmed for")
            await expect(page.locator(pulse)).to_have_attribute("data-q", "gone")
            await expect(page.locator("html")).to_have_attribute("data-link", "live")
        await expect(page.locator(f"{pulse} .n")).to_have_text("144")
        await expect(path).to_be_hidden()
    assert await page.evaluate("complaints") == []
    await page.context.close()


async def numbers(ward: Ward, beds: Sequence[str]) -> dict[str, str]:
    """What the board as JSON says now: cell id -> number; dashes where it was withdrawn."""
    shown = await ward.json("nurse.h1", "/api/v1/boards/h1-icu-1")
    said: dict[str, str] = {}
    for bed in (bed for bed in shown["beds"] if bed["bed"] in beds):
        for code in ("8867-4", "59408-5"):
            if code in bed["values"]:
                number = bed["values"][code]["value"]
                said[f"bed-{bed['bed']}-{code}"] = "– –" if number is None else f"{number:g}"
    return said


async def painted(page: Page, wanted: dict[str, str]) -> dict[str, str]:
    """The same cells as they stand on the page."""
    found: dict[str, str] = await page.evaluate(
        "ids => Object.fromEntries(ids.map((id) =>"
        " [id, document.getElementById(id)?.querySelector('.n').textContent]))",
        list(wanted),
    )
    return found


def listen(link: WebSocket, frames: list[str]) -> None:
    """Notes the address of a board's socket and all that it brings."""
    if "/ws/v1/boards/" not in link.url:
        return
    frames.append(link.url)
    link.on("framereceived", lambda frame: frames.append(str(frame)))


def nothing_is_skipped(rev: int, frames: Sequence[str]) -> None:
    """Each change begins where the one before it ended, from the last one that was painted."""
    steps = [(int(base), int(to)) for frame in frames for to, base in STEP.findall(frame)]
    assert steps
    for base, to in steps:
        assert base <= rev <= to or base == rev, (rev, steps)
        rev = to


async def test_a_silent_network_is_noticed_and_nothing_is_missing_after_it(
    ward: Ward, chromium: Browser
) -> None:
    monitors = [ward.monitor(bed) for bed in (BED, "h1-icu-1-21", "h1-icu-1-22")]
    for n, monitor in enumerate(monitors):
        await monitor.send(hr=70 + n, spo2=97)
    port = urlsplit(ward.http).port or 0
    async with FaultProxy("127.0.0.1", port, ward.side_port) as proxy:
        page = await board(ward, chromium, http=f"http://127.0.0.1:{ward.side_port}")
        async with monitors[0].sending(hr=70, spo2=97):
            await expect(page.locator(f"{HR} .n")).to_have_text("70")
        frames: list[str] = []
        page.on("websocket", lambda link: listen(link, frames))
        painted_rev = int(await page.evaluate("document.getElementById('board-rev').dataset.rev"))
        proxy.drop_to_client()  # both sides think that the connection stands
        await says_not_live(page, "70")
        for n, monitor in enumerate(monitors):
            await monitor.send(hr=130 - n, spo2=91 + n)
        assert proxy.to_client.dropped_bytes > 0
        proxy.restore()
        await expect(page.locator("html")).to_have_attribute("data-link", "live")

        async def same() -> bool:
            wanted = await numbers(ward, [monitor.bed for monitor in monitors])
            return await painted(page, wanted) == wanted

        await until(same)
        asked = ASKED.search(frames[0])
        assert asked, frames[0]
        assert int(asked[1]) >= painted_rev  # any bed may have changed just before the wire failed
        assert not any('data-base="-1"' in frame for frame in frames)  # changes, no whole board
        nothing_is_skipped(int(asked[1]), frames)

        async with monitors[0].sending(hr=131, spo2=91):
            await expect(page.locator(f"{HR} .n")).to_have_text("131")
        proxy.cut()  # and once more, as a cable that is pulled
        await says_not_live(page, "131")
        async with monitors[0].sending(hr=99, spo2=95):
            proxy.restore()
            await expect(page.locator("html")).to_have_attribute("data-link", "live")
            await expect(page.locator(f"{HR} .n")).to_have_text("99")
        assert [c for c in await page.evaluate("complaints") if "resource" not in c] == []
        await page.context.close()
    for monitor in monitors:
        await monitor.close()


async def test_a_page_that_lay_in_the_background_is_not_believed(
    ward: Ward, chromium: Browser
) -> None:
    page = await board(ward, chromium)
    await page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    await expect(page.locator("html")).to_have_attribute("data-link", "lost")
    await page.evaluate(
        "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"
    )
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    await page.context.close()
