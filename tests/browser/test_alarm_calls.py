"""An alarm on the real system: it rings, is tapped, calls whoever is on duty, is taken on."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.ward import Ward

pytestmark = pytest.mark.asyncio(loop_scope="session")
UNIT, BED = "h1-icu-1", "h1-icu-1-11"


async def opened(ward: Ward, chromium: Browser, name: str, path: str) -> Page:
    return await ward.open(chromium, name, path, viewport={"width": 1920, "height": 1080})


async def accessible(page: Page) -> None:
    """Axe finds nothing, and the page's program has no complaint."""
    await assert_accessible(page)
    assert await page.evaluate("complaints") == []


async def a_press_outlasts_the_list(ward: Ward, chromium: Browser) -> None:
    """The list of calls comes anew every two seconds; a slow press still goes where it began."""
    page = await opened(ward, chromium, "nurse.h1", f"/icu/{UNIT}/duty")
    link = page.locator(f"#calls a[href='/icu/beds/{BED}']").first
    await link.hover()
    for _ in range(2):  # at rest it comes anew
        async with page.expect_response("**/duty/calls"):
            pass
    await page.mouse.down()
    async with page.expect_response("**/duty/calls") as answered:
        pass
    await (await answered.value).finished()
    await page.mouse.up()
    await page.wait_for_url(f"**/icu/beds/{BED}")
    await page.context.close()


async def signs_on_by_keys_alone(page: Page) -> None:
    """Post, hours and beds of a shift without a mouse; each thing on the way shows the focus."""
    await page.locator("[name=post]").focus()
    for wanted in ("[name=hours]", f"[name=beds][value='{BED}']", "button:has-text('Sign on')"):
        here = page.locator(f"form.duty {wanted}")
        for _ in range(60):
            await page.keyboard.press("Tab")
            ring = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert ring != "none", "the focus is not seen"
            if await here.evaluate("(it) => it === document.activeElement"):
                break
        await expect(here).to_be_focused()
        if "beds" in wanted:
            await page.keyboard.press("Space")
            await expect(here).to_be_checked()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Sign off")).to_be_visible()
    await expect(page.locator(f"input[name=beds][value='{BED}']")).to_be_checked()


async def test_a_red_is_tapped_on_the_wall_calls_the_nurse_and_is_taken_on_by_name(
    ward: Ward, chromium: Browser
) -> None:
    duty = await opened(ward, chromium, "nurse.h1", f"/icu/{UNIT}/duty")
    await signs_on_by_keys_alone(duty)
    await expect(duty.locator("#duty-list ~ ul")).to_contain_text("nurse.h1")
    wall = await opened(ward, chromium, "icu.h1", f"/icu/{UNIT}?mode=wall")
    tile, monitor = wall.locator(f"#bed-{BED}"), ward.monitor(BED)
    async with monitor.sending(hr=80, spo2=97, abp_sys=70, abp_dia=38, abp_mean=48):
        await expect(tile).to_have_attribute("data-alarm", "high")
        await expect(tile.locator(".calls")).to_contain_text("nurse.h1")
        await tile.locator("button.seen").click()
        await expect(tile.locator("button.seen")).to_have_count(0)
        await expect(tile.get_by_label("sound off")).to_be_visible()
        await expect(duty.locator("#calls")).to_contain_text("MAP 48")
        await accessible(duty)
        await a_press_outlasts_the_list(ward, chromium)

        page = await opened(ward, chromium, "nurse.h1", f"/icu/beds/{BED}")
        panel = page.locator("#bed-alarms")
        await expect(panel).to_contain_text("nurse.h1 called")
        await expect(panel).to_contain_text("read")
        row = panel.locator("li", has_text="MAP 48")
        await row.get_by_role("button", name="Acknowledge", exact=True).click()
        await expect(panel).to_contain_text("seen by nurse.h1")
        await expect(duty.locator("#calls")).not_to_contain_text("MAP 48")

        quiet = page.locator("#bed-quiet")
        await quiet.get_by_role("button", name="Begin stand-by").click()
        await expect(tile.locator(".quiet")).to_contain_text("Stand-by (CT)")
        await accessible(page)
        await page.locator("#bed-quiet").get_by_role("button", name="End now").click()
        await expect(tile.locator(".quiet")).to_have_count(0)
    await duty.get_by_role("button", name="Sign off").click()
    await expect(duty.get_by_role("button", name="Sign off")).to_have_count(0)
    for each in (duty, wall, page):
        assert await each.evaluate("complaints") == []
        await each.context.close()
    await monitor.close()
