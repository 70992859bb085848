"""A crew's tablet through a tunnel: what was typed inside is at the hospital once, and rings."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect
from playwright.async_api import Error as BrowserError

from hospital_ops import database
from hospital_ops.access import Scope
from hospital_ops.ecg import synthetic
from simulators.network import FaultProxy
from tests.browser.crew_tablet import (
    PIN,
    called_off,
    case_of,
    code_for,
    count,
    looked_at,
    new_case,
    opened,
    paired,
    typed,
    value,
)
from tests.browser.ward import Ward, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
HR, SPO2, RR = "8867-4", "59408-5", "9279-1"
STEPS, STEP_MS = 100, 6000  # 10 minutes of the tablet's time
# The vehicle's monitor on its channel: three values a message, under the tablet's own clock.
SAYS = """(values) => { window.vehicle ??= new BroadcastChannel("vehicle-monitor");
  vehicle.postMessage({values}); }"""


def ecg_file() -> tuple[bytes, dict[str, list[int]]]:
    """Ten seconds of twelve leads as a recorder of ours writes them."""
    made = synthetic.twelve_leads(104, 10.0, 250, "anterior_stemi", 11)
    leads = {name: [int(one) for one in numbers] for name, numbers in made.items()}
    sent = {"rate_hz": 250, "scale_uv": 1.0, "device": "R1", "leads": leads}
    return json.dumps(sent, separators=(",", ":")).encode(), leads


async def in_the_tunnel(page: Page) -> None:
    """Ten minutes of the tablet's time without a network: 300 values and an ECG; it turns red."""
    for step in range(STEPS):
        worse = step / STEPS
        values = [
            {"code": HR, "value": round(92 + 76 * worse), "unit": "/min"},
            {"code": SPO2, "value": round(97 - 9 * worse), "unit": "%"},
            {"code": RR, "value": round(18 + 10 * worse), "unit": "/min"},
        ]
        await page.clock.fast_forward(STEP_MS)
        await page.evaluate(SAYS, values)
    data, _ = ecg_file()
    await page.locator("[data-key=to-ecg]").click()
    await page.locator("[data-key=ecg-file]").set_input_files(
        {"name": "ecg.json", "mimeType": "application/json", "buffer": data}
    )
    await expect(page.locator(".itemrow")).to_have_count(1)
    await page.locator("[data-key=back]").click()
    await page.locator("[data-key=to-treatments]").click()
    await page.locator("[data-key=do-aspirin]").click()
    await page.locator("[data-key=back]").click()


async def the_monitor_is_put_to_the_patient(page: Page) -> None:
    """What it says before belongs to nobody; one press, and it measures this patient."""
    await page.evaluate(SAYS, [{"code": HR, "value": 20, "unit": "/min"}])
    await page.locator("[data-key=attach]").click()
    await expect(page.locator("[data-part=loose]")).to_have_count(0)
    await expect(count(page, "here")).to_have_text("on tablet 0")


async def killed(page: Page) -> BrowserContext:
    """The tab dies as when the system takes its memory; its context, so its store, stays."""
    context = page.context
    session = await context.new_cdp_session(page)
    crashed = asyncio.ensure_future(page.wait_for_event("crash"))
    with suppress(BrowserError, TimeoutError):
        await asyncio.wait_for(session.send("Page.crash"), 1.0)
    await crashed
    await page.close()
    return context


async def archived(ward: Ward, case: str) -> dict[str, tuple[int, int]]:
    """Of each code of the case: how many rows, and how many different events."""
    db = await database.connect(ward.run["database_url"], "app", name="test")
    try:
        async with db.transaction(Scope("h1", ("*",), "ed_physician", "test")) as connection:
            rows = await connection.fetch(
                "select code, count(*) as rows, count(distinct event_id) as events"
                " from measurement where place = $1 group by code",
                case,
            )
    finally:
        await db.close()
    return {row["code"]: (row["rows"], row["events"]) for row in rows}


async def test_what_was_measured_in_a_tunnel_is_at_the_hospital_once_and_the_red_rings(
    ward: Ward, chromium: Browser
) -> None:
    way = urlsplit(ward.http)
    assert way.hostname is not None
    assert way.port is not None
    async with FaultProxy(way.hostname, way.port, ward.side_port) as link:
        http = f"http://127.0.0.1:{ward.side_port}"
        page = await paired(ward, chromium, "h1-tunnel", http)
        context = page.context
        await page.close()
        page = await context.new_page()
        await page.clock.install()
        await opened(page)
        word = await new_case(page, sex="M", band="gt50y", complaint="chest_pain")
        await value(page, "bp", "128/76")
        case = await case_of(ward, word)
        await expect(count(page, "here")).to_have_text("on tablet 0")
        board = await ward.open(chromium, "ed.h1", "/ed/h1-ed?lang=en")
        await expect(board.locator("html")).to_have_attribute("data-link", "live")
        await the_monitor_is_put_to_the_patient(page)
        link.cut()
        before_s = STEPS * STEP_MS / 1000 + 30
        await page.clock.set_system_time(datetime.now(UTC) - timedelta(seconds=before_s))
        await in_the_tunnel(page)
        await expect(page.locator(".net").first).to_contain_text("No network")
        await expect(count(page, "here")).to_contain_text(str(3 * STEPS + 2))
        context = await killed(page)
        page = await context.new_page()
        await opened(page)  # without a network, by what the page keeps itself
        await expect(count(page, "here")).to_contain_text(str(3 * STEPS + 2))
        await expect(board.locator("#call")).not_to_have_attribute("data-case", case)
        link.rate_bytes_s, link.stall_s, link.stall_share = 2500.0, 1.0, 0.3
        link.restore()
        await expect(board.locator("#call")).to_have_attribute("data-case", case)
        link.rate_bytes_s, link.stall_share = None, 0.0
        await expect(count(page, "here")).to_have_text("on tablet 0")
        await the_physician_sees(ward, page, board, case)
        await once(ward, case)
        await board.context.close()
        await page.context.close()
    await called_off(ward, case)


async def the_physician_sees(ward: Ward, page: Page, board: Page, case: str) -> None:
    """Whoever answers the call has all before their eyes, and the crew sees that."""
    await board.get_by_role("button", name="Heard").click()
    await expect(board.get_by_role("heading", name="Why")).to_be_visible()

    async def all_seen() -> bool:
        await board.goto(f"{ward.http}/ed/cases/{case}")
        told = await count(page, "hospital").inner_text()
        return bool(told.endswith(" 0"))

    await until(all_seen)
    await expect(count(page, "seen")).to_have_text(re.compile(rf" {3 * STEPS + 5}$"))
    await expect(page.locator(".prop")).to_contain_text("heard by ed.h1")
    await expect(board.locator("main")).to_contain_text("Aspirin")


async def once(ward: Ward, case: str) -> None:
    """Each value is a row of the archive, once; the ECG is what the recorder wrote."""

    async def complete() -> bool:
        rows = await archived(ward, case)
        return sum(row for row, _ in rows.values()) >= 3 * STEPS + 2

    await until(complete)
    expected = {HR: STEPS, SPO2: STEPS, RR: STEPS, "8480-6": 1, "8462-4": 1}
    assert await archived(ward, case) == {code: (n, n) for code, n in expected.items()}
    shown = await ward.json("ed.h1", f"/api/v1/prearrivals/{case}")
    [ecg] = shown["ecgs"]
    assert ecg["complete"]
    kept = await ward.json("ed.h1", f"/api/v1/prearrivals/{case}/ecgs/{ecg['id']}")
    _, leads = ecg_file()
    assert {k: [round(mv * 1000) for mv in v] for k, v in kept["leads"].items()} == leads


# Everything that lies on the device, as somebody reads it who has the device and not the PIN.
LIES = """async () => {
  const open = (request) => new Promise((resolve) => {
    request.onsuccess = () => resolve(request.result);
  });
  const database = await open(indexedDB.open("tablet"));
  const text = new TextDecoder("latin1");
  let found = "";
  for (const store of ["meta", "records"]) {
    for (const row of await open(database.transaction(store).objectStore(store).getAll())) {
      found += JSON.stringify(row, (_, value) =>
        value instanceof ArrayBuffer || ArrayBuffer.isView(value) ? text.decode(value) : value);
    }
  }
  database.close();
  return found;
}"""


async def test_a_revoked_tablet_keeps_what_it_has_and_what_is_confirmed_leaves_it_after_a_day(
    ward: Ward, chromium: Browser
) -> None:
    page = await paired(ward, chromium, "h1-revoked", ward.http)
    first = await new_case(page, sex="F", band="gt50y", complaint="chest_pain")
    second = await new_case(page, sex="M", band="12to50y", complaint="fainting")
    await value(page, "hr", "77")
    await value(page, "bp", "121/80")
    cases = [await case_of(ward, first), await case_of(ward, second)]
    await moved_to(page, first)

    async def at_the_right_one() -> bool:
        hers, his = [await ward.json("ed.h1", f"/api/v1/prearrivals/{one}") for one in cases]
        return HR in hers["values"] and HR not in his["values"] and "8480-6" in his["values"]

    await until(at_the_right_one)
    await revoked(ward, chromium, "h1-revoked")
    await expect(page.locator(".net").first).to_contain_text("revoked")
    await page.locator("[data-key=to-treatments]").click()
    await page.locator("[data-key=do-adrenaline]").click()
    await expect(count(page, "here")).to_have_text("on tablet 1")
    lies = await page.evaluate(LIES)
    assert "wrapped" in lies
    for told in (first, second, "Adrenaline", "chest_pain", "8867-4", "h1-ed"):
        assert told not in lies, f"{told} lies open on the device"
    await page.locator("[data-key=pair]").click()
    await page.locator("[data-key=code]").fill(await code_for(ward, chromium, "h1-revoked"))
    await page.locator("h1").click()
    await typed(page, PIN)
    await expect(page.locator("[data-part=pairing]")).to_contain_text("again")
    await typed(page, PIN)
    await expect(page.locator("[data-part=cases]")).to_be_visible()
    await expect(count(page, "here")).to_have_text("on tablet 0")
    context = page.context
    await page.close()
    await called_off(ward, *cases)
    page = await context.new_page()
    await page.clock.install(time=datetime.now(UTC) + timedelta(hours=25))
    await opened(page)
    await expect(page.locator(".empty")).to_be_visible()
    await context.close()


async def moved_to(page: Page, word: str) -> None:
    """The heart rate was typed for the wrong one of two: it goes to the other."""
    await expect(count(page, "here")).to_have_text("on tablet 0")
    await page.locator("[data-key=to-items]").click()
    row = page.locator(".itemrow", has_text="Heart rate 77")
    await row.get_by_role("button", name="Choose").click()
    target = page.locator("[data-key^=move-]", has_text=word)
    await expect(target).to_be_enabled()
    await target.click()
    await expect(row).to_have_count(0)
    await page.locator("[data-key=back]").click()


async def revoked(ward: Ward, chromium: Browser, name: str) -> None:
    """An administrator ends the tablet's token."""
    desk = await ward.open(chromium, "admin.h1", "/devices?lang=en")
    await desk.get_by_role("row", name=name).get_by_role("button", name="Revoke").click()
    await expect(desk.get_by_role("row", name=name)).to_contain_text("revoked")
    await desk.context.close()


async def test_every_panel_of_the_tablet_is_for_every_eye_and_hand(
    ward: Ward, chromium: Browser
) -> None:
    page = await paired(ward, chromium, "h1-panels", ward.http)
    await looked_at(page)
    word = await new_case(page, sex="F", band="lt12y", complaint="fainting")
    await value(page, "hr", "400")
    await expect(page.locator(".pad .late")).to_contain_text("Really 400?")
    await page.locator("[data-key=pad-back]").click()
    await page.locator("[data-key=pad-done]").click()
    await expect(page.locator("[data-key=v-hr] .n")).to_have_text("40")
    case = await case_of(ward, word)
    await the_department_speaks(ward, page, case)
    await looked_at(page)
    for name in (
        "person",
        "complaint",
        "signs",
        "treatments",
        "ecg",
        "limits",
        "allergies",
        "atmist",
        "way",
        "gcs",
        "items",
    ):
        await page.locator(f"[data-key=to-{name}]").first.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#panel-title")).to_be_focused()
        await looked_at(page)
        await page.keyboard.press("Escape")
        await expect(page.locator("[data-part=pad]")).to_be_visible()
    await an_allergy_is_told(ward, page, case)
    await page.locator("[data-key=language]").click()
    await page.locator("[data-key=theme]").click()
    await expect(page.locator("[data-key=pad-done]")).to_contain_text("Готово")
    await looked_at(page)
    await page.set_viewport_size({"width": 412, "height": 915})
    await looked_at(page)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    await page.context.close()
    await called_off(ward, case)


async def an_allergy_is_told(ward: Ward, page: Page, case: str) -> None:
    """What the wife says of allergies is typed once, and the department has it."""
    await page.locator("[data-key=to-allergies]").click()
    await page.locator("[data-key=allergy]").fill("penicillin")
    await page.locator("[data-key=by]").fill("wife")
    await page.locator("[data-key=add-allergy]").click()
    await expect(page.locator(".itemrow .what")).to_have_text("penicillin wife")
    await page.locator("[data-key=back]").click()

    async def there() -> bool:
        shown = await ward.json("ed.h1", f"/api/v1/prearrivals/{case}")
        return [(i["what"], i["who"]) for i in shown["items"]] == [("penicillin", "wife")]

    await until(there)


async def the_department_speaks(ward: Ward, page: Page, case: str) -> None:
    """A phrase of the department is read on the tablet and read back with one press."""
    async with ward.client("ed.h1") as physician:
        path = f"/api/v1/prearrivals/{case}/messages"
        answer = await physician.post(path, json={"phrase": "send_ecg"})
        answer.raise_for_status()
    told = page.locator("[data-part=told]")
    await expect(told).to_contain_text("Send a 12-lead ECG")
    await told.get_by_role("button", name="Read back").click()
    await expect(told).to_have_count(0)

    async def heard() -> bool:
        shown = await ward.json("ed.h1", f"/api/v1/prearrivals/{case}")
        return any(each["read_back"] for each in shown["messages"])

    await until(heard)
