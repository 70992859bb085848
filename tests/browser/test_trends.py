"""A week of a stay on one axis: from the whole of it down to the single beat; and hand entry."""

from __future__ import annotations

import math
import struct
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, Route, expect

from hospital_ops import database
from hospital_ops.clock import SECOND, iso, to_datetime
from streams.columns import COLUMNS
from tests.browser.axe import assert_accessible
from tests.browser.pdf_paths import lines_of
from tests.browser.ward import Ward, now_us, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
BED = "h1-icu-1-02"
DAY_US = 86_400 * SECOND
RATE_HZ, BEAT_S = 250, 0.8
# Which share of the height is painted in the columns about a place of a curve.
PAINTED = """(canvas, share) => {
  const [x, height] = [Math.round(canvas.width * share), canvas.height];
  const dots = canvas.getContext("2d").getImageData(x - 2, 0, 5, height).data;
  let rows = 0;
  for (let y = 0; y < height; y += 1) {
    rows += [0, 1, 2, 3, 4].some((n) => dots[4 * (5 * y + n) + 3] > 40);
  }
  return rows / height;
}"""


async def stored_week(ward: Ward, bed: str = BED, days: int = 7) -> int:
    """A week of heart rates and ten seconds of ECG, as the archive keeps them; their end."""
    end = now_us() // SECOND * SECOND - 600 * SECOND
    start = end - days * DAY_US
    unit = bed.rpartition("-")[0]
    common: dict[str, Any] = {
        "hospital_id": "h1", "unit": unit, "place": bed, "patient_id": None, "device": "made-up",
        "source": "made-up", "source_message_id": "1", "channel": "", "device_time": None,
        "mode": "Demo", "entry_id": "1-0",
    }  # fmt: skip
    values = [
        common | {
            "event_id": uuid4(), "code": "8867-4", "value": 80 + 15 * math.sin(n / 50),
            "value_text": None, "physical_unit": "/min", "determined_at": to_datetime(at),
            "received_at": to_datetime(at), "stored_at": to_datetime(at), "validity": "Vld",
            "origin": "monitor", "remark": "", "named": None,
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


async def looked_at(page: Page) -> None:
    """axe finds nothing, and the page's program ran without an error."""
    await assert_accessible(page, page.url)
    assert await page.evaluate("complaints") == []


async def drawn(page: Page) -> tuple[int, int]:
    """The range that is drawn, once it is."""
    section = page.locator("#trends")
    await expect(section).to_have_attribute("data-state", "drawn")
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
    # A step of the week holds lowest and highest; the newest one may have begun just now.
    await expect(rows.filter(has_text="–").first).to_be_visible()
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
    # Both calipers stand on the curve itself, where they were set.
    share = 60 / box["width"]
    assert await strip.locator("canvas.now").evaluate(PAINTED, share) > 0.95
    await nobody_elses_on_this_page(page)
    assert await page.evaluate("complaints") == []
    await page.context.close()


async def test_what_a_nurse_charts_appears_on_the_wall_and_a_correction_keeps_the_old(
    ward: Ward, chromium: Browser
) -> None:
    bed = "h1-icu-1-23"
    page = await ward.open(chromium, "nurse.h1", f"/icu/beds/{bed}/flowsheet")
    for name, text in (("urine", "430"), ("fluid_in", "250"), ("rass", "-1"), ("pain", "2")):
        await page.locator(f".entry [name={name}]").fill(text)
    await page.locator(".entry button[type=submit]").click()
    await expect(page.locator("[role=status]")).to_be_visible()

    async def on_wall(urine: float, balance: float) -> None:
        async def there() -> bool:
            shown = await ward.bed("nurse.h1", bed)
            value, sums = shown["values"].get("9187-6", {}), shown["indicators"].get("balance", {})
            said = (value.get("value"), value.get("state"), sums.get("value"))
            return said == (urine, "spot", balance)

        await until(there)

    await on_wall(430, -180)
    row = page.locator("tbody tr", has=page.locator("th", has_text="Urine"))

    async def stored() -> bool:
        await page.goto(f"{ward.http}/icu/beds/{bed}/flowsheet")
        return await row.count() > 0

    await until(stored)
    await row.locator("summary").click()
    await row.locator("[name=value]").fill("43")
    await row.locator("[name=reason]").fill("a nought too many")
    await row.locator("details button").click()
    await expect(page.locator("[role=status]")).to_be_visible()

    await on_wall(43, 207)

    async def kept() -> bool:
        await page.goto(f"{ward.http}/icu/beds/{bed}/flowsheet")
        return await row.locator("del").count() == 1

    await until(kept)
    assert await page.evaluate("complaints") == []
    await page.context.close()


async def test_two_times_stand_side_by_side_and_the_strip_prints_to_scale(
    ward: Ward, chromium: Browser
) -> None:
    bed = "h1-icu-1-24"
    end = await stored_week(ward, bed, days=1)
    dark: dict[str, Any] = {"color_scheme": "dark"}
    page = await ward.open(chromium, "nurse.h1", f"/icu/beds/{bed}/trends?lang=ru", **dark)
    await drawn(page)
    await page.evaluate(f"location.hash = 'from={end - 3600 * SECOND}&to={end}'")
    await page.reload()
    first, last = await drawn(page)
    section, lanes = page.locator("#trends"), page.locator("#lanes")
    await a_move_stands_in_every_lane(page, end - 1000 * SECOND)

    async def beside() -> tuple[int, int]:
        await expect(section).to_have_attribute("data-state", "drawn")
        data: dict[str, str] = await section.evaluate("(it) => ({...it.dataset})")
        return int(float(data["besideFrom"])), int(float(data["besideTo"]))

    # By the keyboard alone: two times, then the left one moves back and both are stretched.
    await page.locator("#trends-two").focus()
    await page.keyboard.press("Enter")
    await expect(section).to_have_attribute("data-beside-to", str(first))
    assert await beside() == (first - (last - first), first)
    await lanes.focus()
    await page.keyboard.press("Shift+ArrowLeft")
    await expect(section).not_to_have_attribute("data-beside-to", str(first))
    moved = await beside()
    assert moved[1] < first
    assert await drawn(page) == (first, last)
    await page.keyboard.press("-")
    await expect(section).not_to_have_attribute("data-to", str(last))
    (wide_from, wide_to), (from_, to) = await beside(), await drawn(page)
    assert wide_to - wide_from == to - from_ == 2 * (last - first)
    shown = [await canvas.bounding_box() for canvas in await page.locator(
        '.lane[data-codes="8867-4"] canvas').all()]  # fmt: skip
    assert shown[0]
    assert shown[1]
    assert abs(shown[0]["width"] - shown[1]["width"]) <= 3
    await expect(page.locator("#trends-range")).to_contain_text("|")
    await looked_at(page)
    stay = (await ward.json("nurse.h1", f"/api/v1/icu/beds/{bed}/stay"))["stay"]
    for path in (
        f"/icu/beds/{bed}/flowsheet?lang=ru",
        f"/icu/stays/{stay}/report?lang=ru",
        "/icu/h1-icu-1/past?lang=ru",
    ):
        await page.goto(ward.http + path)
        await looked_at(page)
    await printed_to_scale(ward, page, bed, end)
    await page.context.close()


async def nobody_elses_on_this_page(page: Page) -> None:
    """The bed has got another patient: nothing of theirs stands under the name of the first."""

    async def of_another(route: Route) -> None:
        answer = await route.fetch()
        found = await answer.json() | {"patient_id": str(uuid4())}
        await route.fulfill(response=answer, json=found)

    await expect(page.locator("#trends-whose")).to_be_visible()
    await page.route("**/trends?*", of_another)
    await page.locator('[data-span="7d"]').click()
    await expect(page.locator("#trends")).to_have_attribute("data-state", "other")
    await expect(page.locator("#trends-whose")).to_be_hidden()
    await expect(page.locator("#trends-anew")).to_be_visible()
    await expect(page.locator("#trend-table tbody tr")).to_have_count(0)
    await expect(page.locator('.lane[data-codes="8867-4"]')).to_be_hidden()


async def a_move_stands_in_every_lane(page: Page, at: int) -> None:
    """When the patient came from another bed: an upright line through each curve, and words."""
    lane = page.locator('.lane[data-codes="8867-4"] canvas.now')
    first, last = await drawn(page)
    share = (at - first) / (last - first)
    before = await lane.evaluate(PAINTED, share)

    async def with_a_move(route: Route) -> None:
        answer = await route.fetch()
        move = {"at": iso(at), "kind": "move", "text": "7 → 24", "tone": "", "act": ""}
        found = await answer.json()
        await route.fulfill(response=answer, json=found | {"events": [*found["events"], move]})

    await page.route("**/trends/events?*", with_a_move)
    await page.reload()
    assert await drawn(page) == (first, last)
    await expect(page.locator("#trend-events")).to_contain_text("7 → 24")
    assert await lane.evaluate(PAINTED, share) > before + 0.3
    await page.unroute("**/trends/events?*")
    await page.reload()
    await drawn(page)


async def printed_to_scale(ward: Ward, page: Page, bed: str, end: int) -> None:
    """The PDF of a strip, measured on its paper: 25 mm a second, 10 mm a millivolt, a pulse."""
    span = f"from={iso(end - 10 * SECOND)}&to={iso(end)}"
    await page.goto(f"{ward.http}/icu/beds/{bed}/strip?{span}")
    await looked_at(page)
    lines = lines_of(await page.pdf(prefer_css_page_size=True))
    pulses = [line for line in lines if len(line) == 6 and _is_pulse(line)]
    assert pulses, "no pulse of 1 mV, 10 mm high and 5 mm wide"
    curve = max(lines, key=len)
    assert len(curve) > 8 * RATE_HZ
    top = max(y for _, y in curve)
    peaks = [x for x, y in curve if top - y < 0.01]
    assert top - min(y for _, y in curve) == pytest.approx(10.0, abs=0.05)
    assert len(peaks) >= 9
    # A beat each second of the stored curve, 25 mm of the paper.
    assert [b - a for a, b in pairwise(peaks)] == pytest.approx([25.0] * (len(peaks) - 1), abs=0.05)


def _is_pulse(line: list[tuple[float, float]]) -> bool:
    (_, foot), (left, _), (_, top), (right, _) = line[0], line[1], line[2], line[3]
    return abs(top - foot - 10.0) < 0.05 and abs(right - left - 5.0) < 0.05
