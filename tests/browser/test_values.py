"""Values on the wall of the real system: they come, grow old and go as SAFETY.md I6 says."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Browser, Page, expect

from hospital_ops.clock import SECOND
from tests.browser.ward import Ward, now_us, until

# Whatever a tile says while it grows old, however slowly the test looks.
WATCH_AGES = """(tile) => {
  window.seen = [];
  const text = (part) => document.querySelector(`${tile} ${part}`)?.textContent ?? "";
  new MutationObserver(() => {
    const cell = `[id$="8867-4"]`;
    const q = document.querySelector(`${tile} ${cell}`).dataset.q ?? "";
    seen.push({q, number: text(`${cell} .n`), ago: text(`${cell} .ago`), aged: text(".aged")});
  }).observe(document, {subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ["data-q"]});
}"""
# A slow page may look for the first time later than at five seconds.
SECONDS = re.compile(r"^([5-9]|[1-5]\d) s$")
AGED = re.compile(r"Data ([5-9]|[1-5]\d) s ago")
pytestmark = pytest.mark.asyncio(loop_scope="session")
ICU = "/icu/h1-icu-1"
HR, SPO2, GCS, NIBP = "8867-4", "59408-5", "9269-2", "bp"


def value(page: Page, bed: str, slot: str) -> str:
    """The selector of a value of a bed."""
    return f"#bed-{bed}-{slot}"


async def board(ward: Ward, chromium: Browser, name: str = "nurse.h1", path: str = ICU) -> Page:
    """A board that says it is live."""
    page = await ward.open(chromium, name, path, viewport={"width": 1920, "height": 1080})
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    return page


async def unharmed(page: Page) -> None:
    """Nothing in the page's program failed, and its policy refused nothing."""
    assert await page.evaluate("complaints") == []


async def test_a_value_changes_on_the_wall_when_the_device_sends(
    ward: Ward, chromium: Browser
) -> None:
    page = await board(ward, chromium)
    await page.evaluate("window.sameDocument = true")
    monitor = ward.monitor("h1-icu-1-01")
    for hr in (71, 84, 139):
        async with monitor.sending(hr=hr, spo2=97, abp_sys=121, abp_dia=64, abp_mean=83):
            cell = page.locator(value(page, monitor.bed, HR))
            await expect(cell.locator(".n")).to_have_text(str(hr))
            shown = await ward.bed("nurse.h1", monitor.bed)
            assert shown["values"][HR]["value"] == hr
    assert await page.evaluate("sameDocument") is True
    await unharmed(page)
    await page.context.close()
    await monitor.close()


async def test_what_stops_turns_amber_then_goes_and_what_was_typed_stays(
    ward: Ward, chromium: Browser
) -> None:
    """One look at four beds: one goes on, one stops, one has typed values, one has a cuff."""
    beds = ("h1-icu-1-05", "h1-icu-1-06", "h1-icu-1-07", "h1-icu-1-08")
    cuff, on, off, typed = map(ward.monitor, beds)
    page = await board(ward, chromium)
    await typed.type_in("9269-2", "13")
    now = now_us()
    for minutes in (30, 20, 10):
        await cuff.send(cuff=(127, 58, 81), at_us=now - minutes * 60 * SECOND)
    for seconds in range(6, 0, -1):  # it measures every second
        await off.send(hr=122, spo2=91, at_us=now - seconds * SECOND)
    stopped = page.locator(value(page, off.bed, HR))
    async with on.sending(hr=77, spo2=98), cuff.sending(hr=64):
        async with off.sending(hr=123, spo2=91):
            await expect(stopped.locator(".n")).to_have_text("123")
            await expect(stopped).not_to_have_attribute("data-q", re.compile("stale|gone"))
            await page.evaluate(WATCH_AGES, f"#bed-{off.bed}")
        await expect(stopped).to_have_attribute("data-q", "gone")
        await expect(stopped.locator(".n")).to_have_text("– –")
        stale = [seen for seen in await page.evaluate("seen") if seen["q"] == "stale"]
        assert {seen["number"] for seen in stale} == {"123"}
        assert all(SECONDS.search(seen["ago"]) for seen in stale)
        assert any(AGED.search(seen["aged"]) for seen in stale)
        await expect(page.locator(f"#bed-{off.bed}")).not_to_contain_text("123")
        line = page.locator(f"#bed-{off.bed} .foot")
        await expect(line).to_have_attribute("data-p", "low")  # technical: a line, never filled
        await expect(line).to_contain_text("No data from the bed")
        await expect(page.locator("#queue")).to_contain_text("No data from the bed")

        going = page.locator(value(page, on.bed, HR))
        await expect(going.locator(".n")).to_have_text("77")
        await expect(going.locator(".ago")).to_have_text("")
        gcs = page.locator(value(page, typed.bed, GCS))
        await expect(gcs.locator(".n")).to_have_text("13")
        await expect(gcs.locator(".at")).to_contain_text(":")
        nibp = page.locator(value(page, cuff.bed, NIBP))
        await expect(nibp.locator(".n")).to_have_text("127/58")
        await expect(nibp.locator(".at")).to_contain_text(":")

        async def withdrawn() -> bool:
            bed = await ward.bed("nurse.h1", off.bed)
            said = {alarm["code"] for alarm in bed["alarms"]} == {"no_data", "silent_sensor"}
            return said and bed["values"][HR]["value"] is None

        await until(withdrawn)
        for monitor, code, kept in ((typed, GCS, 13), (cuff, "8480-6", 127)):
            bed = await ward.bed("nurse.h1", monitor.bed)
            assert (bed["values"][code]["value"], bed["alarms"]) == (kept, [])
        # It measures again: the number is back, the alarm ends.
        async with off.sending(hr=88, spo2=95):
            await expect(stopped.locator(".n")).to_have_text("88")
            await expect(line).not_to_contain_text("No data from the bed")
    await unharmed(page)
    await page.context.close()
    await asyncio.gather(*(each.close() for each in (on, off, typed, cuff)))


async def test_both_languages_show_the_same_bed(ward: Ward, chromium: Browser) -> None:
    monitor = ward.monitor("h1-icu-1-03")
    english = await board(ward, chromium, path=f"{ICU}?lang=en")
    russian = await board(ward, chromium, path=f"{ICU}?lang=ru")
    async with monitor.sending(hr=72, spo2=97, rr=14, temp=37.4):
        for page, label, number in ((english, "RR", "37.4"), (russian, "ЧД", "37,4")):
            cell = page.locator(value(page, monitor.bed, "8310-5"))
            await expect(cell.locator(".n")).to_have_text(number)
            await expect(page.locator(f"#bed-{monitor.bed} .row2 .name").nth(1)).to_have_text(label)
        await expect(english.locator("[data-part=link-words]")).to_have_text("Live")
        await expect(russian.locator("html")).to_have_attribute("lang", "ru")
        await expect(russian.locator("[data-part=link-words]")).not_to_have_text("Live")
    for page in (english, russian):
        await unharmed(page)
        await page.context.close()


async def test_what_cannot_be_true_is_no_number_on_the_wall(ward: Ward, chromium: Browser) -> None:
    page = await board(ward, chromium)
    monitor = ward.monitor("h1-icu-1-09")
    await monitor.type_in("8867-4", "4000")
    await monitor.type_in("59408-5", "NaN")

    async def invalid() -> bool:
        values = (await ward.bed("nurse.h1", monitor.bed))["values"]
        return all(values.get(code, {}).get("state") == "invalid" for code in (HR, SPO2))

    await until(invalid)
    for slot in (HR, SPO2):
        cell = page.locator(value(page, monitor.bed, slot))
        await expect(cell).to_have_attribute("data-q", "invalid")
        await expect(cell.locator(".ago")).to_have_text("invalid")
    tile = page.locator(f"#bed-{monitor.bed}")
    await expect(tile).not_to_contain_text("4000")
    await expect(tile).not_to_contain_text("NaN")
    await unharmed(page)
    await page.context.close()
    await monitor.close()
