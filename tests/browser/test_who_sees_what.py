"""Nobody sees beyond their hospital, their units and their part (SAFETY.md I14)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Browser, expect
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.browser.ward import WELL, Ward, until
from tests.patience import PATIENCE_S

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("clear_street"),
]
STRANGERS = ("nurse.h2", "icu.h2", "ed.h2", "wall.h2", "admin.h2", "tablet:h2-tablet-1")


async def socket_says(ward: Ward, path: str, token: str, *, cookie: bool = False) -> Any:
    """The first message of a socket, else its close code or the HTTP status that refused it."""
    secret = {"Cookie": f"session={token}"} if cookie else {"Authorization": f"Bearer {token}"}
    origin: Any = ward.http if cookie else None
    address = ward.http.replace("http", "ws", 1) + path
    try:
        async with connect(address, additional_headers=secret, origin=origin, proxy=None) as link:
            return await link.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None
    except InvalidStatus as refused:
        return refused.response.status_code


def secrets_of(ward: Ward, hospital: str) -> list[str]:
    """What nobody of another hospital may read: names, numbers and ids of its patients."""
    beds = [bed for bed in ward.run["beds"] if bed["unit"].startswith(f"{hospital}-")]
    return [bed[name] for bed in beds for name in ("mrn", "patient_id") if bed[name]]


def says_nothing(texts: Iterable[str], secrets: list[str]) -> None:
    """None of the secrets stands in any of the texts."""
    for text in texts:
        assert not [secret for secret in secrets if secret in text]


async def test_the_other_hospital_does_not_exist_on_any_path(ward: Ward) -> None:
    ours = ward.ambulance("h1-tablet-1")
    await ours.call(complaint="a complaint of ours")
    await ours.measure(WELL)
    await until(lambda: on_board(ward, ours.case))
    bed = ward.run["beds"][0]["bed"]
    reads = (
        "/icu/h1-icu-1", "/icu/h1-icu-1?mode=wall", "/ed/h1-ed", f"/ed/cases/{ours.case}",
        "/api/v1/boards/h1-icu-1", "/api/v1/boards/h1-ed", f"/api/v1/prearrivals/{ours.case}",
        f"/api/v1/icu/beds/{bed}/measurements", "/icu/h1-nowhere", "/api/v1/boards/h1-nowhere",
        f"/icu/h1-icu-1/beds/{bed}", f"/icu/beds/{bed}", "/api/v1/boards/h1-hall",
    )  # fmt: skip
    writes: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("PUT", f"/api/v1/prearrivals/{ours.case}", {"destination": "h1-ed"}),
        ("PUT", f"/api/v1/prearrivals/{uuid4()}", {"destination": "h1-ed"}),
        ("POST", f"/api/v1/prearrivals/{ours.case}/measurements", {"events": []}),
        ("POST", f"/api/v1/prearrivals/{ours.case}/acknowledgement", {}),
        ("POST", f"/api/v1/prearrivals/{ours.case}/arrival", {}),
        ("POST", f"/api/v1/prearrivals/{ours.case}/decision", {"colour": "green", "version": 0}),
        ("POST", f"/ed/cases/{ours.case}/acknowledgement", {}),
    )
    secrets = [*secrets_of(ward, "h1"), "a complaint of ours"]
    for name in STRANGERS:
        async with ward.client(name) as client:
            answers = [await client.get(path) for path in reads]
            answers += [await client.get(path, headers={"Accept": "text/html"}) for path in reads]
            answers += [await client.request(how, path, json=body) for how, path, body in writes]
            assert {answer.status_code for answer in answers} <= {403, 404}
            says_nothing((answer.text for answer in answers), secrets)
    case = await ward.json("ed.h1", f"/api/v1/prearrivals/{ours.case}")
    assert case["acknowledgements"] == []
    assert case["step"] == "coming"


async def on_board(ward: Ward, case: str, name: str = "ed.h1") -> Any:
    """The case as the emergency board has it, or None."""
    shown = await ward.json(name, f"/api/v1/boards/{name.rpartition('.')[2]}-ed")
    return next((one for one in shown["cases"] if one["id"] == case), None)


async def test_sockets_of_the_other_hospital_are_closed(ward: Ward) -> None:
    stranger = await ward.token("nurse.h2")
    for unit in ("h1-icu-1", "h1-ed", "h1-nowhere", "h1-hall"):
        for form in ("json", "html"):
            path = f"/ws/v1/boards/{unit}?format={form}"
            assert await socket_says(ward, path, stranger) in (1008, 403)
            assert await socket_says(ward, path, stranger, cookie=True) in (1008, 403)
            assert await socket_says(ward, path, "h1." + "x" * 43) in (1008, 403)
    own = await socket_says(ward, "/ws/v1/boards/h2-icu-1?format=json", stranger)
    assert json.loads(own)["type"] == "snapshot"
    crew = await ward.token("crew.h2")
    assert await socket_says(ward, "/ws/v1/boards/h2-icu-1", crew) in (1008, 403)


async def test_a_page_of_another_site_opens_no_socket(ward: Ward) -> None:
    token = await ward.token("nurse.h1")
    address = ward.http.replace("http", "ws", 1) + "/ws/v1/boards/h1-icu-1"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(
            address,
            additional_headers={"Cookie": f"session={token}"},
            origin="http://elsewhere.test",  # type: ignore[arg-type]
            proxy=None,
        ):
            pass
    assert refused.value.response.status_code == 403


async def test_a_browser_of_the_other_hospital_finds_a_polite_nothing(
    ward: Ward, chromium: Browser
) -> None:
    page = await ward.open(chromium, "nurse.h2", "/")
    home = await page.content()
    assert "h1-" not in home
    await page.goto(f"{ward.http}/icu/h1-icu-1")
    await expect(page.locator(".sentence")).to_contain_text("does not exist")
    says_nothing([await page.content()], [*secrets_of(ward, "h1"), "№ 1"])
    await page.context.close()


async def test_a_crew_sees_its_own_cases_alone(ward: Ward) -> None:
    own, other = ward.ambulance("h1-tablet-1"), ward.ambulance("h1-tablet-2")
    for vehicle in (own, other):
        await vehicle.call()
        await vehicle.measure(WELL)
        await until(lambda vehicle=vehicle: on_board(ward, vehicle.case))
    async with ward.client("tablet:h1-tablet-1") as tablet:
        mine = await tablet.get(f"/api/v1/prearrivals/{own.case}")
        assert mine.json()["id"] == own.case
        for path in (
            f"/api/v1/prearrivals/{other.case}", "/api/v1/boards/h1-ed", "/ed/h1-ed",
            "/api/v1/boards/h1-icu-1", f"/ed/cases/{other.case}",
        ):  # fmt: skip
            assert (await tablet.get(path)).status_code in (403, 404), path
        sent = await tablet.post(
            f"/api/v1/prearrivals/{other.case}/measurements", json={"events": []}
        )
        assert sent.status_code == 404


async def test_a_wall_shows_no_names_and_nothing_can_be_pressed_but_seen(
    ward: Ward, chromium: Browser
) -> None:
    page = await ward.open(
        chromium, "wall.h1", "/icu/h1-icu-1?mode=wall", viewport={"width": 1920, "height": 1080}
    )
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    await page.goto(f"{ward.http}/icu/h1-icu-1?mode=desk")  # a wall cannot become a desk
    await expect(page.locator("html")).to_have_attribute("data-mode", "wall")
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    # One tap pauses a sound for a minute without a name; nothing else can be done at a wall.
    assert await page.locator("main :is(button:not([data-seen]), input, select)").count() == 0
    dead = "links => links.every(a => getComputedStyle(a).pointerEvents === 'none')"
    assert await page.locator("main a").evaluate_all(dead)
    async with ward.client("wall.h1") as client:
        assert (await client.get(f"/icu/beds/{ward.run['beds'][0]['bed']}")).status_code in {
            403,
            404,
        }
    assert await page.locator(".bar :is(a, input, select, form)").count() == 0
    reached = []
    for _ in range(6):
        await page.keyboard.press("Tab")
        reached.append(
            await page.evaluate(
                "document.activeElement.matches("
                "'a[href]:not(.skip), form *, main :not([data-seen])')"
            )
        )
    assert not any(reached)
    names = await family_names(ward)
    assert names
    says_nothing([await page.content()], [*names, *secrets_of(ward, "h1")])
    shown = await ward.json("wall.h1", "/api/v1/boards/h1-icu-1")
    says_nothing([json.dumps(shown, ensure_ascii=False)], names)
    await page.evaluate("document.documentElement.dataset.shift = 3")  # against burn-in
    room = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert await page.evaluate(room) == [1920, 1080]
    assert await page.evaluate("complaints") == []
    await page.context.close()


async def family_names(ward: Ward) -> list[str]:
    """The family names that the patients were admitted under."""
    from simulators.admissions import admissions

    kept = json.loads((ward.data / "demo.json").read_text("utf-8"))
    beds = [bed["bed"] for bed in ward.run["beds"]]
    messages = [raw.decode() for _, _, raw in admissions(kept["seed"], beds, kept["started_at"])]
    fields = [
        segment.split("|")[5]
        for message in messages
        for segment in message.split("\r")
        if segment.startswith("PID|")
    ]
    return [name.split("^")[0] for name in fields]


async def test_a_wall_does_not_die_at_night(ward: Ward) -> None:
    kept = await redis_row(ward, await ward.token("wall.h1"))
    nurse = await redis_row(ward, await ward.token("nurse.h1"))
    day_us = 86_400 * 1_000_000
    assert kept["expires_at"] - nurse["expires_at"] > 300 * day_us


async def redis_row(ward: Ward, token: str) -> Any:
    """How long the house itself believes a session."""
    from hospital_ops import tokens
    from streams.pipe import Pipe

    pipe = Pipe(ward.run["redis_url"])
    try:
        row = await pipe.call("HGET", "{h1-hall}:principals", tokens.token_hash(token).hex())
        return json.loads(row)
    finally:
        await pipe.close()


async def test_a_session_that_ends_closes_its_boards_and_the_page_asks_to_sign_in(
    ward: Ward, chromium: Browser
) -> None:
    token = await ward.new_token("nurse.h1")
    board = await ward.open(chromium, "nurse.h1", "/icu/h1-icu-1", token=token)
    await expect(board.locator("html")).to_have_attribute("data-link", "live")
    other = await board.context.new_page()
    await other.goto(f"{ward.http}/")
    await other.get_by_role("button", name="Sign out").click()
    await expect(other.get_by_role("heading", name="Sign in", level=2)).to_be_visible()
    await board.bring_to_front()
    dialog = board.get_by_role("alertdialog")
    await expect(dialog).to_contain_text("Sign in")
    await dialog.get_by_role("link", name="Sign in").click()
    await expect(board.get_by_role("heading", name="Sign in", level=2)).to_be_visible()
    await board.context.close()

    token = await ward.new_token("nurse.h1")
    address = ward.http.replace("http", "ws", 1) + "/ws/v1/boards/h1-icu-1"
    async with connect(
        address, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None
    ) as link:
        await link.recv()
        async with ward.stranger() as client:
            ended = await client.delete(
                "/api/v1/session", headers={"Authorization": f"Bearer {token}"}
            )
            assert ended.status_code == 204

        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionClosed):
                async for _ in link:  # it tells what it has until it is closed
                    pass
        assert link.close_code == 1008
    says = await socket_says(ward, "/ws/v1/boards/h1-icu-1", token)
    assert says in (1008, 403)


async def test_signing_in_by_the_form_goes_on_to_where_one_wanted_to_go(
    ward: Ward, chromium: Browser
) -> None:
    context = await chromium.new_context(locale="ru-RU")
    page = await context.new_page()
    await page.goto(f"{ward.http}/sign-in?lang=en")
    await page.goto(f"{ward.http}/icu/h1-icu-1")
    await page.get_by_role("link", name="Русский").click()
    await page.get_by_role("link", name="English").click()  # a choice holds after signing in
    await page.get_by_label("Name").fill("nurse.h1")
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_be_visible()
    await page.get_by_label("Name").fill("nurse.h1")
    await page.get_by_label("Password").fill(ward.password("nurse.h1"))
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.locator("html")).to_have_attribute("data-link", "live")
    assert page.url.endswith("/icu/h1-icu-1")
    cookie = next(c for c in await context.cookies() if c["name"] == "session")
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    await context.close()
