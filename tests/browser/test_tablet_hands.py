"""Hands on the tablet: what is typed belongs to one patient, and what is shown is so."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.crew_tablet import typed
from tests.browser.tablet_rig import Hospital, ended, new_case, says, tablet, until, value, well

pytestmark = pytest.mark.asyncio(loop_scope="session")
SAYS = """(value) => { window.vehicle ??= new BroadcastChannel("vehicle-monitor");
  vehicle.postMessage({values: [{code: "8867-4", value, unit: "/min"}]}); }"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rig(chromium: Browser) -> AsyncIterator[tuple[Page, Hospital]]:
    """One tablet for all tests here; each opens cases of its own."""
    hospital = Hospital()
    page = await tablet(chromium, hospital)
    yield page, hospital
    await page.context.close()


async def turned_to(page: Page, case: str) -> None:
    await page.locator(f"[data-key=case-{case}]").click()


async def test_a_number_half_typed_stays_with_the_patient_it_was_typed_for(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    hers, his = await new_case(page, hospital), await new_case(page, hospital)
    await turned_to(page, hers)
    await typed(page, "6")
    await turned_to(page, his)
    await expect(page.locator("[data-key=v-hr] .n")).to_have_text("–")
    await typed(page, "72")
    await page.locator("[data-key=pad-done]").click()
    await until(page, lambda: hospital.numbers(his) == [72], "his value is stored")
    await turned_to(page, hers)
    await expect(page.locator("[data-key=v-hr] .n")).to_have_text("6")
    await typed(page, "1")
    await page.locator("[data-key=pad-done]").click()
    await until(page, lambda: hospital.numbers(hers) == [61], "her value is stored")
    await ended(page, hospital, hers)
    await ended(page, hospital, his)


async def test_a_monitor_measures_the_patient_it_was_put_to_whoever_is_on_the_screen(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    hers, his = await new_case(page, hospital), await new_case(page, hospital)
    await page.evaluate(SAYS, 101)
    await says(page, "[data-part=loose]", "nobody has said whose")
    await turned_to(page, hers)
    await page.locator("[data-key=attach]").click()
    await expect(page.locator("[data-part=loose]")).to_have_count(0)
    await turned_to(page, his)
    await page.evaluate(SAYS, 102)
    await until(page, lambda: hospital.numbers(hers) == [102], "it is hers")
    assert hospital.numbers(his) == []
    await ended(page, hospital, hers)
    await page.evaluate(SAYS, 103)
    await says(page, "[data-part=loose]", "nobody has said whose")
    assert hospital.numbers(his) == []
    assert hospital.numbers(hers) == [102]
    await ended(page, hospital, his)


async def test_a_dose_typed_and_left_is_not_filed_with_the_next_patients_treatment(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    hers, his = await new_case(page, hospital), await new_case(page, hospital)
    await turned_to(page, hers)
    await page.locator("[data-key=to-treatments]").click()
    await page.locator("[data-key=dose]").fill("1 mg")
    await page.locator("[data-key=back]").click()
    await page.locator("[data-key=to-limits]").click()
    await page.locator("[data-key=by]").fill("her daughter")
    await turned_to(page, his)
    await page.locator("[data-key=to-treatments]").click()
    await expect(page.locator("[data-key=dose]")).to_have_value("")
    await page.locator("[data-key=what]").fill("morphine")
    await page.locator("[data-key=add-treatment]").click()
    await page.locator("[data-key=back]").click()
    await page.locator("[data-key=to-limits]").click()
    await expect(page.locator("[data-key=by]")).to_have_value("")
    await page.locator("[data-key=limit-no_cpr]").click()
    await until(page, lambda: len(hospital.items.get(his, [])) == 2, "both are stored")
    drug, limit = hospital.items[his]
    assert (drug["what"], drug.get("dose"), limit.get("who")) == ("morphine", None, None)
    await ended(page, hospital, hers)
    await ended(page, hospital, his)


async def test_that_a_pressure_cannot_be_measured_is_said_only_after_two_tries(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    case = await new_case(page, hospital)
    await page.locator("[data-key=v-bp]").click()
    await page.locator("[data-key=pad-cannot]").click()
    await says(page, ".pad .hint", "Tried twice")
    await page.locator("[data-key=v-hr]").click()
    await page.locator("[data-key=v-bp]").click()
    await expect(page.locator("[data-key=pad-cannot]")).to_have_text("Cannot be measured")
    assert "not_measurable" not in hospital.facts[case]
    await page.locator("[data-key=pad-cannot]").click()
    await page.locator("[data-key=pad-cannot]").click()
    await until(
        page, lambda: hospital.facts[case].get("not_measurable") == ["sbp_mmhg"], "it is said"
    )
    await expect(page.locator("[data-key=v-bp]")).to_contain_text("could not be measured")
    await ended(page, hospital, case)


async def test_a_sign_that_was_ticked_stays_in_sight_when_it_does_not_fit_any_more(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    case = await new_case(page, hospital)
    await page.locator("[data-key=to-person]").click()
    for key in ("sex-F", "band-12to50y", "preg-yes", "back", "to-signs"):
        await page.locator(f"[data-key={key}]").click()
    await page.locator("[data-key=sign-preg_heavy_bleeding]").click()
    for key in ("back", "to-person", "preg-no", "back", "to-signs"):
        await page.locator(f"[data-key={key}]").click()
    sign = page.locator("[data-key=sign-preg_heavy_bleeding]")
    await expect(sign).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("[data-key=sign-preg_active_labour]")).to_have_count(0)
    await sign.click()
    await expect(sign).to_have_count(0)
    await until(page, lambda: hospital.facts[case].get("signs") == [], "it is taken back")
    await ended(page, hospital, case)


async def test_what_was_moved_is_taken_back_where_it_is_and_is_seen_only_by_who_looked_since(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    hers, his = await new_case(page, hospital), await new_case(page, hospital)
    await turned_to(page, his)
    await value(page, "hr", "83")
    await until(page, lambda: hospital.numbers(his) == [83], "a value is stored")
    hospital.seen(hers)
    await until(page, lambda: ("summary", hers) in hospital.asked[-3:], "she is looked at")
    hospital.fault = lambda what, *_: (503, "{}") if what == "moves" else None
    await page.locator("[data-key=to-items]").click()
    await page.locator("[data-key^=pick-]").click()
    await page.locator(f"[data-key=move-{hers}]").click()
    await page.locator("[data-key=back]").click()
    await turned_to(page, hers)
    await expect(page.locator("[data-key=v-hr] .qs")).to_contain_text("at the hospital")
    await page.locator("[data-key=to-items]").click()
    await page.locator("[data-key^=undo-]").click()
    await until(page, lambda: ("moves", his) in hospital.asked, "the move is tried")
    hospital.fault = well
    await until(page, lambda: hers in hospital.items, "it is taken back")
    assert [one["kind"] for one in hospital.items[hers]] == ["withdrawal"]
    assert his not in hospital.items
    order = [what for what, _ in hospital.asked]
    assert len(order) - order[::-1].index("moves") <= order.index("items", order.index("moves")) + 1
    await page.locator("[data-key=back]").click()
    await ended(page, hospital, hers)
    await ended(page, hospital, his)


async def test_a_tablet_whose_clock_is_ahead_stamps_by_the_hospitals(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    await page.clock.fast_forward(90_000)
    case = await new_case(page, hospital)
    await value(page, "hr", "66")
    await until(page, lambda: hospital.numbers(case) == [66], "a value is stored")
    await says(page, ".tbar", "Clock is")
    assert hospital.early_s(case) < 30
    await ended(page, hospital, case)
