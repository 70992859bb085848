"""The tablet's sending never ends, whatever the hospital, the link or its own store answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.crew_tablet import PIN, typed
from tests.browser.tablet_rig import (
    Hospital,
    ended,
    new_case,
    ours,
    says,
    tablet,
    until,
    value,
    well,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")
PROXY = (403, "<html>Access denied</html>")
# The device's store refuses, as when it is full; and takes everything again.
FULL = """() => { window.put ??= IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = () => { throw new DOMException("", "QuotaExceededError"); }; }"""
ROOM = "() => { IDBObjectStore.prototype.put = window.put; }"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rig(chromium: Browser) -> AsyncIterator[tuple[Page, Hospital]]:
    """One tablet for all tests here; each opens cases of its own."""
    hospital = Hospital()
    page = await tablet(chromium, hospital)
    yield page, hospital
    await page.context.close()


def at(page: Page, name: str, where: str) -> Any:
    return expect(page.locator(f"[data-key=v-{name}] .qs")).to_contain_text(where)


async def test_a_wrong_pin_while_values_are_on_their_way_does_not_end_the_sending(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    case = await new_case(page, hospital)
    hospital.fault = lambda what, *_: "stall" if what == "measurements" else None
    await value(page, "hr", "61")
    await until(page, lambda: ("measurements", case) in hospital.asked, "a value leaves")
    await page.locator("[data-key=lock]").click()
    await typed(page, "999999")
    await expect(page.locator("[data-part=gate] .late")).to_contain_text("Another PIN")
    hospital.fault = well
    hospital.released.set()
    await until(page, lambda: 61 in hospital.numbers(case), "the value is stored")
    await typed(page, PIN)
    await expect(page.locator("[data-part=cases]")).to_be_visible()
    await value(page, "hr", "62")
    await until(page, lambda: 62 in hospital.numbers(case), "the next value is stored")
    await ended(page, hospital, case)


async def test_a_body_that_the_link_cut_is_no_answer(rig: tuple[Page, Hospital]) -> None:
    page, hospital = rig
    case = await new_case(page, hospital)
    hospital.fault = lambda what, *_: (200, '{"stored": ["') if what == "measurements" else None
    await value(page, "hr", "71")
    await until(page, lambda: ("measurements", case) in hospital.asked, "a value leaves")
    await at(page, "hr", "on tablet")
    hospital.fault = well
    await until(page, lambda: 71 in hospital.numbers(case), "the value is sent again")
    await at(page, "hr", "at the hospital")
    hospital.told[case] = {"proposed": "yellow"}
    await says(page, ".prop", "yellow")
    hospital.fault = lambda what, *_: (200, "") if what == "summary" else None
    asked = len(hospital.asked)
    await until(page, lambda: ("summary", case) in hospital.asked[asked:], "it asks again")
    await expect(page.locator(".prop")).to_contain_text("yellow")
    await ended(page, hospital, case)


async def test_one_value_that_is_refused_keeps_no_other_back(rig: tuple[Page, Hospital]) -> None:
    page, hospital = rig
    case = await new_case(page, hospital)
    hospital.fault = lambda *_: "abort"
    await value(page, "hr", "81")
    await value(page, "rr", "13")
    await says(page, ".net", "No network")
    hospital.fault = lambda _, __, body: (400, ours("bad")) if '"value":13' in body else None
    await until(page, lambda: 81 in hospital.numbers(case), "the good one is stored")
    await at(page, "hr", "at the hospital")
    await says(page, "[data-key=v-rr] .qs", "refused")
    await ended(page, hospital, case)


async def test_a_case_that_the_hospital_does_not_take_is_said_and_tried_again(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    bad, good = await new_case(page, hospital), await new_case(page, hospital)
    await not_taken(page, hospital, bad, good, 90, (404, ours("not_found")))
    await not_taken(page, hospital, bad, good, 91, PROXY)
    await ended(page, hospital, bad)
    await ended(page, hospital, good)


async def not_taken(
    page: Page, hospital: Hospital, bad: str, good: str, number: int, refusal: tuple[int, str]
) -> None:
    """One is refused and says so; the other goes on; then the first is taken after all."""
    hospital.fault = lambda _, case, *__: refusal if case == bad else None
    await page.locator(f"[data-key=case-{bad}]").click()
    await value(page, "hr", str(number))
    await says(page, "[data-part=refused]", str(refusal[0]))
    await page.locator(f"[data-key=case-{good}]").click()
    await value(page, "hr", str(number + 10))
    await until(page, lambda: number + 10 in hospital.numbers(good), "the other goes on")
    await expect(page.locator("[data-part=refused]")).to_have_count(0)
    hospital.fault = well
    await until(page, lambda: number in hospital.numbers(bad), "it is taken at last")
    await page.locator(f"[data-key=case-{bad}]").click()
    await nothing(page, "[data-part=refused]")


async def nothing(page: Page, part: str) -> None:
    """Moves the tablet's time until the part of the page is gone."""

    async def gone() -> bool:
        return not await page.locator(part).count()

    await until(page, gone, f"{part} is gone")


async def test_a_case_stored_elsewhere_while_its_answer_was_lost_is_rerouted(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    said = (409, ours("conflict", current={"unit": "h1-ed-2"}))

    def other(what: str, _: str, body: str) -> Any:
        return said if what == "facts" and '"h1-ed"' in body else None

    hospital.fault = other
    case = await new_case(page, hospital)
    await value(page, "hr", "77")
    await until(page, lambda: 77 in hospital.numbers(case), "its values go")
    sent = [(step, body["to"]) for step, of, body in hospital.steps if of == case]
    assert sent == [("reroute", "h1-ed")]
    await ended(page, hospital, case)


async def test_an_ended_case_is_not_left_for_another_and_keeps_no_other_from_being_told(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    other, first = await new_case(page, hospital), await new_case(page, hospital)
    hospital.fault = lambda what, case, _: (
        (503, ours("not_yet")) if (what, case) == ("summary", first) else None
    )
    hospital.told[other] = {"proposed": "red"}
    tab = f"[data-key=case-{other}] [data-t=red]"

    async def red() -> bool:
        return bool(await page.locator(tab).count())

    await until(page, red, "the other case is told its colour")
    await expect(page.locator(".net").first).to_contain_text("Linked")
    await typed(page, "6")
    await ended(page, hospital, first, "discharged")
    await expect(page.locator("[data-part=ended]")).to_contain_text("discharged")
    await typed(page, "2")
    await page.keyboard.press("Enter")
    await page.locator(f"[data-key=case-{other}]").click()
    await expect(page.locator("[data-key=v-hr] .n")).to_have_text("–")
    assert hospital.numbers(other) == []
    await ended(page, hospital, other)


async def test_a_move_that_is_refused_is_shown_where_the_values_are(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    case, other = await new_case(page, hospital), await new_case(page, hospital)
    await page.locator(f"[data-key=case-{case}]").click()
    await value(page, "hr", "88")
    await until(page, lambda: 88 in hospital.numbers(case), "a value is stored")
    await page.locator("[data-key=to-items]").click()
    hospital.fault = lambda what, *_: (400, ours("other_unit")) if what == "moves" else None
    await page.locator("[data-key^=pick-]").click()
    await page.locator(f"[data-key=move-{other}]").click()
    await says(page, ".itemrow", "refused")
    await expect(page.locator(".itemrow", has_text="Heart rate 88")).to_be_visible()
    await ended(page, hospital, case)
    await ended(page, hospital, other)


async def ecg(page: Page, sent: Any) -> None:
    """A file of a recorder is taken in."""
    await page.locator("[data-key=to-ecg]").click()
    await page.locator("[data-key=ecg-file]").set_input_files(
        {"name": "e.json", "mimeType": "application/json", "buffer": json.dumps(sent).encode()}
    )
    await expect(page.locator(".itemrow")).to_have_count(1)
    await page.locator("[data-key=back]").click()


async def test_an_ecg_whose_preview_is_refused_goes_whole_and_a_stalled_piece_gives_way(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    case = await new_case(page, hospital)
    noise = [(index * 7919) % 1999 for index in range(20_000)]  # packs badly: more than one piece
    hospital.released.clear()
    hospital.fault = lambda what, *_: _stalled(what, hospital)
    await ecg(page, {"rate_hz": 250, "started_at": "21.11.2026 10:00", "leads": {"II": noise}})
    await until(page, lambda: ("", 0) in hospital.pieces, "a piece stands")
    await value(page, "hr", "99")
    await until(page, lambda: 99 in hospital.numbers(case), "the value goes past it")
    hospital.fault = well
    hospital.released.set()
    await until(page, lambda: hospital.whole, "the whole is there")
    await ended(page, hospital, case)


def _stalled(what: str, hospital: Hospital) -> Any:
    if what == "ecgs" and hospital.stage:
        return (400, ours("bad_ecg"))
    if what == "ecgs":
        hospital.pieces.append(("", 0))
        return "stall"
    return None


async def test_what_the_device_cannot_store_is_said_and_sent_all_the_same(
    rig: tuple[Page, Hospital],
) -> None:
    page, hospital = rig
    case = await new_case(page, hospital)
    await page.evaluate(FULL)
    await value(page, "hr", "64")
    await says(page, ".net", "cannot store")
    await until(page, lambda: 64 in hospital.numbers(case), "the value is sent")
    await page.evaluate(ROOM)
    await value(page, "hr", "65")
    await until(page, lambda: 65 in hospital.numbers(case), "the next value is sent")
    await says(page, ".tbar", "cannot store", gone=True)
    await ended(page, hospital, case)
