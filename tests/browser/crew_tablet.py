"""A crew's tablet as a test's hands use it: paired, opened with its PIN, typed on."""

from __future__ import annotations

from typing import Any, Final

from playwright.async_api import Browser, Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.ward import WATCH, Ward, until
from tests.patience import PATIENCE_S

PIN: Final = "246810"
SCREEN: Any = {"width": 1024, "height": 768}


async def paired(ward: Ward, chromium: Browser, name: str, http: str, **more: Any) -> Page:
    """A tablet that an administrator has just paired, with its PIN."""
    code = await code_for(ward, chromium, name)
    context = await chromium.new_context(base_url=http, viewport=SCREEN, locale="en-GB", **more)
    context.set_default_timeout(PATIENCE_S * 1000)
    await context.add_init_script(WATCH)
    page = await context.new_page()
    await page.goto(f"/tablet?lang=en#pair={code}")
    await expect(page.locator("[data-part=pairing]")).to_be_visible()
    assert "pair" not in page.url, "a code does not stay in the address"
    await typed(page, PIN)
    await expect(page.locator("[data-part=pairing]")).to_contain_text("again")
    await typed(page, PIN)
    await expect(page.locator("[data-part=cases]")).to_be_visible()
    await page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    return page


async def typed(page: Page, keys: str) -> None:
    """Keys of a keyboard, one after the other."""
    for key in keys:
        await page.keyboard.press(key)


async def new_case(page: Page, *, sex: str, band: str, complaint: str) -> str:
    """A case as a crew opens it, in seven presses; answers its code word."""
    await page.locator("[data-key=new]").click()
    await page.locator(f"[data-key=sex-{sex}]").click()
    await page.locator(f"[data-key=band-{band}]").click()
    await page.locator("[data-key=back]").click()
    await page.locator("[data-key=to-complaint]").click()
    await page.locator(f"[data-key=complaint-{complaint}]").click()
    current = page.locator(".cases [aria-current=true]")
    return (await current.inner_text()).split("·")[-1].strip()


async def value(page: Page, name: str, keys: str) -> None:
    """A value by the keypad."""
    await page.locator(f"[data-key=v-{name}]").click()
    await typed(page, keys)
    await page.locator("[data-key=pad-done]").click()


def count(page: Page, state: str) -> Any:
    """How many items are in a state, as the page says it."""
    return page.locator(f"[data-count={state}]")


async def case_of(ward: Ward, word: str) -> str:
    """The case with this code word as the emergency board has it."""

    async def there() -> str:
        board = await ward.json("ed.h1", "/api/v1/boards/h1-ed")
        found = [one["id"] for one in board["cases"] if one["facts"].get("code_word") == word]
        return str(found[0]) if found else ""

    found: str = await until(there)
    return found


async def called_off(ward: Ward, *cases: str) -> None:
    """No case of this test rings in another."""
    async with ward.client("ed.h1") as physician:
        for case in cases:
            await physician.post(f"/api/v1/prearrivals/{case}/cancellation", json={})


async def code_for(ward: Ward, chromium: Browser, name: str) -> str:
    """The code that pairs a tablet, from the administrator's page."""
    desk = await ward.open(chromium, "admin.h1", "/devices?lang=en")
    form = desk.locator("form[action='/devices/tablets']")
    await form.locator("input[name=device]").fill(name)
    await form.locator("button").click()
    await expect(desk.locator("img.qr")).to_be_visible()
    code = (await desk.locator(".code").inner_text()).strip()
    await desk.context.close()
    return code


async def opened(page: Page) -> None:
    """The page with its PIN."""
    await page.goto("/tablet?lang=en")
    await expect(page.locator("[data-part=gate]")).to_be_visible()
    await typed(page, PIN)
    await expect(page.locator("[data-part=cases]")).to_be_visible()


async def looked_at(page: Page) -> None:
    """Axe finds nothing, nothing breaks the policy, and gloves hit every target."""
    await assert_accessible(page)
    assert await page.evaluate("complaints") == []
    small = await page.evaluate(
        "[...document.querySelectorAll('button')].filter((one) => one.offsetHeight < 48)"
        ".map((one) => one.textContent)"
    )
    assert small == []
