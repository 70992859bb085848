"""The sound of a board: the sign of a silent browser, the test tone of a shift, what a tablet does.

What is heard is not asked: a browser of a test has no loudspeaker. The bursts are counted.
"""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.ward import Ward, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
UNIT, BED = "h1-icu-1", "h1-icu-1-17"
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
  const due = Date.now() * 1000 - 5e6;
  const again = setInterval(() => {
    if (Number(document.documentElement.dataset.bursts ?? 0) > before) clearInterval(again);
    else remind(due);
  }, 20);
  return before;
}
"""


async def bursts(page: Page) -> int:
    return int(await page.evaluate("document.documentElement.dataset.bursts ?? 0"))


async def sounded(page: Page, before: int) -> None:
    """Waits for a further burst."""

    async def further() -> bool:
        return await bursts(page) > before

    await until(further)


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
    await expect(muted).to_be_visible()
    await page.locator("h1").click()  # any touch lets it sound
    await expect(muted).to_be_hidden()
    await expect(check).to_be_visible()
    sounded_now, felt_now = await page.evaluate(PRESS)
    await expect(check).to_contain_text("heard")
    assert sounded_now == 3, "the tones of all three priorities"
    assert felt_now == ["300,100,300,100,300", "300,100,300", "0"]
    await assert_accessible(page)
    async with page.expect_response(f"**/api/v1/icu/units/{UNIT}/sound-check") as noted:
        await check.click()
    assert (await noted.value).ok
    await expect(check).to_be_hidden()
    await page.reload()
    await page.locator("h1").click()
    await expect(muted).to_be_hidden()
    await expect(check).to_be_hidden()
    await page.evaluate("localStorage.setItem('sound-checked', String(Date.now() - 24 * 3600e3))")
    await expect(check).to_be_visible()  # of another shift: asked for anew
    before = int(await page.evaluate(REMIND))
    await sounded(page, before)

    tile, monitor = page.locator(f"#bed-{BED}"), ward.monitor(BED)
    async with monitor.sending(hr=80, spo2=97, abp_sys=66, abp_dia=34, abp_mean=44):
        await expect(tile).to_have_attribute("data-alarm", "high")
        await expect(page.locator("html[data-sounds=high]")).to_be_attached()
        await sounded(page, await bursts(page))
        assert "300,100,300,100,300" in await page.evaluate("felt.map(String)")
        motion = (
            "getComputedStyle(document.querySelector('.tile[data-alarm=high] .foot')).animationName"
        )
        assert await page.evaluate(motion) == "none", "nothing flashes where motion is not wanted"
        async with ward.client("nurse.h1") as nurse:  # it is nobody else's alarm afterwards
            for alarm in (await ward.bed("nurse.h1", BED))["alarms"]:
                url = f"/api/v1/icu/beds/{BED}/alarms/{alarm['id']}/acknowledge"
                assert (await nurse.post(url)).status_code == 200
        await expect(tile.locator(".foot")).to_have_attribute("data-ack", "")
    assert await page.evaluate("complaints") == []
    await page.context.close()
    await monitor.close()
