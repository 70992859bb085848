"""Orders in the real house: a set in two presses, done, the overdue passed on, one winner."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from hospital_ops.clock import SECOND, iso
from tests.browser.axe import assert_accessible
from tests.browser.ward import Ward, now_us, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
BED, UNIT = "h2-icu-1-02", "h2-icu-1"
PAGE = f"/icu/beds/{BED}"


async def approve_the_set(ward: Ward, chromium: Browser) -> None:
    """A physician of the site reads and approves it."""
    page = await ward.open(chromium, "icu.h2", "/order-sets")
    section = page.locator("section[aria-labelledby=set-sepsis]")
    await section.get_by_role("button", name="Approve this version").click()
    await expect(section).to_contain_text("approved by icu.h2")
    await page.context.close()


async def the_panel(ward: Ward, chromium: Browser, who: str) -> Page:
    page = await ward.open(chromium, who, PAGE)
    await expect(page.locator("#orders")).to_be_visible()
    return page


async def sign_a_set(page: Page) -> None:
    """First press: the set; lactate is ticked, the antimicrobial named; second press: signed."""
    await page.get_by_role("button", name="Sepsis and septic shock").click()
    sheet = page.locator("#orders")
    await expect(sheet.locator("[name=item-10]")).to_be_checked()  # monitoring
    await sheet.locator("[name=item-10]").uncheck()
    await sheet.locator("[name=item-0]").check()
    await sheet.locator("[name=due-0]").fill("10")
    await sheet.locator("[name=item-3]").check()
    await sheet.locator("[name=text-3]").fill("Penicillin G 2 g")
    await sheet.get_by_role("button", name="Sign what is ticked").click()


async def what_was_meant_for_another_is_refused(ward: Ward, chromium: Browser) -> None:
    """A form that was filled in before another patient came: nothing is ordered, and it says so."""
    page = await the_panel(ward, chromium, "icu.h2")
    form = page.locator(f"form[hx-post='{PAGE}/orders']")
    await form.locator("[name=patient]").evaluate("(it) => { it.value = 'somebody-else'; }")
    await form.locator("[name=words]").fill("Potassium 20 mmol")
    await form.get_by_role("button", name="Place the order").click()
    await expect(page.locator("#refused")).to_contain_text("enter it anew")
    await assert_accessible(page)
    assert await orders_of(ward) == []
    await page.context.close()


async def orders_of(ward: Ward) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await ward.json("nurse.h2", f"/api/v1/icu/beds/{BED}/orders")
    return found


async def counted(ward: Ward, **wanted: int) -> None:
    """The bed on the board of its unit counts these orders."""

    async def told() -> bool:
        counts = (await ward.bed("nurse.h2", BED))["orders"]
        return all(counts[name] == number for name, number in wanted.items())

    await until(told)


async def test_a_set_is_signed_in_two_presses_checked_and_carried_out(
    ward: Ward, chromium: Browser
) -> None:
    await approve_the_set(ward, chromium)
    await what_was_meant_for_another_is_refused(ward, chromium)
    nurse = await the_panel(ward, chromium, "nurse.h2")
    await nurse.locator(".allergies summary").click()
    await nurse.get_by_label("Substance").fill("penicillin")
    await nurse.get_by_role("button", name="Record", exact=True).click()
    await expect(nurse.locator(".allergies")).to_contain_text("penicillin")

    physician = await the_panel(ward, chromium, "icu.h2")
    await physician.keyboard.press("o")
    await expect(physician.locator("#orders :focus")).to_be_visible()
    await sign_a_set(physician)
    panel = physician.locator("#orders")
    await expect(panel).to_contain_text("allergy recorded: penicillin")
    assert await orders_of(ward) == []
    await assert_accessible(physician)
    await panel.get_by_label("Sign all the same").fill("tolerated last year")
    await panel.get_by_role("button", name="Sign what is ticked").click()
    await expect(panel).to_contain_text("2 orders signed")
    await counted(ward, active=2, due=1, overdue=0)

    await two_physicians_at_once(ward, physician)
    await the_set_is_carried_out(ward, nurse)
    await the_sepsis_clock_runs(ward, chromium)
    await the_overdue_one_is_passed_on(ward, chromium)
    for page in (nurse, physician):
        assert await page.evaluate("complaints") == []
        await page.context.close()


async def two_physicians_at_once(ward: Ward, physician: Page) -> None:
    """While one looks, another puts the order on hold; the first is told, and sees what holds."""
    [order] = [each for each in await orders_of(ward) if each["text"] == "Lactate"]
    path = f"/api/v1/icu/beds/{BED}/orders/{order['id']}"
    row = physician.locator(f"#order-{order['id']}")
    start = row.get_by_role("button", name="Start")
    await expect(start).to_be_visible()
    # The list that comes anew by itself waits: under the press it would take the button away.
    news = f"**/icu/beds/{BED}/orders/list?*"
    await physician.route(news, lambda route: route.abort())
    async with ward.client("ed.h2") as other:
        answer = await other.post(f"{path}/hold", json={"version": order["version"]})
        assert answer.status_code == 200
        late = await other.post(f"{path}/resume", json={"version": order["version"]})
        assert late.status_code == 409
        assert late.json()["current"]["request"] == "on-hold"
    await start.click()
    await expect(physician.locator("#orders")).to_contain_text(
        "Somebody else has changed this order first"
    )
    await physician.unroute(news)
    await expect(row).to_contain_text("on hold")
    await row.get_by_role("button", name="Resume").click()
    await expect(row).to_contain_text("requested")


async def the_set_is_carried_out(ward: Ward, nurse: Page) -> None:
    """The nurse takes the lactate of the set on and does it: it is nobody's any more."""
    [lactate] = [each["id"] for each in await orders_of(ward) if each["text"] == "Lactate"]
    await nurse.reload()
    row = nurse.locator(f"#order-{lactate}")
    await row.get_by_role("button", name="Start").click()
    await row.get_by_role("button", name="Done").click()

    async def done() -> bool:
        [order] = [each for each in await orders_of(ward) if each["text"] == "Lactate"]
        if order["request"] != "completed" and await again.count():
            await again.click()  # the list came anew under the first press
        return bool(order["request"] == "completed")

    again = row.get_by_role("button", name="Done")
    await until(done)
    await counted(ward, active=1, due=0, overdue=0)


async def the_sepsis_clock_runs(ward: Ward, chromium: Browser) -> None:
    """Off until a physician marks the recognition; it asks, is marked, and speaks Russian."""
    page = await ward.open(chromium, "icu.h2", f"{PAGE}?lang=ru", color_scheme="dark")
    panel = page.locator("#sepsis")
    start = panel.get_by_text("Сепсис распознан")
    await start.click()
    await panel.locator("[name=minutes_ago]").fill("9999")
    await panel.locator("button.primary").click()
    await expect(panel.get_by_role("alert")).to_contain_text("от 0 до 1440")
    await start.click()
    await panel.locator("[name=minutes_ago]").fill("5")
    await panel.locator("button.primary").click()
    cultures = panel.locator("[data-element=cultures]")
    await expect(cultures).to_have_attribute("data-state", "due")
    await cultures.get_by_role("button").click()
    await expect(cultures).to_have_attribute("data-state", "done")
    await assert_accessible(page)
    await page.goto(f"{ward.http}/icu/{UNIT}/statistics?lang=ru&days=1")
    await expect(page.locator("th", has_text="Пациенто-дней")).to_be_visible()
    await assert_accessible(page)
    await page.goto(f"{ward.http}/icu/{UNIT}/statistics?lang=en")
    await expect(page.get_by_role("heading", level=2)).to_contain_text("30")
    await assert_accessible(page)
    assert await page.evaluate("complaints") == []
    await page.context.close()


async def the_overdue_one_is_passed_on(ward: Ward, chromium: Browser) -> None:
    """An order 40 minutes late has gone to the nurse in charge; done in one press of the list."""
    late = {"kind": "nursing", "text": "turn the patient", "due_at": iso(now_us() - 2400 * SECOND)}
    async with ward.client("icu.h2") as physician:
        answer = await physician.post(f"/api/v1/icu/beds/{BED}/orders", json=late)
        assert answer.status_code == 200, answer.text
        assert answer.json()["escalation"]["to"] == "charge nurse"
    await counted(ward, overdue=1, escalated=1)
    page = await ward.open(
        chromium, "nurse.h2", f"/worklist/{UNIT}?mode=touch", viewport={"width": 412, "height": 915}
    )
    item = page.locator("li", has_text="turn the patient").first
    await expect(item).to_contain_text("nurse in charge")
    await assert_accessible(page)
    await page.keyboard.press("ArrowDown")  # the overdue one stands first in its bed
    focused = page.locator("li:focus")
    await expect(focused).to_be_visible()
    await item.get_by_role("button", name="Done").click()
    await expect(page.locator("li", has_text="turn the patient")).to_have_count(0)
    await counted(ward, overdue=0, escalated=0)
    russian = await ward.open(chromium, "nurse.h2", f"/worklist/{UNIT}?by=hour&lang=ru")
    await expect(russian.locator("#worklist")).to_contain_text("Место 2")
    for each in (page, russian):
        assert await each.evaluate("complaints") == []
        await each.context.close()
