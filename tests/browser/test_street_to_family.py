"""The whole main job in one run: from the ambulance to the family's phone, nothing typed twice."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from hospital_ops import settings
from hospital_ops.commands import demo_relatives
from simulators.ecg12 import Upload, file_of
from simulators.messages import hl7_time
from simulators.stories import scenario
from simulators.tablet import TabletLine
from tests.browser.ward import Ambulance, Monitor, Ward, now_us, until

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("clear_street"),
]
BED = "h1-icu-1-16"
CHEST_PAIN: dict[str, Any] = {
    "age_years": 61,
    "sex": "M",
    "complaint": "chest_pain",
    "signs": ["acute_chest_pain"],
    "on_oxygen": True,
    "notify": "alert",
}
UNWELL: dict[str, float | str] = {
    "8867-4": 104, "9279-1": 22, "59408-5": 93, "8310-5": 36.9, "8480-6": 98, "8462-4": 61,
    "80288-4": "A", "9269-2": 15,
}  # fmt: skip


async def discharge(ward: Ward, bed: str) -> None:
    """The hospital's own system frees the bed: an A03 for whoever lies there."""
    monitor = Monitor(ward, bed)
    at = hl7_time(now_us())
    segments = (
        f"MSH|^~\\&|REGISTRATION|HOSPITAL|||{at}||ADT^A03^ADT_A03|{uuid4().hex[:20]}|P|2.6",
        f"EVN|A03|{at}||||{at}",
        f"PID|1||{monitor.mrn}^^^HOSP^MR",
        f"PV1|1|I|{monitor.unit}^^{bed}",
    )
    answer = await monitor.raw(("\r".join(segments) + "\r").encode())
    assert answer.stored, answer.text
    await monitor.close()


async def press(page: Page, name: str) -> None:
    """A button by its words."""
    await page.get_by_role("button", name=name).first.click()


async def decided_and_admitted(ward: Ward, chromium: Browser, vehicle: Ambulance) -> None:
    """The emergency physician hears, accepts red, and gives the free bed."""
    page = await ward.open(chromium, "ed.h1", "/ed/h1-ed")
    card = page.locator(f"#case-{vehicle.case}")
    await expect(card).to_have_attribute("data-t", "red")
    await card.locator("a.open").click()
    await press(page, "Heard")
    await press(page, "Accept: red")
    await page.wait_for_url("**/ed/h1-ed")
    shape = page.locator(f"#case-{vehicle.case} svg.shape")
    await expect(shape).to_have_attribute("data-by", "physician")
    await page.goto(f"{ward.http}/ed/cases/{vehicle.case}")
    heard = "penicillin, told by wife, told to the crew, not confirmed"
    await expect(page.locator("[aria-labelledby=allergies]")).to_contain_text(heard)
    await page.locator("select[name=bed]").select_option(BED)
    await press(page, "Admit")
    await page.wait_for_url("**/icu/h1-icu-1")


async def in_bed(ward: Ward) -> Any:
    """The bed as the intensive care board has it, once the new patient lies there."""

    async def asked() -> Any:
        bed = await ward.bed("icu.h1", BED)
        return bed if bed["patient"] and bed["patient"]["sex"] == "M" else None

    return await until(asked)


async def test_a_red_patient_goes_from_the_street_to_a_bed_and_the_family_hears(
    ward: Ward, chromium: Browser
) -> None:
    await discharge(ward, BED)
    vehicle = ward.ambulance("h1-tablet-1")
    await vehicle.call(**CHEST_PAIN)
    await vehicle.measure(UNWELL)
    ecg = await twelve_leads(ward, vehicle.case)
    told = {"kind": "allergy", "what": "penicillin", "who": "wife"}
    await vehicle.does(told)

    async def free() -> bool:
        page = await ward.open(chromium, "ed.h1", f"/ed/cases/{vehicle.case}")
        ready = f"select[name=bed] option[value='{BED}']:not([disabled])"
        found = await page.locator(ready).count()
        await page.context.close()
        return bool(found)

    await until(free)
    await decided_and_admitted(ward, chromium, vehicle)
    bed = await in_bed(ward)

    monitor = Monitor(ward, BED)
    monitor.mrn = ""  # the monitor was not told who lies there: the bed decides
    async with monitor.sending(hr=99, spo2=95, rr=20, abp_mean=74):
        page = await ward.open(chromium, "icu.h1", f"/icu/beds/{BED}")
        await expect(page.locator("dd").filter(has_text="99").first).to_be_visible()
        await lowest_stay_in_sight(page, bed)
        await the_ecg_opens(page, f"/icu/beds/{BED}/ecgs/{vehicle.case}/{ecg}")
        await the_allergy_is_confirmed(page)
        await page.locator("#orders select[name=kind]").select_option("laboratory")
        await page.locator("#orders input[name=words]").fill("troponin")
        await press(page, "Place the order")
        await expect(page.locator("#orders")).to_contain_text("troponin")

        async def ordered() -> bool:
            return bool((await ward.bed("icu.h1", BED))["orders"]["active"] == 1)

        await until(ordered)
        await page.goto(f"{ward.http}/patients/{bed['patient_id']}")
        record = page.locator("main")
        for fact in ("chest", "93", "104", "98"):
            await expect(record).to_contain_text(fact, ignore_case=True)
        await the_ecg_opens(page, f"/patients/{bed['patient_id']}/ecgs/{vehicle.case}/{ecg}")
        await the_family_is_told(ward, page)


async def twelve_leads(ward: Ward, case: str) -> str:
    """An ECG from the vehicle, once the emergency department has it whole; answers its id."""
    data = file_of(scenario("stemi", 7), 60.0, now_us(), "R1")
    upload = Upload(case, data, now_us(), hashlib.sha256(data).hexdigest())
    token = next(one["token"] for one in ward.run["devices"] if one["id"] == "h1-tablet-1")
    line = TabletLine(ward.http, token)
    while upload.waiting:
        await upload.send_part(line)
    await line.close()

    async def listed() -> bool:
        shown = await ward.json("ed.h1", f"/api/v1/prearrivals/{case}")
        return any(ecg["complete"] for ecg in shown["ecgs"])

    await until(listed)
    return upload.id


async def the_ecg_opens(page: Page, address: str) -> None:
    """The ECG from the street is a line with its reading, and one tap opens the paper."""
    link = page.locator(f"a[href='{address}']")

    async def there() -> bool:  # it is archived a moment after the board has it
        if not await link.count():
            await page.reload()
        return await link.count() > 0

    await until(there)
    await expect(link).to_contain_text("12 leads, taken")
    await expect(page.locator(".ecgs li").filter(has=link)).to_contain_text("infarction")
    await link.click()
    await expect(page.locator(".sheet .lead")).to_have_count(13)
    await page.get_by_role("link", name="Back to the patient").click()
    await page.wait_for_url(f"**{address.partition('/ecgs/')[0]}")


async def the_allergy_is_confirmed(page: Page) -> None:
    """What the crew was told stands at the bed as such until somebody here has asked again."""
    allergies = page.locator("#orders .allergies")

    async def there() -> bool:
        if not await allergies.get_by_text("penicillin").count():
            await page.reload()
            await expect(allergies).to_be_visible()
        return await allergies.get_by_text("penicillin").count() > 0

    await until(there)
    await expect(allergies).to_contain_text("told to the crew, not confirmed")
    await allergies.locator("summary").click()
    await press(page, "Asked again, it is so: penicillin")
    await expect(allergies).not_to_contain_text("not confirmed")
    await expect(allergies).to_contain_text("confirmed by icu.h1")


async def lowest_stay_in_sight(page: Page, bed: Any) -> None:
    """What was worst on the way stands beside the bed, and goes with the stay to every wall."""
    lowest = page.locator(".side .street")
    await expect(lowest).to_contain_text("Lowest before the hospital")
    for value in ("98", "93", "22", "104"):
        await expect(lowest).to_contain_text(value)
    kept = {one["code"]: one["value"] for one in bed["patient"]["lowest"]}
    assert kept["8480-6"] == 98
    assert kept["59408-5"] == 93
    await expect(page.locator(f"#bed-{BED} .before")).to_contain_text("93")  # a wall of four has it


async def the_family_is_told(ward: Ward, page: Page) -> None:
    """A nurse has written her round down; the attending confirms the day's words; the phone."""
    run = ward.run
    house = settings.load(
        demo=True,
        redis_url=run["redis_url"],
        database_url=run["database_url"],
        data_dir=ward.data,
    )
    await demo_relatives.seed(house, BED)  # the round, the unit's hours, a daughter
    await page.goto(f"{ward.http}/relatives/beds/{BED}")
    await expect(page.locator(".contact")).to_contain_text("67")  # only the number's end
    row = page.locator("tr[data-state]").filter(
        has=page.locator(f"a[href='/relatives/beds/{BED}']")
    )

    async def listed() -> bool:
        await page.goto(f"{ward.http}/relatives/h1-icu-1")
        return bool(await row.count())

    await until(listed)
    await row.locator("a.st").click()  # what would be sent, on the phone: only that is confirmed
    await page.wait_for_url("**message=*")
    await row.locator("summary").click()
    await row.locator("select[name=severity]").select_option("serious")
    await row.locator("button[value=confirm]").click()

    async def told() -> bool:
        await page.goto(f"{ward.http}/relatives/h1-icu-1")
        return await row.and_(page.locator("[data-state=sent], [data-state=delivered]")).count() > 0

    await until(told)
    await row.locator("a.st").click()
    await expect(page.locator(".phone .sms")).to_contain_text("82")  # the pulse of the round
