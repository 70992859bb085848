"""The 12-lead of a case on its paper: found from the case, true in print, for every eye."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from simulators.ecg12 import Upload, file_of
from simulators.stories import scenario
from simulators.tablet import TabletLine
from tests.browser.axe import assert_accessible
from tests.browser.ward import WELL, Ward, now_us, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
MM: float = 96 / 25.4  # CSS pixels
FORMS: tuple[tuple[str, Any, dict[str, int]], ...] = (
    ("en", "light", {"width": 1920, "height": 1080}),
    ("ru", "dark", {"width": 1024, "height": 768}),
    ("ru", "light", {"width": 412, "height": 915}),
)


async def sent(ward: Ward) -> tuple[str, str]:
    """(case, ecg) of a chest pain whose 12-lead has arrived as the simulator sends it."""
    vehicle = ward.ambulance("h1-tablet-1")
    await vehicle.call(complaint="chest_pain")
    await vehicle.measure(WELL)
    data = file_of(scenario("stemi", 7), 60.0, now_us(), "R1")
    upload = Upload(vehicle.case, data, now_us(), hashlib.sha256(data).hexdigest())
    token = next(one["token"] for one in ward.run["devices"] if one["id"] == "h1-tablet-1")
    line = TabletLine(ward.http, token)
    while upload.waiting:
        await upload.send_part(line)
    await line.close()

    async def listed() -> bool:
        shown = await ward.json("ed.h1", f"/api/v1/prearrivals/{vehicle.case}")
        return any(ecg["complete"] for ecg in shown["ecgs"])

    await until(listed)
    return vehicle.case, upload.id


async def test_the_sheet_is_found_read_and_printed_in_millimetres(
    ward: Ward, chromium: Browser
) -> None:
    case, ecg = await sent(ward)
    page = await ward.open(chromium, "ed.h1", f"/ed/cases/{case}")
    await page.locator(".ecg-link").click()
    await expect(page.locator(".sheet .lead")).to_have_count(13)
    assert page.url.endswith(f"/ed/cases/{case}/ecgs/{ecg}")
    await expect(page.locator(".paper .demo")).to_have_text("SIM")
    await page.emulate_media(media="print")
    await expect(page.locator(".bar")).to_be_hidden()
    await expect(page.locator(".printed")).to_contain_text("DEMO")
    drawn = await page.locator(".sheet").bounding_box()
    pulse = await page.evaluate("document.querySelector('.trace').getBBox().height")
    assert drawn is not None
    assert drawn["width"] / MM == pytest.approx(265, abs=0.2)
    assert drawn["width"] / 265 == pytest.approx(drawn["height"] / 130, rel=0.01)
    assert pulse == pytest.approx(10)  # of the drawing's own millimetres: 1 mV
    await page.context.close()
    await ward.clear_the_street()


async def test_axe_finds_nothing_on_the_sheet_in_any_form(ward: Ward, chromium: Browser) -> None:
    case, ecg = await sent(ward)

    async def looked_at(lang: str, scheme: Any, size: Any) -> None:
        path = f"/ed/cases/{case}/ecgs/{ecg}?lang={lang}"
        page = await ward.open(chromium, "ed.h1", path, viewport=size, color_scheme=scheme)
        await assert_accessible(page)
        assert await page.evaluate("complaints") == []
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size["width"], "only the paper rolls"
        ground = "getComputedStyle(document.querySelector('.ground')).fill"
        assert await page.evaluate(ground) == "rgb(255, 251, 249)", "light paper in both themes"
        await page.context.close()

    await asyncio.gather(*(looked_at(*form) for form in FORMS))
    await ward.clear_the_street()
