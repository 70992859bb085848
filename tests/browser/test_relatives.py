"""A daughter's message from the consent to her phone, and a son's that a death stops."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from hospital_ops import database
from hospital_ops.clock import iso
from tests.browser.ward import Ward, now_us, stopped, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
UNIT, BED = "h2-icu-1", "h2-icu-1-08"
DAUGHTER, SON = "+7 916 123-45-21", "+7 916 123-45-34"
PULSE = re.compile(r"\b84\b")  # of the monitor below; a code of six digits may hold it, too
ALWAYS = {"opens": "00:00", "closes": "23:59:59", "quiet_from": "00:00", "quiet_until": "00:00"}


async def test_held_after_worsening_phoned_released_delivered_and_death_sends_nothing(
    ward: Ward, chromium: Browser
) -> None:
    async with ward.client("icu.h2") as client:
        answer = await client.put(f"/api/v1/relatives/{UNIT}/hours", json=ALWAYS)
        answer.raise_for_status()
    await a_round_is_charted(ward)
    monitor = ward.monitor(BED)
    page = await ward.open(chromium, "icu.h2", f"/relatives/beds/{BED}?lang=en")
    await enabled(page, "daughter", DAUGHTER)
    await page.get_by_role("button", name="Send a code").click()
    await page.get_by_label("Code").fill(await code_on_the_phone(ward, "21"))
    await page.get_by_role("button", name="Check").click()
    await expect(page.locator(".contact")).to_contain_text("number confirmed by code")

    with stopped(ward.pid("notify")):  # the sender comes when she is worse already
        await confirmed(ward, page, "21")
        await expect(row_of(page, "21")).to_have_attribute("data-state", "due")
        async with monitor.sending(hr=84, spo2=97, abp_sys=66, abp_dia=34, abp_mean=44):
            await until(lambda: red_in_the_archive(ward))
    await becomes(ward, page, "21", "held")
    await expect(row_of(page, "21")).to_contain_text("please phone")
    async with monitor.sending(hr=80, spo2=97, abp_sys=118, abp_dia=66, abp_mean=83):
        await until(lambda: calm(ward))
    await phoned_and_released(ward, page, "21")
    await becomes(ward, page, "21", "delivered")
    await row_of(page, "21").locator("a.st").click()
    for state in ("held", "on its way", "delivered"):
        await expect(page.locator(".steps")).to_contain_text(state)
    told = [line["to"] for line in console(ward) if PULSE.search(line["words"])]
    assert [number for number in told if number in ("21", "34")] == ["21"]

    await page.goto(f"{ward.http}/relatives/beds/{BED}")
    await enabled(page, "son", SON)
    await page.get_by_role("button", name="Confirmed by phone").click()
    with stopped(ward.pid("notify")):
        await confirmed(ward, page, "34")
        await phoned_and_released(ward, page, "34")
        await expect(row_of(page, "34")).to_have_attribute("data-state", "due")
        await page.goto(f"{ward.http}/icu/beds/{BED}")
        stay = page.locator("#stay")
        await stay.locator("summary", has_text="Death").click()
        await stay.get_by_text("Death: I have looked at the patient").click()
        await stay.get_by_role("button", name="Death").click()
        await expect(stay).to_contain_text("Nobody is admitted")
        await expect(stay).to_contain_text("Relatives were told today: daughter ·· 21, delivered")
    await becomes(ward, page, "34", "cancelled")
    await expect(row_of(page, "34")).to_contain_text("death")
    assert "34" not in [line["to"] for line in console(ward)]
    await page.context.close()


async def a_round_is_charted(ward: Ward) -> None:
    """Values that a nurse typed: an hour of the monitor is not there yet."""
    at = iso(now_us())
    typed = [
        {"code": code, "value": value, "determined_at": at}
        for code, value in (("8867-4", 84), ("8310-5", 37.1), ("59408-5", 97))
    ]
    async with ward.client("nurse.h2") as nurse:
        answer = await nurse.post(f"/api/v1/icu/beds/{BED}/chart", json={"events": typed})
        answer.raise_for_status()
    await until(lambda: archived(ward, _TYPED, BED))


_TYPED = "select count(*) >= 3 from measurement where place = $1 and origin = 'typed'"
_ALARMS = "select count(*) > 0 from alert_event where alarm_id = any ($1::uuid[])"
_GOING = ("active", "acknowledged", "latched")
_CALM = (
    "select not exists (select from (select distinct on (alarm_id) priority, state"
    " from alert_event where bed = $1 order by alarm_id, at desc) a"
    " where priority = 'high' and state in ('active', 'acknowledged', 'latched'))"
)


async def archived(ward: Ward, question: str, about: Any) -> bool:
    """Whether the archive, which the sender looks at, has it."""
    async with database.single(ward.run["database_url"], name="test") as connection:
        return bool(await connection.fetchval(question, about))


def row_of(page: Page, last_two: str) -> Locator:
    """The line of a message by the end of its number."""
    return page.locator("tr[data-state]").filter(has_text=f"·· {last_two}")


async def enabled(page: Page, relation: str, number: str) -> None:
    """The form of the bed's page, as the attending fills it."""
    form = page.locator("form.fields").first
    await form.get_by_label("Relation").select_option(relation)
    await form.get_by_label("Number", exact=True).fill(number)
    await form.get_by_label("Document").fill(f"form {uuid4().hex[:4]}")
    await form.get_by_label("Named by").fill("patient")
    await form.get_by_role("button", name="Enable").click()
    unconfirmed = page.locator(".contact").filter(has_text=f"·· {number[-2:]}")
    await expect(unconfirmed).to_contain_text("number not confirmed")


async def confirmed(ward: Ward, page: Page, last_two: str) -> None:
    """The day's list: the condition in the attending's word, and one press."""
    await page.goto(f"{ward.http}/relatives/{UNIT}")
    row = row_of(page, last_two)
    await row.locator("a.st").click()  # what would be sent, on the phone: only that is confirmed
    await page.wait_for_url("**message=*")
    await expect(page.locator("aside")).to_contain_text("Not confirmed")
    await expect(page.locator(".sms")).to_contain_text("37")
    await row.locator("summary").click()
    await row.locator("select[name=severity]").select_option("serious")
    await row.locator("select[name=course]").select_option("unchanged")
    await row.locator("button[value=confirm]").click()
    await page.wait_for_url(f"**/relatives/{UNIT}*")


async def phoned_and_released(ward: Ward, page: Page, last_two: str) -> None:
    """The call is written down, and the held text may follow it."""
    await page.goto(f"{ward.http}/relatives/{UNIT}")
    row = row_of(page, last_two)
    await row.locator("summary").click()
    await row.get_by_label("What was said").fill("spoke with them")
    await row.get_by_role("button", name="Phoned, send too").click()
    await page.wait_for_url("**message=*")


async def becomes(ward: Ward, page: Page, last_two: str, state: str) -> None:
    """Looks at the list again until the message is in `state`."""

    async def is_so() -> bool:
        await page.goto(f"{ward.http}/relatives/{UNIT}")
        return await row_of(page, last_two).and_(page.locator(f"[data-state={state}]")).count() > 0

    await until(is_so)


def console(ward: Ward) -> list[dict[str, str]]:
    """What the console provider was given: the end of the number and the words."""
    path = ward.data / "sms-console.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


async def code_on_the_phone(ward: Ward, last_two: str) -> str:
    """The six digits that came."""

    async def came() -> str:
        texts = [line["words"] for line in console(ward) if line["to"] == last_two]
        return "".join(letter for letter in texts[-1] if letter.isdigit())[:6] if texts else ""

    return str(await until(came))


async def alarms(ward: Ward) -> list[dict[str, Any]]:
    """The bed's alarms as the board has them."""
    found: list[dict[str, Any]] = (await ward.bed("icu.h2", BED))["alarms"]
    return found


async def red_in_the_archive(ward: Ward) -> bool:
    """Whether a red alarm rings and the archive has it."""
    ids = [one["id"] for one in await alarms(ward) if one["priority"] == "high"]
    return await archived(ward, _ALARMS, ids)


async def calm(ward: Ward) -> bool:
    """Whether nothing red is going on any more, on the board and in the archive."""
    going = any(a["priority"] == "high" and a["state"] in _GOING for a in await alarms(ward))
    return not going and await archived(ward, _CALM, BED)
