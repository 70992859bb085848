"""An ambulance case on the emergency board: it comes, worsens, is heard of and decided upon."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.ward import WELL, Ambulance, Ward, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("clear_street"),
]
ED = "/ed/h1-ed"
MINUTES = re.compile(r"^[4-9]$")  # nine when the crew called; a slow machine looks later
RED: dict[str, float | str] = {"8867-4": 168, "8480-6": 74, "8462-4": 41}


async def board(ward: Ward, chromium: Browser, name: str = "ed.h1", **more: Any) -> Page:
    """The emergency board, live."""
    page = await ward.open(
        chromium, name, ED, **{"viewport": {"width": 1920, "height": 1080}, **more}
    )
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    return page


async def coming(ward: Ward, **facts: Any) -> Ambulance:
    """An ambulance that has called and measured a patient who is well."""
    vehicle = ward.ambulance("h1-tablet-1")
    await vehicle.call(**facts)
    await vehicle.measure(WELL)
    return vehicle


async def stands(ward: Ward, vehicle: Ambulance, **wanted: Any) -> Any:
    """The case as JSON once it says what is wanted."""

    async def asked() -> Any:
        async with ward.client("ed.h1") as client:
            answer = await client.get(f"/api/v1/prearrivals/{vehicle.case}")
        case = answer.json()
        return case if all(case.get(key) == value for key, value in wanted.items()) else None

    return await until(asked)


async def test_a_case_arrives_and_its_colour_rises_on_the_open_page(
    ward: Ward, chromium: Browser
) -> None:
    page = await board(ward, chromium)
    await page.evaluate("window.sameDocument = true")
    vehicle = await coming(ward)
    card = page.locator(f"#case-{vehicle.case}")
    await expect(card).to_be_visible()
    await expect(card).to_have_attribute("data-t", "green")
    await expect(card.locator(".eta .num")).to_have_text(MINUTES)
    await expect(card.locator(".by")).to_have_text("suggested")
    await vehicle.measure(RED)
    await expect(card).to_have_attribute("data-t", "red")
    shape = card.locator(".shape")
    await expect(shape).to_have_attribute("data-by", "system")
    await expect(shape.locator("text")).to_have_text("R")
    await expect(card.locator(f"#case-{vehicle.case}-8867-4")).to_have_attribute("data-out", "")
    await expect(card.locator("text=not heard yet")).to_be_visible()
    first = page.locator("#arrivals > li").first
    await expect(first).to_have_attribute("data-t", "red")  # the most urgent is the first
    assert await page.evaluate("sameDocument") is True
    assert await page.evaluate("complaints") == []
    await vehicle.step("arrival")
    await expect(page.locator(f"tr#case-{vehicle.case}")).to_be_visible()
    await page.context.close()


async def test_a_physician_hears_and_accepts_and_the_shape_becomes_solid_with_a_name(
    ward: Ward, chromium: Browser
) -> None:
    vehicle = await coming(ward)
    await vehicle.measure(RED)
    await stands(ward, vehicle, proposed="red")
    wall = await board(ward, chromium, "triage.h1")
    card = wall.locator(f"#case-{vehicle.case}")
    dash = "s => getComputedStyle(document.querySelector(s)).strokeDasharray"
    drawn = f"#case-{vehicle.case} .shape .g"
    await expect(card.locator(".shape")).to_have_attribute("data-by", "system")
    assert await wall.evaluate(dash, drawn) != "none"

    page = await board(ward, chromium)
    await page.locator(f"#case-{vehicle.case} a.open").click()
    await expect(page.get_by_text("if Heart rate").first).to_be_visible()
    await page.get_by_role("button", name="Heard").click()
    await expect(card).to_contain_text("heard by ed.h1")
    await page.get_by_label("resuscitation").check()
    await page.get_by_role("button", name="Accept: red").click()
    await expect(page).to_have_url(f"{ward.http}{ED}")

    await expect(card.locator(".shape")).to_have_attribute("data-by", "physician")
    await expect(card.locator("b.by")).to_contain_text("ed.h1")
    assert await wall.evaluate(dash, drawn) == "none"
    case = await stands(ward, vehicle, decided="red", decided_by="ed.h1")
    assert case["decision"]["care"] == ["resuscitation"]
    assert [one["by"] for one in case["acknowledgements"]] == ["ed.h1"]
    for each in (wall, page):
        assert await each.evaluate("complaints") == []
        await each.context.close()


async def test_a_new_red_patient_is_called_until_somebody_has_heard(
    ward: Ward, chromium: Browser
) -> None:
    """The band moves the board down, covers nothing, and goes on every screen once answered."""
    desk, wall = await board(ward, chromium), await board(ward, chromium, "wall.h1")
    for page in (desk, wall):
        await expect(page.locator("#call")).to_be_hidden()
    vehicle = await coming(ward, complaint="chest_pain")
    await expect(desk.locator(f"#case-{vehicle.case}")).to_be_visible()
    await expect(desk.locator("#call")).to_be_hidden()  # a green patient calls nobody
    await vehicle.measure(RED)
    for page in (desk, wall):
        call = page.locator("#call")
        await expect(call).to_be_visible()
        await expect(call).to_have_attribute("role", "alertdialog")
        await expect(call.get_by_role("heading")).to_have_text("red · Chest pain")
        await expect(call).to_contain_text("Nobody has heard of it yet")
        await expect(call.locator(".eta .num")).to_have_text(MINUTES)
        low, top, height = await page.evaluate(
            "[document.querySelector('.call').getBoundingClientRect().bottom,"
            " document.querySelector('main').getBoundingClientRect().top,"
            " document.querySelector('.call').getBoundingClientRect().height]"
        )
        assert top >= low
        assert height >= 240
        room = "[document.documentElement.scrollWidth, innerWidth]"
        assert len(set(await page.evaluate(room))) == 1
    await expect(wall.get_by_role("button", name="Heard")).to_be_hidden()
    await desk.locator(".skip").focus()
    await desk.keyboard.press("Enter")
    await expect(desk.locator("#call button")).to_be_focused()
    await desk.keyboard.press("a")
    await expect(desk.get_by_role("heading", name="Why")).to_be_visible()
    await expect(wall.locator("#call")).to_be_hidden()
    await expect(wall.locator(f"#case-{vehicle.case}")).to_contain_text("heard by ed.h1")
    case = await stands(ward, vehicle, proposed="red")
    assert [one["by"] for one in case["acknowledgements"]] == ["ed.h1"]
    for page in (desk, wall):
        assert await page.evaluate("complaints") == []
        await page.context.close()


async def test_who_decides_second_sees_both_and_is_told_that_theirs_was_not_saved(
    ward: Ward, chromium: Browser
) -> None:
    vehicle = await coming(ward)
    await vehicle.measure(RED)
    await stands(ward, vehicle, proposed="red")
    first = await ward.open(chromium, "ed.h1", f"/ed/cases/{vehicle.case}")
    second = await ward.open(chromium, "icu.h1", f"/ed/cases/{vehicle.case}")
    await first.get_by_role("button", name="Accept: red").click()
    await expect(first).to_have_url(f"{ward.http}{ED}")
    await stands(ward, vehicle, decided="red")

    await second.get_by_label("yellow").check()
    await second.get_by_label("seen, the picture is different").check()
    async with second.expect_response(lambda answer: "decision" in answer.url) as told:
        await second.get_by_role("button", name="Save the other colour").click()
    assert (await told.value).status == 409
    lost = second.get_by_role("alert")
    await expect(lost).to_contain_text("ed.h1 decided first: red")
    await expect(lost).to_contain_text("Yours, yellow, was not saved")
    await stands(ward, vehicle, decided="red", decided_by="ed.h1", version=1)
    for page in (first, second):
        await page.context.close()


async def test_another_colour_asks_for_a_reason(ward: Ward, chromium: Browser) -> None:
    vehicle = await coming(ward)
    await stands(ward, vehicle, proposed="green")
    page = await ward.open(chromium, "ed.h1", f"/ed/cases/{vehicle.case}")
    await page.get_by_label("yellow").check()
    await page.get_by_role("button", name="Save the other colour").click()
    assert page.url.endswith(vehicle.case)  # the browser asks for the reason first
    async with ward.client("ed.h1") as client:  # and so does the house, without a browser
        path = f"/api/v1/prearrivals/{vehicle.case}/decision"
        refused = await client.post(path, json={"colour": "yellow", "version": 0})
    assert (refused.status_code, refused.json()["error"]) == (400, "no_reason")
    await page.get_by_label("treatment limits").check()
    await page.get_by_label("in words").fill("frail, lives alone")
    await page.get_by_role("button", name="Save the other colour").click()
    await expect(page).to_have_url(f"{ward.http}{ED}")
    case = await stands(ward, vehicle, decided="yellow")
    assert case["proposed"] == "green"
    assert "frail, lives alone" in case["decision"]["reason"]
    card = page.locator(f"#case-{vehicle.case}")
    await expect(card.locator(".other")).to_contain_text("suggested: green")
    await page.context.close()


async def test_a_nurse_hears_of_a_case_and_cannot_decide(ward: Ward, chromium: Browser) -> None:
    vehicle = await coming(ward)
    await stands(ward, vehicle, proposed="green")
    page = await ward.open(chromium, "triage.h1", f"/ed/cases/{vehicle.case}")
    await expect(page.get_by_role("button", name="Heard")).to_be_visible()
    await expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    async with ward.client("triage.h1") as client:
        path = f"/api/v1/prearrivals/{vehicle.case}/decision"
        refused = await client.post(path, json={"colour": "green", "version": 0})
        assert refused.status_code == 404
    await page.context.close()


async def test_a_form_of_another_site_decides_nothing(ward: Ward) -> None:
    vehicle = await coming(ward)
    await stands(ward, vehicle, proposed="green")
    cookies = {"session": await ward.token("ed.h1")}
    async with ward.stranger(cookies=cookies) as client:
        for origin in ({"Origin": "http://elsewhere.test"}, {"Origin": "null"}, {}):
            for path, form in (
                (f"/ed/cases/{vehicle.case}/decision", {"colour": "green", "version": "0"}),
                (f"/ed/cases/{vehicle.case}/acknowledgement", {}),
                ("/sign-out", {}),
            ):
                answer = await client.post(path, data=form, headers=origin)
                assert answer.status_code == 403, (origin, path)
    case = await stands(ward, vehicle, decided=None)
    assert case["acknowledgements"] == []
