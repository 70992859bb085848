"""Senders that are not ours drive the demonstration as it is; devices are bound at the bedside."""

from __future__ import annotations

import asyncio

import hl7.client
import pytest
from playwright.async_api import Browser, expect

from hospital_ops.clock import iso
from simulators.messages import hl7_time
from tests.browser.axe import assert_accessible
from tests.browser.ward import Ward, now_us, until
from tests.unit.test_care import observation

pytestmark = pytest.mark.asyncio(loop_scope="session")

BED, UNIT = "h2-icu-1-10", "h2-icu-1"
MONITOR = f"{BED}-monitor"


async def shown(ward: Ward, code: str, wanted: float) -> None:
    """Waits until the board shows a value of the bed."""

    async def there() -> bool:
        values = (await ward.bed("nurse.h2", BED))["values"]
        return bool(values.get(code, {}).get("value") == wanted)

    await until(there)


def oru(mrn: str) -> str:
    """A heart rate of 83 as a monitor tells it."""
    at = hl7_time(now_us())
    return (
        f"MSH|^~\\&|GW||||{at}||ORU^R01^ORU_R01|LIB-{at}|P|2.6\r"
        f"PID|||{mrn}^^^HOSP^MR\rPV1||I|{UNIT}^^{BED}\r"
        f"OBR|1|||182777000^monitoring of patient^SCT|||{at}\r"
        f"OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.2.1.1|83|264864^^MDC|||||R|||{at}\r"
    )


async def test_the_client_of_library_hl7_and_a_poster_of_care_drive_the_demonstration_unchanged(
    ward: Ward,
) -> None:
    host, _, port = ward.run["mllp"].partition(":")

    def send() -> str:
        with hl7.client.MLLPClient(host, int(port)) as client:
            return str(client.send_message(oru(ward.patient(BED)["mrn"])).decode())

    answer = await asyncio.to_thread(send)
    assert "MSA|AA|LIB-" in answer
    await shown(ward, "8867-4", 83)

    at = iso(now_us())
    payload = [[observation("SpO2", value=96, unit="%") | {"date-time": at, "device_id": MONITOR}]]
    async with ward.client(f"tablet:{MONITOR}") as poster:
        posted = await poster.post("/update_observations", json=payload)
    assert posted.status_code == 200
    assert (posted.json()["stored"], posted.json()["rejected"]) == (1, [])
    await shown(ward, "59408-5", 96)


async def test_a_nurse_takes_a_monitor_from_a_bed_and_binds_it_again_by_the_code_at_the_bed(
    ward: Ward, chromium: Browser
) -> None:
    desk = await ward.open(chromium, "nurse.h2", f"/icu/{UNIT}/bed-codes?lang=en")
    beds = sum(1 for bed in ward.run["beds"] if bed["unit"] == UNIT)
    await expect(desk.locator(".bedcodes img")).to_have_count(beds)
    await assert_accessible(desk, "the codes of the beds")
    await desk.goto(f"{ward.http}/icu/beds/{BED}/binding?from=qr&lang=ru")
    await assert_accessible(desk, "who is it, in Russian")
    here = desk.locator(f"form[data-device='{MONITOR}']")
    await expect(here).to_contain_text("учтён здесь")
    await here.locator("button").click()
    await expect(here).to_have_count(0)
    await desk.goto(f"{ward.http}/icu/beds/{BED}/binding?from=qr&lang=en")
    bind = desk.locator("form", has=desk.locator("input[name=act][value=bind]"))
    await bind.locator("input[name=device]").fill(MONITOR)
    await bind.locator("button").click()
    await expect(here).to_contain_text("by the code at the bed")
    await assert_accessible(desk, "who is it, in English")
    await desk.context.close()
