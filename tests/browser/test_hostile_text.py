"""Text that devices and crews send is text: it is shown, cut to its place, and never run."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.async_api import Browser, expect

from tests.browser.ward import WELL, Ward, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("clear_street"),
]
PAYLOADS: Final = (
    "<script>window.run=1</script>",
    "<img src=x onerror=window.run=1>",
    '"><svg onload=window.run=1>',
    "'-alert(1)-'{{7*7}}${7*7}",
    "</template><b hx-get=/sign-out hx-trigger=load>x</b>",
    '<div hx-swap-oob="true" id="board">gone</div>',
    "javascript:window.run=1",
    '<a href="javascript:window.run=1" autofocus onfocus=window.run=1>x</a>',
    "\u202eтxet \u0000\u0007 <style>*{display:none}</style>",
)


def hl7_text(text: str) -> str:
    """Text as a field of HL7: its separators escaped."""
    for sign, code in (("\\", "E"), ("|", "F"), ("^", "S"), ("&", "T"), ("~", "R")):
        text = text.replace(sign, f"\\{code}\\")
    return text.replace("\x00", "")


async def test_hostile_text_of_a_monitor_is_only_text(ward: Ward, chromium: Browser) -> None:
    page = await ward.open(chromium, "nurse.h1", "/icu/h1-icu-1")
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    monitor = ward.monitor("h1-icu-1-04")
    for n, payload in enumerate(PAYLOADS):
        text = hl7_text(payload)
        await monitor.type_in("80288-4", text, kind="ST", name=f"{text}^{text}")
        await monitor.type_in(f"{text[:60]}{n}", text, kind="ST", name=f"{text}^{text}")
        await monitor.type_in("9269-2", text, kind="ST")
    async with monitor.sending(hr=61, spo2=99):
        await expect(page.locator(f"#bed-{monitor.bed}-8867-4 .n")).to_have_text("61")
    await unhurt(page)
    await page.reload()
    await unhurt(page)
    await page.context.close()


async def test_hostile_text_of_a_crew_is_only_text(ward: Ward, chromium: Browser) -> None:
    page = await ward.open(chromium, "ed.h1", "/ed/h1-ed")
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    vehicles = []
    for payload in PAYLOADS:
        vehicle = ward.ambulance("h1-tablet-2")
        await vehicle.call(
            complaint=payload, mechanism=payload, crew=payload, sex=payload, signs=[payload],
            age_band=payload, notify=payload, **{payload: payload},
        )  # fmt: skip
        await vehicle.measure({**WELL, "80288-4": payload, payload[:60]: payload})
        vehicles.append(vehicle)

    async def all_there() -> bool:
        shown = await ward.json("ed.h1", "/api/v1/boards/h1-ed")
        return {one.case for one in vehicles} <= {case["id"] for case in shown["cases"]}

    await until(all_there)
    await expect(page.locator(f"#case-{vehicles[-1].case}")).to_be_visible()
    await unhurt(page)
    card = page.locator(f"#case-{vehicles[0].case}")
    await expect(card).to_contain_text(PAYLOADS[0])
    for vehicle in vehicles:
        await page.goto(f"{ward.http}/ed/cases/{vehicle.case}")
        await expect(page.get_by_role("heading", name="Why")).to_be_visible()
        await unhurt(page)
    await page.get_by_role("button", name="Heard").click()
    await expect(page.locator("text=heard by ed.h1")).to_be_visible()
    await unhurt(page)
    await page.context.close()


async def unhurt(page: Any) -> None:
    """Nothing ran, nothing was tried, the page is still there and still signed in."""
    assert await page.evaluate("window.run") is None
    assert await page.evaluate("complaints") == []
    assert await page.locator("main").count() == 1
    live = "main script, main iframe, main [onerror], main [onload], main [onfocus], main [hx-get]"
    assert await page.locator(live).count() == 0
    assert await page.locator("main a[href^=javascript]").count() == 0
    assert await page.locator("main").is_visible()
