"""On the way: a case in twenty seconds, a phrase heard, another hospital; a transfer by name."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.crew_tablet import case_of, looked_at, paired
from tests.browser.ward import Ward, until
from tests.keystrokes import Hands

pytestmark = pytest.mark.asyncio(loop_scope="session")
CASE_S_MOST = 20.0  # with gloves, by the model of tests/keystrokes.py
BED = "h1-icu-1-19"


async def new_case(page: Page) -> str:
    """A case as a crew with gloves opens it; answers its code word."""
    hands = Hands()
    for key in ("new", "sex-M", "band-gt50y", "back", "to-complaint", "complaint-chest_pain"):
        await hands.tap(page.locator(f"[data-key={key}]"), thought=key not in ("back",))
    assert hands.time_s(gloves=True) < CASE_S_MOST
    current = page.locator(".cases [aria-current=true]")
    return (await current.inner_text()).split("·")[-1].strip()


async def test_a_crew_says_a_phrase_is_sent_to_another_hospital_and_reads_it_back(
    ward: Ward, chromium: Browser
) -> None:
    page = await paired(ward, chromium, "h1-way", ward.http)
    case = await case_of(ward, await new_case(page))
    path = f"/api/v1/prearrivals/{case}"
    await page.locator("[data-key=eta]").click()
    await looked_at(page)
    await page.locator("[data-key=say-two_more_hands]").click()

    async def said() -> Any:
        messages = (await ward.json("ed.h1", path))["messages"]
        return messages and messages[0]["id"]

    message = await until(said)
    desk = await ward.open(chromium, "ed.h1", f"/ed/cases/{case}?lang=en")
    await desk.get_by_role("button", name="Read", exact=True).first.click()
    await expect(page.locator(".itemrow")).to_contain_text("heard by ed.h1")
    assert message

    await desk.get_by_text("Reroute", exact=True).first.click()
    await desk.get_by_label("Where to", exact=True).select_option("h2-ed")
    await desk.locator("#why-reroute").fill("no bed")
    await desk.locator("form[action$='/steps/reroute'] button").click()
    told = page.locator("[data-part=told]")
    await page.locator("[data-key=back]").click()
    await expect(told).to_contain_text("New destination")
    await expect(told).to_contain_text("no bed")
    await told.get_by_role("button", name="Read back").click()

    async def there() -> bool:
        shown = await ward.json("ed.h2", path)
        return bool(shown["rerouted"] and shown["messages"][-1]["read_back"])

    await until(there)
    await page.locator("[data-key=eta]").click()
    here = page.locator("[data-key=to-unit-h2-ed]")
    await expect(here).to_have_attribute("aria-pressed", "true")
    await page.locator("[data-key=arrival]").click()
    other = await ward.open(chromium, "ed.h2", "/ed/h2-ed?lang=en")
    await expect(other.locator(f"tr#case-{case}")).to_be_visible()
    await other.goto(f"{ward.http}/ed/cases/{case}?lang=en")
    await expect(other.locator(".way")).to_contain_text("Rerouted from h1-ed")
    async with ward.client("ed.h2") as physician:
        (await physician.post(f"{path}/discharge")).raise_for_status()
    for each in (page, desk, other):
        assert await each.evaluate("complaints") == []
        await each.context.close()


async def test_a_patient_is_taken_over_from_another_hospital_by_name_with_the_record(
    ward: Ward, chromium: Browser
) -> None:
    ours = await ward.open(chromium, "icu.h1", f"/icu/beds/{BED}/transfer?lang=en")
    await looked_at_page(ours)
    await ours.get_by_label("Hospital and unit").select_option("h2-icu-1")
    await ours.get_by_label("Reason").fill("ECMO")
    await ours.get_by_label("ventilator").check()
    await ours.get_by_role("button", name="Ask for a transfer").click()
    await expect(ours.locator("h2#one")).to_be_visible()
    transfer = ours.url.rpartition("/")[2].partition("?")[0]
    theirs = await ward.open(chromium, "icu.h2", "/transfers/unit/h2-icu-1?lang=en")
    row = theirs.get_by_role("row").filter(has_text="ECMO")
    await expect(row).to_contain_text("asked")
    await theirs.goto(f"{ward.http}/transfers/{transfer}?lang=en")
    await expect(theirs.get_by_text("The record becomes readable")).to_be_visible()
    await theirs.get_by_role("button", name="Accept").click()
    await expect(theirs.get_by_role("heading", name="Ventilator and oxygen")).to_be_visible()
    await expect(theirs.get_by_text("icu.h2,").first).to_be_visible()
    await looked_at_page(theirs)
    board = await ward.open(chromium, "icu.h2", "/icu/h2-icu-1?lang=en")
    await expect(board.locator("#counts")).to_contain_text("Coming")
    await ours.reload()
    await ours.get_by_role("button", name="Withdraw the request").click()
    await expect(ours.locator("dd b").first).to_have_text("withdrawn")
    await expect(board.locator("#counts")).not_to_contain_text("Coming")
    for page in (ours, theirs, board):
        assert await page.evaluate("complaints") == []
        await page.context.close()


async def looked_at_page(page: Page) -> None:
    """Axe finds nothing, and at twice the size nothing lies beyond the edge."""
    await assert_accessible(page)
    size = page.viewport_size
    assert size is not None
    await page.set_viewport_size({"width": size["width"] // 2, "height": size["height"] // 2})
    beyond = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(beyond) <= 1, "at 200 % nothing is cut off"
    await page.set_viewport_size(size)
