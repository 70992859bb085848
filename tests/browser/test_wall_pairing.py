"""A screen on the wall is paired with a code: nobody types a password in front of a ward."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Browser, expect

from tests.browser.ward import Ward

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
    await screen.wait_for_url("**/icu/h1-icu-1?mode=wall", timeout=15_000)
    await expect(screen.locator("html")).to_have_attribute("data-link", "live", timeout=30_000)
    assert await screen.locator("button[data-act]").count() == 0
    other = await screen.request.get("/api/v1/boards/h1-ed")
    assert other.status in {403, 404}
    cookies = {cookie["name"]: cookie for cookie in await unpaired.cookies()}
    assert "pairing" not in cookies
    assert all(cookie["httpOnly"] for cookie in cookies.values() if cookie["name"] == "session")
    await unpaired.close()
    await desk.context.close()
