"""A death that was an error and its reversal on the bed's page; the board of a past second."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, expect

from hospital_ops.clock import SECOND, from_iso, iso
from tests.browser.ward import Ward, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
UNIT, BED, SILENT = "h2-icu-1", "h2-icu-1-04", "h2-icu-1-12"
PULSE = "8867-4"


async def test_a_death_is_taken_back_as_one_act_and_the_past_shows_who_lay_there(
    ward: Ward, chromium: Browser
) -> None:
    monitor, silent = ward.monitor(BED), ward.monitor(SILENT)
    sent = await silent.send(hr=77, spo2=96)  # once, and never again
    await monitor.send(hr=88, spo2=97)
    await monitor.close()
    await silent.close()

    async def measured() -> bool:
        return PULSE in (await ward.bed("icu.h2", BED))["values"]

    await until(measured)
    then = (await server_time(ward) // SECOND + 1) * SECOND  # the value stands there already

    async def passed() -> bool:
        return await server_time(ward) > then + SECOND

    await until(passed)  # and the death comes after it
    page = await ward.open(chromium, "icu.h2", f"/icu/beds/{BED}?lang=en")
    panel = page.locator("#stay")
    await panel.locator("summary", has_text="Death").click()
    await panel.get_by_role("button", name="Death").click()
    await expect(panel.get_by_role("alert")).to_contain_text("nothing was changed")
    await panel.locator("summary", has_text="Death").click()
    await panel.get_by_text("Death: I have looked at the patient").click()
    await panel.get_by_role("button", name="Death").click()
    await expect(panel).to_contain_text("Nobody is admitted")

    async def empty() -> bool:
        return (await ward.bed("icu.h2", BED))["patient_id"] is None

    await until(empty)
    await panel.get_by_label("What was the error?").fill("the bed beside")
    await panel.get_by_role("button", name="Take this back").click()
    await expect(panel).to_contain_text("Taken back at")

    async def back() -> bool:
        lies = (await ward.bed("icu.h2", BED))["patient_id"]
        return bool(lies == ward.patient(BED)["patient_id"])

    await until(back)
    assert await page.evaluate("complaints") == []  # nor does anything write a style of its own
    await page.context.close()
    await page_of_the_past(ward, chromium, then)
    await late_is_drawn_as_late(ward, chromium, sent)


async def server_time(ward: Ward) -> int:
    """What the board says that the time is, microseconds since 1970."""
    return from_iso((await ward.json("icu.h2", f"/api/v1/boards/{UNIT}"))["server_time"])


async def is_stored(ward: Ward, then: int) -> None:
    """The second can be asked for."""
    async with ward.client("icu.h2") as client:

        async def stored() -> bool:
            answer = await client.get(f"/api/v1/boards/{UNIT}", params={"at": iso(then)})
            return answer.status_code == 200

        await until(stored)


async def page_of_the_past(ward: Ward, chromium: Browser, then: int) -> None:
    """Before the death: the value stands there, nothing claims to be live, time can be moved."""
    await is_stored(ward, then)
    page = await ward.open(chromium, "icu.h2", f"/icu/{UNIT}/past?lang=en&at={iso(then)}&bed={BED}")
    frame = page.locator("#then")
    await expect(frame).to_contain_text("NOT LIVE")
    await expect(page.locator(f"#bed-{BED}-{PULSE} .n")).to_have_text("88")
    await expect(page.locator("[data-part=link]")).to_have_count(0)
    second = then // SECOND
    await page.get_by_role("button", name="+1 s").click()
    await expect(frame).to_have_attribute("data-at", str(second + 1))
    await page.get_by_role("button", name="−60 s").click()
    await expect(frame).to_have_attribute("data-at", str(second - 59))
    await page.get_by_label("Speed").select_option("5")
    await page.get_by_role("button", name="Play").click()
    await page.wait_for_function(
        "at => Number(document.getElementById('then').dataset.at) >= at", arg=second - 49
    )
    await page.get_by_role("button", name="Play").click()
    # The slider reaches back further, and a minute passes in each second.
    slide = page.locator("[name=slide]")
    await slide.evaluate(
        "(it, at) => { it.value = at; it.dispatchEvent(new Event('change')); }", second - 400
    )
    await expect(frame).to_have_attribute("data-at", str(second - 400))
    await by_keys_alone(page, second - 400)
    await page.get_by_label("Speed").select_option("60")
    await page.get_by_role("button", name="Play").click()
    await page.wait_for_function(
        "at => Number(document.getElementById('then').dataset.at) >= at", arg=second - 280
    )
    await page.get_by_role("button", name="Play").click()
    reached = int(str(await frame.get_attribute("data-at")))
    assert (reached - second + 400) % 60 == 0
    await page.context.close()


async def by_keys_alone(page: Page, at: int) -> None:
    """A second, a minute, the end and back, without a mouse; where it stands is said in words."""
    frame, slide = page.locator("#then"), page.locator("[name=slide]")
    await slide.focus()
    for key, second in (
        ("ArrowRight", at + 1), ("ArrowDown", at), ("PageUp", at + 60), ("PageDown", at),
        ("Home", int(str(await slide.get_attribute("min")))),
    ):  # fmt: skip
        await page.keyboard.press(key)
        await expect(frame).to_have_attribute("data-at", str(second))
        said = f"{datetime.fromtimestamp(second, ZoneInfo(await zone_of(page))):%H:%M:%S}"
        await expect(slide).to_have_attribute("aria-valuetext", re.compile(f"{said}$"))
    await expect(slide).to_be_focused()
    await page.locator("[name=at]").fill(moment_of(at, await zone_of(page)))
    await page.keyboard.press("Enter")
    await expect(frame).to_have_attribute("data-at", str(at))
    assert await page.evaluate("complaints") == []


async def zone_of(page: Page) -> str:
    """The zone in which the page says its times."""
    return str(await page.locator("body").get_attribute("data-zone"))


def moment_of(second: int, zone: str) -> str:
    """A second as the page's field takes it."""
    return f"{datetime.fromtimestamp(second, ZoneInfo(zone)):%Y-%m-%dT%H:%M:%S}"


async def late_is_drawn_as_late(ward: Ward, chromium: Browser, sent: int) -> None:
    """A monitor that fell silent: amber, then withdrawn, by the clock of that time."""
    await is_stored(ward, sent + 18 * SECOND)
    page = await ward.open(chromium, "icu.h2", f"/icu/{UNIT}/past?lang=en&bed={SILENT}")
    pulse = page.locator(f"#bed-{SILENT}-{PULSE}")
    for after_s, state, text in ((9, "stale", "77"), (18, "gone", "– –")):
        at = iso(sent + after_s * SECOND)
        await page.goto(f"{ward.http}/icu/{UNIT}/past?lang=en&at={at}&bed={SILENT}")
        await expect(pulse).to_have_attribute("data-q", state)
        await expect(pulse.locator(".n")).to_have_text(text)
    await page.context.close()
