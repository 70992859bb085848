"""The sound of a board: the sign of a silent browser, the test tone of a shift, what a tablet does.

What is heard is not asked: a browser of a test has no loudspeaker. The bursts are counted.
"""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.ward import Ward

pytestmark = pytest.mark.asyncio(loop_scope="session")
UNIT, BED = "h1-icu-1", "h1-icu-1-08"  # no other test uses this bed
SLOW_MS = 30_000
FELT = "window.felt = []; navigator.vibrate = (pattern) => { felt.push(pattern); return true; };"
# One press of the test tone and what it did, in one breath: no bed can ring in between.
PRESS = """
() => {
  const count = () => Number(document.documentElement.dataset.bursts ?? 0);
  const before = count();
  window.felt.length = 0;
  document.querySelector("[data-part=sound-check]").click();
  return [count() - before, window.felt.map(String)];
}
"""
# A reminder of an acknowledged red as the server writes it, and nothing else that rings.
REMIND = """
() => {
  const [first] = document.querySelectorAll(".tile");
  const remind = (due) => {
    for (const tile of document.querySelectorAll(".tile[data-rings]")) delete tile.dataset.rings;
    first.dataset.rings = `remind:${due}:0`;
  };
  const before = Number(document.documentElement.dataset.bursts ?? 0);
  let due = Date.now() * 1000 - 5e6;
  const again = setInterval(() => {
    if (Number(document.documentElement.dataset.bursts ?? 0) > before) clearInterval(again);
    else remind((due += 1));
  }, 20);
  return before;
}
"""


async def bursts(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.dataset.bursts ?? 0"))


async def sounded(page: Page, before: int) -> None:
    """Waits for a further burst."""
    for _ in range(SLOW_MS // 100):
        if await bursts(page) > before:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("nothing sounded")


async def test_a_silent_browser_says_so_and_a_shift_begins_with_a_test_tone(
    ward: Ward, chromium: Browser
) -> None:
    page = await ward.open(
        chromium, "nurse.h1", f"/icu/{UNIT}?mode=touch",
        viewport={"width": 1280, "height": 800}, reduced_motion="reduce",
    )  # fmt: skip
    await page.add_init_script(FELT)
    await page.evaluate("localStorage.removeItem('sound-checked')")
    await page.reload()
    muted, check = page.locator("[data-part=mute]"), page.locator("[data-part=sound-check]")
    await expect(muted).to_be_visible(timeout=SLOW_MS)
    await page.locator("h1").click()  # any touch lets it sound
    await expect(muted).to_be_hidden(timeout=SLOW_MS)
    await expect(check).to_be_visible(timeout=SLOW_MS)
    sounded_now, felt_now = await page.evaluate(PRESS)
    await expect(check).to_contain_text("heard", timeout=SLOW_MS)
    assert sounded_now == 3, "the tones of all three priorities"
    assert felt_now == ["300,100,300,100,300", "300,100,300", "0"]
    await assert_accessible(page)
    async with page.expect_response(f"**/api/v1/icu/units/{UNIT}/sound-check") as noted:
        await check.click()
    assert (await noted.value).ok
    await expect(check).to_be_hidden()
    await page.reload()
    await page.locator("h1").click()
    await expect(muted).to_be_hidden(timeout=SLOW_MS)
    await expect(check).to_be_hidden()
    await page.evaluate("localStorage.setItem('sound-checked', String(Date.now() - 24 * 3600e3))")
    await expect(check).to_be_visible(timeout=SLOW_MS)  # of another shift: asked for anew
    before = int(await page.evaluate(REMIND))
    await sounded(page, before)

    tile, monitor = page.locator(f"#bed-{BED}"), ward.monitor(BED)
    async with monitor.sending(hr=80, spo2=97, abp_sys=66, abp_dia=34, abp_mean=44):
        await expect(tile).to_have_attribute("data-alarm", "high", timeout=SLOW_MS)
        await expect(page.locator("html[data-sounds=high]")).to_be_attached(timeout=SLOW_MS)
        await sounded(page, await bursts(page))
        assert "300,100,300,100,300" in await page.evaluate("felt.map(String)")
        motion = (
            "getComputedStyle(document.querySelector('.tile[data-alarm=high] .foot')).animationName"
        )
        assert await page.evaluate(motion) == "none", "nothing flashes where motion is not wanted"
        async with ward.client("nurse.h1") as nurse:  # it is nobody else's alarm afterwards
            beds = (await nurse.get(f"/api/v1/boards/{UNIT}")).json()["beds"]
            for alarm in next(bed["alarms"] for bed in beds if bed["bed"] == BED):
                url = f"/api/v1/icu/beds/{BED}/alarms/{alarm['id']}/acknowledge"
                assert (await nurse.post(url)).status_code == 200
        await expect(tile.locator(".foot")).to_have_attribute("data-ack", "", timeout=SLOW_MS)
    assert await page.evaluate("complaints") == []
    await page.context.close()
    await monitor.close()
