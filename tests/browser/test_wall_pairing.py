"""A screen on the wall is paired with a code: nobody types a password in front of a ward."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.ward import Ward

pytestmark = pytest.mark.asyncio(loop_scope="session")


BED, BADGE = "h1-icu-1-18", "0004217731"
# A reader types faster than any hand: all keys within one turn of the page.
READ = """
(number) => {
  for (const key of [...number, "Enter"])
    document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}
"""


async def _badge(ward: Ward, screen: Page, desk: Page) -> None:
    """Somebody takes an alarm on by name at the wall, by a badge; an unknown one is refused."""
    await desk.goto(f"{ward.http}/badges?lang=en")
    await desk.locator("input[name=name]").fill("nurse.h1")
    await desk.locator("input[name=badge]").fill(BADGE)
    await desk.get_by_role("button", name="Register").click()
    await expect(desk.locator("main")).to_contain_text("added by admin.h1")
    duty = "/api/v1/icu/units/h1-icu-1/duty"
    async with ward.client("icu.h1") as physician:
        assert (await physician.put(duty, json={"post": "physician"})).status_code == 200
    said, tile = screen.locator("[data-part=badge]"), screen.locator(f"#bed-{BED}")
    monitor = ward.monitor(BED)
    async with monitor.sending(hr=80, spo2=97, abp_sys=66, abp_dia=34, abp_mean=44):
        await expect(tile).to_have_attribute("data-alarm", "high")
        # No nurse is on duty for this bed: the call goes on to the physician at once.
        await expect(tile.locator(".calls")).to_contain_text("icu.h1")
        await screen.evaluate(READ, "999999")
        await expect(said).to_contain_text("not known")
        await screen.evaluate(READ, BADGE)
        await expect(said).to_contain_text("nurse.h1: tap the bed")
        await tile.click()
        await expect(said).to_contain_text("Taken on by nurse.h1")
        await expect(tile.locator(".foot")).to_have_attribute("data-ack", "")
        alarms = (await ward.bed("nurse.h1", BED))["alarms"]
        assert {alarm["state"] for alarm in alarms} == {"acknowledged"}
        await expect(tile.locator(".calls")).to_have_count(0)
    await monitor.close()
    async with ward.client("icu.h1") as physician:
        assert (await physician.delete(duty)).status_code == 200
    await desk.get_by_role("button", name="Revoke nurse.h1").click()
    await expect(desk.locator("main")).to_contain_text("No badge is registered")


async def test_a_screen_opens_its_board_once_an_administrator_has_entered_its_code(
    ward: Ward, chromium: Browser
) -> None:
    unpaired = await chromium.new_context(base_url=ward.http, locale="en-GB")
    screen = await unpaired.new_page()
    await screen.goto("/wall?lang=en")
    await screen.locator("main button.primary").click()
    code = (await screen.locator(".code").inner_text()).strip()
    assert re.fullmatch(r"\d{4} \d{4}", code)
    async with ward.client("nurse.h1") as nurse:
        refused = await nurse.post("/devices/walls", data={"code": code, "unit": "h1-icu-1"})
    assert refused.status_code in {403, 404}
    desk = await ward.open(chromium, "admin.h1", "/devices?lang=en")
    await desk.locator("input[name=code]").fill("0000 0000")
    await desk.locator("select[name=unit]").select_option("h1-icu-1")
    await desk.get_by_role("button", name="Pair", exact=True).click()
    await expect(desk.locator("body")).to_contain_text("No screen shows this code")
    await desk.goto(f"{ward.http}/devices?lang=en")
    await desk.locator("input[name=code]").fill(code)
    await desk.locator("select[name=unit]").select_option("h1-icu-1")
    await desk.get_by_role("button", name="Pair", exact=True).click()
    await screen.wait_for_url("**/icu/h1-icu-1?mode=wall")
    await expect(screen.locator("html")).to_have_attribute("data-link", "live")
    await expect(screen.locator("button[data-act]")).to_have_count(0)
    other = await screen.request.get("/api/v1/boards/h1-ed")
    assert other.status in {403, 404}
    cookies = {cookie["name"]: cookie for cookie in await unpaired.cookies()}
    assert "pairing" not in cookies
    assert all(cookie["httpOnly"] for cookie in cookies.values() if cookie["name"] == "session")
    await _badge(ward, screen, desk)
    await unpaired.close()
    await desk.context.close()
