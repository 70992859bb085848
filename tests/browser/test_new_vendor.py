"""A new vendor's feed is understood by pages alone, and the stored past with it."""

from __future__ import annotations

from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from simulators.clients import MllpClient
from simulators.messages import hl7_time
from tests.browser.test_ed_desk import until_on
from tests.browser.ward import Ward, now_us, until

pytestmark = pytest.mark.asyncio(loop_scope="session")

BED = "h2-icu-1-05"
OWN, NAME = "NV_4711", "Puls NeuVendor"


def pulse(bed: str, per_min: int, number: str = "", who: str = "") -> bytes:
    """A heart rate under a code that nobody has heard of, platelets in an unknown unit."""
    at = hl7_time(now_us())
    segments = (
        f"MSH|^~\\&|NEUVENDOR|WARD|||{at}||ORU^R01^ORU_R01|{number or uuid4().hex[:20]}|P|2.6",
        f"PID|1||{who}",
        f"PV1||I|h2-icu-1^^{bed}",
        f"OBR|1|||^monitor|||{at}",
        f"OBX|1|NM|{OWN}^{NAME}^99NEUVENDOR||{per_min}|/min|||||F|||{at}",
        f"OBX|2|NM|777-3^^LN||{per_min}|Gpt/l|||||F|||{at}",
    )
    return ("\r".join(segments) + "\r").encode()


async def test_a_new_vendors_code_is_mapped_on_a_page_and_its_stored_values_are_read_through_it(
    ward: Ward, chromium: Browser
) -> None:
    host, _, port = ward.run["mllp"].partition(":")
    line = MllpClient(host, int(port))

    async def send(per_min: int) -> None:
        assert (await line.send(pulse(BED, per_min))).stored

    async def unread() -> bool:
        return NAME in (await ward.bed("nurse.h2", BED))["values"]

    await send(71)
    await until(unread)
    desk = await ward.open(chromium, "admin.h2", "/codes?lang=en")
    article = desk.locator(f"article[data-code='{OWN}']")
    await until_on(desk, article)
    await expect(article).to_contain_text("for example 71")
    form = article.locator("form[data-scope='source']")
    await form.locator("select[name=key]").select_option("hr")
    await form.locator("input[name=reason]").fill("Manual, page 12")
    await form.locator("button").click()
    await expect(desk.locator(f"form[data-mapped='{OWN}']")).to_be_visible()
    await expect(article).to_have_count(0)
    await expect(desk.locator("#history + ul")).to_contain_text("Manual, page 12")

    async def understood() -> bool:
        await send(72)
        shown = (await ward.bed("nurse.h2", BED))["values"]
        return NAME not in shown and shown.get("8867-4", {}).get("value") == 72

    async def both() -> str:
        async with ward.client("nurse.h2") as nurse:
            path = f"/api/v1/icu/beds/{BED}/measurements?code=8867-4"
            stored = (await nurse.get(path)).text
        return stored if '"value":71' in stored and '"value":72' in stored else ""

    await until(understood)
    assert f"{OWN} [/min], read by mapping 1" in await until(both)
    await desk.locator(f"form[data-mapped='{OWN}'] button").click()
    await expect(desk.locator("#mapped ~ p.nothing")).to_be_visible()
    await unit_is_said(ward, desk)
    await lines_of_feeds(ward, desk)
    await desk.context.close()
    await refused(ward, chromium, line)
    await line.close()


async def unit_is_said(ward: Ward, desk: Page) -> None:
    """A code of ours in a unit that nobody has heard of: only the unit is said."""
    form = desk.locator("article[data-code='777-3'] form[data-scope='source']")
    await until_on(desk, form)
    await form.locator("select[name=key]").select_option("platelets|10*9/L")
    await form.locator("button").click()
    await expect(desk.locator("form[data-mapped='777-3']")).to_contain_text("10*9/L")
    said = "777-3 [Gpt/l], read by mapping 1"

    async def read() -> bool:
        async with ward.client("nurse.h2") as nurse:
            path = f"/api/v1/icu/beds/{BED}/measurements?code=777-3"
            return said in (await nurse.get(path)).text

    await until(read)
    await desk.locator("form[data-mapped='777-3'] button").click()


async def lines_of_feeds(ward: Ward, desk: Page) -> None:
    """The bed stands for a sender that named no device; a registered one never sent."""

    async def heard() -> bool:
        await desk.goto(f"{ward.http}/feeds?lang=en")
        return await desk.locator(f"tr[data-bed='{BED}'][data-device='']").count() == 1

    await until(heard)
    await expect(desk.locator(f"tr[data-bed='{BED}'][data-device='']")).to_contain_text(" ± ")
    await expect(desk.locator(f"tr[data-device='{BED}-monitor']")).to_contain_text("never")


async def refused(ward: Ward, chromium: Browser, line: MllpClient) -> None:
    """What a sender was refused is found by its number, read without the patient, tried again."""
    number = f"NV{uuid4().hex[:12]}"
    answer = await line.send(pulse("no-such-bed", 71, number, "7712345^^^H^MR||Muster^Erika"))
    assert not answer.stored
    desk = await ward.open(chromium, "admin.h1", "/feeds/letters?source=loopback&lang=en")
    row = desk.locator(f"tr[data-letter='{number}']")
    await until_on(desk, row)
    await expect(row).to_contain_text("unknown_bed")
    await row.locator("a").click()
    kept = desk.locator("pre.kept")
    await expect(kept).to_contain_text("PID|9||9999999^^^x^xx||xxxxxx^xxxxx")
    await expect(kept).to_contain_text(f"|{number}|")
    await expect(kept).to_contain_text(f"{OWN}^{NAME}^99NEUVENDOR||71|/min")
    await desk.locator("form button.primary").click()
    await expect(desk.locator("li[data-outcome='refused']")).to_contain_text("is not known")
    await desk.context.close()
