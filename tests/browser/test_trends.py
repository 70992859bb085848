"""A week of a stay on one axis: from the whole of it down to the single beat; and hand entry."""

from __future__ import annotations

import math
import struct
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from hospital_ops import database
from hospital_ops.clock import SECOND, to_datetime
from streams.columns import COLUMNS
from tests.browser.ward import Ward, now_us, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
BED = "h1-icu-1-10"
DAY_US = 86_400 * SECOND
RATE_HZ, BEAT_S = 250, 0.8


async def stored_week(ward: Ward) -> int:
    """A week of heart rates and ten seconds of ECG, as the archive keeps them; their end."""
    end = now_us() // SECOND * SECOND - 600 * SECOND
    start = end - 7 * DAY_US
    unit = BED.rpartition("-")[0]
    common: dict[str, Any] = {
        "hospital_id": "h1", "unit": unit, "place": BED, "patient_id": None, "device": "made-up",
        "source": "made-up", "source_message_id": "1", "channel": "", "device_time": None,
        "mode": "Demo", "entry_id": "1-0",
    }  # fmt: skip
    values = [
        common | {
            "event_id": uuid4(), "code": "8867-4", "value": 80 + 15 * math.sin(n / 50),
            "value_text": None, "physical_unit": "/min", "determined_at": to_datetime(at),
            "received_at": to_datetime(at), "stored_at": to_datetime(at), "validity": "Vld",
            "origin": "monitor", "remark": "",
        }
        for n, at in enumerate(range(start, end, 300 * SECOND))
    ]  # fmt: skip
    beat = [round(1000 * math.exp(-(((n / RATE_HZ) % BEAT_S - 0.4) ** 2) / 0.0004))
            for n in range(RATE_HZ)]  # fmt: skip
    pieces = [
        common | {
            "code": "131330", "started_at": to_datetime(end - (10 - second) * SECOND),
            "received_at": to_datetime(end), "rate_hz": float(RATE_HZ), "scale": 0.001,
            "value_offset": 0.0, "physical_unit": "mV",
            "samples": struct.pack(f"<{RATE_HZ}h", *beat), "sequence": second,
        }
        for second in range(10)
    ]  # fmt: skip
    db = await database.connect(ward.run["database_url"], "writer", name="test")
    try:
        async with db.transaction() as connection:
            for table, rows in (("measurement", values), ("waveform", pieces)):
                await connection.copy_records_to_table(
                    table,
                    records=[tuple(row[c] for c in COLUMNS[table]) for row in rows],
                    columns=COLUMNS[table],
                )
    finally:
        await db.close()
    return end


async def drawn(page: Page) -> tuple[int, int]:
    """The range that is drawn, once it is."""
    section = page.locator("#trends")
    await expect(section).to_have_attribute("data-state", "drawn", timeout=20_000)
    data: dict[str, str] = await section.evaluate("(it) => ({...it.dataset})")
    return int(float(data["from"])), int(float(data["to"]))


async def test_a_week_is_zoomed_down_to_the_single_beat(ward: Ward, chromium: Browser) -> None:
    end = await stored_week(ward)
    page = await ward.open(chromium, "nurse.h1", f"/icu/beds/{BED}/trends")
    await drawn(page)
    await page.locator('[data-span="7d"]').click()
    first, last = await drawn(page)
    assert last - first == 7 * DAY_US
    assert abs(last - end) < DAY_US
    await expect(page.locator("#trends-export")).to_be_hidden()  # more than a file may hold
    lane = page.locator('.lane[data-codes="8867-4"]')
    await expect(lane).to_be_visible()
    rows = page.locator("#trend-table tbody tr")
    await expect(rows.first).to_contain_text("–")  # a step of the week holds lowest and highest
    await page.evaluate(f"location.hash = 'from={end - 600 * SECOND}&to={end}'")
    await page.reload()
    await drawn(page)
    await page.locator("#lanes").focus()
    for _ in range(9):
        first, last = await drawn(page)
        if last - first <= 5 * SECOND:
            break
        # Zoom about the end of the stored curve: move there, then halve the range.
        await page.keyboard.press("+")
        await page.keyboard.press("ArrowRight")
        await page.wait_for_function(
            "(before) => document.getElementById('trends').dataset.state === 'drawn'"
            " && Number(document.getElementById('trends').dataset.from) !== before",
            arg=first,
            timeout=20_000,
        )
    first, last = await drawn(page)
    assert last - first < 60 * SECOND
    await page.evaluate(f"location.hash = 'from={end - 8 * SECOND}&to={end - 4 * SECOND}'")
    await page.reload()
    await drawn(page)
    strip = page.locator("#strip")
    await expect(strip).to_be_visible()
    curves = int(await page.locator("#trends").get_attribute("data-curves") or 0)
    assert abs(curves - 4 * RATE_HZ) <= 2  # every stored sample of the four seconds
    for form, beginning in (("wfdb", b"PK"), ("edf", b"0       X X X X ")):
        link = page.locator(f'[data-export="{form}"]')
        await expect(link).to_be_visible()
        file = await page.request.get(ward.http + str(await link.get_attribute("href")))
        assert file.status == 200, await file.text()
        assert (await file.body()).startswith(beginning)
    box = await page.locator("#lanes").bounding_box()
    assert box is not None
    beat_px = box["width"] * BEAT_S / 4
    for x in (box["x"] + 60, box["x"] + 60 + beat_px):
        await page.mouse.click(x, box["y"] + box["height"] - 10)
    apart = int(await page.locator("#trends").get_attribute("data-caliper") or 0)
    assert abs(apart - 1000 * BEAT_S) < 20
    assert await page.evaluate("complaints") == []
    await page.context.close()


async def test_what_a_nurse_charts_appears_on_the_wall_and_a_correction_keeps_the_old(
    ward: Ward, chromium: Browser
) -> None:
    bed = "h1-icu-1-11"
    page = await ward.open(chromium, "nurse.h1", f"/icu/beds/{bed}/flowsheet")
    for name, text in (("urine", "430"), ("fluid_in", "250"), ("rass", "-1"), ("pain", "2")):
        await page.locator(f".entry [name={name}]").fill(text)
    await page.locator(".entry button[type=submit]").click()
    await expect(page.locator("[role=status]")).to_be_visible(timeout=15_000)

    async def shown() -> dict[str, Any]:
        board = await ward.json("nurse.h1", "/api/v1/boards/h1-icu-1")
        found: dict[str, Any] = next(row for row in board["beds"] if row["bed"] == bed)
        return found

    async def value(code: str) -> Any:
        return (await shown())["values"].get(code, {}).get("value")

    async def charted() -> bool:
        return bool(await value("9187-6") == 430)

    await until(charted)
    on_wall = await shown()
    assert on_wall["values"]["9187-6"]["state"] == "spot"
    assert on_wall["indicators"]["balance"]["value"] == -180
    row = page.locator("tbody tr", has=page.locator("th", has_text="Urine"))

    async def stored() -> bool:
        await page.goto(f"{ward.http}/icu/beds/{bed}/flowsheet")
        return await row.count() > 0

    await until(stored)
    await row.locator("summary").click()
    await row.locator("[name=value]").fill("43")
    await row.locator("[name=reason]").fill("a nought too many")
    await row.locator("details button").click()
    await expect(page.locator("[role=status]")).to_be_visible(timeout=15_000)

    async def corrected() -> bool:
        return bool(await value("9187-6") == 43)

    await until(corrected)

    async def kept() -> bool:
        await page.goto(f"{ward.http}/icu/beds/{bed}/flowsheet")
        return await row.locator("del").count() == 1

    await until(kept)
    assert (await shown())["indicators"]["balance"]["value"] == 207
    assert await page.evaluate("complaints") == []
    await page.context.close()
