"""The onset from the tablet to the clock of a window; the audit of triage as its readers see it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from hospital_ops import database
from tests.browser.axe import assert_accessible
from tests.browser.crew_tablet import called_off, case_of, new_case, paired
from tests.browser.test_ed_desk import until_on
from tests.browser.ward import Ward, until
from tests.triage_cases import CAME, QUARTER, came, event
from triage.editions import EDITION
from triage.engine import assess

pytestmark = pytest.mark.asyncio(loop_scope="session")
HOME = 24  # sent home, four of them red: over-triage of 4 in 24


async def test_an_onset_said_on_the_tablet_is_a_clock_at_the_desk_and_unknown_is_said(
    ward: Ward, chromium: Browser
) -> None:
    tablet = await paired(ward, chromium, "h1-onset", ward.http)
    word = await new_case(tablet, sex="F", band="gt50y", complaint="weakness_one_side")
    await tablet.locator("[data-key=to-onset]").click()
    await tablet.locator("[data-key=onset-last_known_well]").click()
    await assert_accessible(tablet)
    await tablet.locator("[data-key=ago-30]").click()
    await tablet.locator("[data-key=to-way]").click()
    await tablet.locator("[data-key=own-yellow]").click()
    case = await case_of(ward, word)
    desk = await ward.open(chromium, "ed.h1", f"/ed/cases/{case}")
    await until_on(desk, desk.get_by_text("last known well").first)
    await until_on(desk, desk.get_by_text("Crew's colour"))
    await expect(desk.locator("#why + .list")).to_contain_text("IITT 2020")
    await expect(desk.locator("#missing + .list")).to_contain_text("Heart rate")
    await expect(desk.get_by_role("heading", name="What would change it")).to_be_visible()
    await desk.get_by_label("Your own view first, in a word or two").fill("stroke")
    await desk.get_by_role("button", name="Show the list").click()
    clock = desk.locator(".ruleout .clockline").filter(has_text="since last known well")
    await until_on(desk, clock)
    await expect(clock.locator("time[data-due]")).to_contain_text("min")
    await desk.get_by_label("Known how").select_option("unknown")
    await desk.locator("form[action$='/onset']").get_by_role("button").click()
    await until_on(desk, desk.get_by_text("onset not known, no clock runs"))
    await assert_accessible(desk)
    assert await desk.evaluate("complaints") == []
    await comes_out_again(ward, case)
    await called_off(ward, case)
    for page in (tablet, desk):
        await page.context.close()


async def test_the_audit_shows_shares_with_intervals_and_each_number_opens_its_cases(
    ward: Ward, chromium: Browser
) -> None:
    async with database.single(ward.run["database_url"], name="test") as connection:
        for n in range(HOME):
            colour = "red" if n < 4 else "green"
            case = await came(connection, n, colour=colour, mode="Demo", actor="device:gone")
            await event(connection, case, "discharge", CAME, mode="Demo")
    page = await ward.open(chromium, "ed.h1", f"/triage-audit?quarter={QUARTER}")
    over = page.locator("section").filter(has=page.locator("#m-over"))
    await expect(over.get_by_role("row").nth(1)).to_contain_text("16.7 %")
    await expect(over.get_by_role("row").nth(1)).to_contain_text("6.7 to 35.9 %")
    await expect(page.locator("#rules + .scroll")).to_contain_text("no source: off")
    await looked_over(page)
    await over.get_by_role("link", name="4 of 24").first.click()
    await expect(page.locator("tr[data-mistaken]")).to_have_count(4)
    await assert_accessible(page)
    await page.goto(f"{ward.http}/triage-audit?quarter={QUARTER}&lang=ru")
    await expect(page.locator("#m-over")).to_contain_text("Переоценка")
    await expect(page.get_by_text("менее 20").first).to_be_visible()
    assert await page.evaluate("complaints") == []
    await page.context.close()


async def comes_out_again(ward: Ward, case: str) -> None:
    """What was stored of a proposal gives the same proposal, by the edition that it names."""
    async with database.single(ward.run["database_url"], name="test") as connection:

        async def stored() -> Any:
            return await connection.fetchrow(
                "select inputs, result, rules from assessment where case_id = $1"
                " order by at desc limit 1",
                case,
            )

        row = await until(stored)
    assert row["rules"] == EDITION
    assert assess(json.loads(row["inputs"])).as_json() == json.loads(row["result"])


async def looked_over(page: Page) -> None:
    """By day and by night, no finding of axe."""
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        await assert_accessible(page)
