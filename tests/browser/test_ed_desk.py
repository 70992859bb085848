"""The emergency department at work: called again, getting ready, registering, handing over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.axe import assert_accessible
from tests.browser.ward import WELL, Ambulance, Ward, until
from tests.keystrokes import Hands

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("clear_street"),
]
ED = "/ed/h1-ed"
TAPS_MOST = 12
MODEL_S_MOST = 120.0


async def case_as(ward: Ward, vehicle: Ambulance, **wanted: Any) -> Any:
    async def asked() -> Any:
        async with ward.client("ed.h1") as client:
            answer = await client.get(f"/api/v1/prearrivals/{vehicle.case}")
        case = answer.json()
        return case if all(case.get(key) == value for key, value in wanted.items()) else None

    return await until(asked)


async def clean(page: Page) -> None:
    """No finding of axe, no error of the page."""
    await assert_accessible(page)
    assert await page.evaluate("complaints") == []


async def test_a_red_rings_is_heard_by_name_and_rings_again_on_both_screens(
    ward: Ward, chromium: Browser
) -> None:
    """Two screens agree at every step."""
    vehicle = ward.ambulance("h1-tablet-1")
    await vehicle.call(complaint="chest_pain", notify="alert", signs=["stridor"])
    await vehicle.measure(WELL)
    desk, other = await asyncio.gather(
        ward.open(chromium, "ed.h1", ED), ward.open(chromium, "triage.h1", ED)
    )
    screens = (desk, other)
    for page in screens:
        call = page.locator(f"#call[data-case='{vehicle.case}']")
        await expect(call).to_contain_text("the physician of the department")
        card = page.locator(f"#case-{vehicle.case}")
        await expect(card.locator("[data-notify=alert]")).to_have_text("ALERT")
    await desk.locator("#call").get_by_role("button", name="Heard").click()
    await expect(desk.get_by_role("heading", name="Why")).to_be_visible()  # the press is done
    for page in screens:
        await page.goto(ward.http + ED)
        await expect(page.locator(f"#case-{vehicle.case}")).to_contain_text("heard by ed.h1")
        await expect(page.locator("#call")).to_be_hidden()
    async with ward.client("ed.h1") as client:
        path = f"/api/v1/prearrivals/{vehicle.case}/decision"
        said = {"colour": "yellow", "version": 0, "reason": "seen", "destination": "treatment"}
        (await client.post(path, json=said)).raise_for_status()
    await case_as(ward, vehicle, decided="yellow")
    await vehicle.call(signs=["stridor", "ecg_acute_ischaemia"])
    for page in screens:
        await expect(page.locator("#call")).to_be_visible()
        again = page.locator(f"#case-{vehicle.case} .late").filter(has_text="ischaemia")
        await expect(again).to_contain_text("new")  # what opened the case again

    for page in screens:
        assert await page.evaluate("complaints") == []
        await page.context.close()


async def test_the_house_gets_ready_and_the_sheet_of_the_hand_over_is_signed(
    ward: Ward, chromium: Browser
) -> None:
    """The crew sees what is ready; a decision opens the conditions to rule out."""
    vehicle = ward.ambulance("h1-tablet-1")
    await vehicle.call(complaint="chest_pain", signs=["ecg_acute_ischaemia"])
    await vehicle.measure(WELL)
    await case_as(ward, vehicle, proposed="red")
    desk, other = await asyncio.gather(
        ward.open(chromium, "ed.h1", f"/ed/cases/{vehicle.case}"),
        ward.open(chromium, "triage.h1", ED),
    )
    await desk.get_by_label("Your own view first, in a word or two").fill("infarct")
    await desk.get_by_role("button", name="Show the list").click()
    await until_on(desk, desk.get_by_text("Not listed is not excluded."))
    await desk.get_by_role("button", name="Done: Catheter laboratory activated").click()
    await until_on(desk, desk.locator(".checks .done"))
    await desk.get_by_label("Keep a place").select_option(label="Cath 1")
    await desk.get_by_role("button", name="Hold", exact=True).click()
    await until_on(desk, desk.get_by_role("button", name="Ready"))
    await desk.get_by_role("button", name="Ready").click()
    await desk.get_by_label("To the crew").select_option("cath_lab_direct")
    await desk.get_by_role("button", name="Say").click()
    await expect(desk.locator(".ruleout")).to_contain_text("ST-elevation infarction")
    await clean(desk)

    async def ready() -> Any:
        async with ward.client("tablet:h1-tablet-1") as client:
            case = (await client.get(f"/api/v1/prearrivals/{vehicle.case}")).json()
        states = [place["state"] for place in case["places"]]
        return case if states == ["ready"] and case["messages"] else None

    case = await until(ready)
    (stemi,) = case["readiness"]
    assert [item["done_by"] for item in stemi["items"] if item["done_at"]] == ["ed.h1"]
    card = other.locator(f"#case-{vehicle.case}")
    await expect(card.locator(".rd")).to_contain_text("Cath 1 ready")
    await desk.goto(f"{ward.http}/ed/cases/{vehicle.case}/sheet")
    await desk.get_by_role("button", name="Sign", exact=True).click()
    await expect(desk.get_by_text("signed by ed.h1")).to_be_visible()
    await clean(desk)
    for page in (desk, other):
        await page.context.close()


async def until_on(page: Page, wanted: Any) -> None:
    """Loads a page of forms again until what was just sent stands on it."""

    async def there() -> bool:
        if await wanted.count():
            return True
        await page.reload()
        return False

    await until(there)


async def test_a_walk_in_is_registered_and_proposed_within_twelve_taps(
    ward: Ward, chromium: Browser
) -> None:
    """Digits are keys, not taps: a full field hands on to the next by itself.

    The two minutes are those of the keystroke-level model (tests/keystrokes.py), not of a clock.
    """
    tablet = {"width": 1024, "height": 768}
    page = await ward.open(chromium, "triage.h1", f"{ED}/new", viewport=tablet)
    hands = Hands()
    tap = hands.tap
    await clean(page)
    await tap(page.get_by_role("radio", name="female", exact=True))
    await tap(page.get_by_label("Age, years"))
    await hands.type(page, "34")
    await tap(page.get_by_role("radio", name="Chest pain", exact=True))
    await tap(page.get_by_role("checkbox", name="none of these"))
    await tap(page.get_by_label("Heart rate"))
    await hands.type(page, "88169837.112278")
    values = {"hr": "88", "rr": "16", "spo2": "98", "temp": "37.1", "sys": "122", "dia": "78"}
    for field, value in values.items():
        await expect(page.locator(f"input[name={field}]")).to_have_value(value)
    await tap(page.get_by_role("radio", name="A · alert"))
    await tap(page.get_by_label("Family name"))
    await hands.type(page, "Lindqvist")
    await tap(page.get_by_role("button", name="Register and propose"))
    await expect(page.locator("#proposal")).to_have_text("green")
    assert hands.taps <= TAPS_MOST
    assert hands.time_s() <= MODEL_S_MOST
    await clean(page)
    case = page.url.rpartition("/")[2]
    board = await ward.open(chromium, "ed.h1", ED)
    row = board.locator(f"tr#case-{case}")
    await expect(row).to_contain_text("L.")
    await expect(row.locator("time[data-due]").first).to_contain_text("min")

    # Somebody of the same name: whoever registers is told, and nothing is merged.
    await page.goto(f"{ward.http}{ED}/new")
    await page.get_by_role("radio", name="male", exact=True).click()
    await page.get_by_label("Family name").fill("LINDQVIST")
    await page.get_by_role("button", name="Register and propose").click()
    await expect(page.locator("#proposal")).to_have_text("incomplete")
    await until_on(page, page.get_by_text("Same family name is here"))
    other = page.url.rpartition("/")[2]
    await page.goto(f"{ward.http}{ED}/downtime")
    await expect(page.get_by_role("cell", name="Chest pain")).to_be_visible()
    await clean(page)
    async with ward.client("ed.h1") as client:
        for one, step in ((case, "discharge"), (other, "left_unseen")):
            answer = await client.post(f"/api/v1/prearrivals/{one}/{step}")
            assert answer.is_success, answer.text
    await expect(row).to_have_count(0)
    for each in (page, board):
        await each.context.close()
