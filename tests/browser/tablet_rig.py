"""A tablet before a hospital that is a table: what its answers do to it, without any server.

The page, its modules and its store are the real ones; each answer of the hospital is the test's.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from playwright.async_api import Browser, Page, Request, Route, expect
from playwright.async_api import Error as BrowserError

from tests.browser.crew_tablet import PIN, SCREEN, typed
from web.render import Renderer
from web.routes import tablet as served

SITE: Final = "http://localhost:1"  # nobody listens there: every request is answered here
ABOUT: Final[dict[str, Any]] = {
    "device": "device:h1-rig",
    "mode": "Test",
    "destinations": [
        {"id": "h1-ed", "name": "Emergency", "zone": "UTC"},
        {"id": "h1-ed-2", "name": "Emergency two", "zone": "UTC"},
    ],
    "elsewhere": [],
    "monitor": None,
}
TRIES = 300  # of a condition: a slow machine, not a limit
KINDS: Final = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
Fault = tuple[int, str] | str  # a status and a body, or "abort", or "stall"


def now(ahead_s: float = 0.0) -> str:
    moment = datetime.fromtimestamp(datetime.now(UTC).timestamp() + ahead_s, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ours(code: str, **more: Any) -> str:
    """The body of a refusal of the house."""
    return json.dumps({"error": code, "detail": code, **more})


def well(*_: str) -> Fault | None:
    """No fault."""
    return None


class Hospital:
    """What was stored of each case, and the faults that a test wants of it.

    `fault(what, case, body)` is asked first: a fault, or None where the hospital is well.
    """

    def __init__(self) -> None:
        self.facts: dict[str, dict[str, Any]] = {}
        self.values: dict[str, list[dict[str, Any]]] = {}
        self.items: dict[str, list[dict[str, Any]]] = {}
        self.steps: list[tuple[str, str, dict[str, Any]]] = []
        self.pieces: list[tuple[str, int]] = []
        self.told: dict[str, dict[str, Any]] = {}  # of a case, what its summary says beside
        self.asked: list[tuple[str, str]] = []  # (what, case) of every request
        self.fault: Callable[[str, str, str], Fault | None] = well
        self.ahead_s = 0.0  # how far its clock is before the tablet's
        self.released = asyncio.Event()
        self.stage = ""  # of the ECG that comes now
        self.whole = False  # whether an ECG came whole

    async def answer(self, route: Route) -> None:
        request = route.request
        path = request.url.removeprefix(SITE).partition("?")[0]
        if path == "/api/v1/crew":
            what, case = "crew", ""
        else:
            case, _, what = path.removeprefix("/api/v1/prearrivals/").partition("/")
            what = what or "facts"
        self.asked.append((what, case))
        self.stage = request.url.partition("stage=")[2]
        sent = "" if what == "ecgs" else request.post_data or ""
        wanted = self.fault(what, case, sent)
        if wanted == "abort":
            await route.abort()
            return
        if wanted == "stall":
            await self.released.wait()
            wanted = None
        status, body = (
            wanted
            if isinstance(wanted, tuple)
            else (200, json.dumps(self.take(request, what, case)))
        )
        date = datetime.fromtimestamp(datetime.now(UTC).timestamp() + self.ahead_s, UTC)
        headers = {
            "Content-Type": "application/json",
            "Date": date.strftime("%a, %d %b %Y %H:%M:%S GMT"),
        }
        with suppress(BrowserError):  # the tablet may have given up waiting for it
            await route.fulfill(status=status, body=body, headers=headers)

    def take(self, request: Request, what: str, case: str) -> dict[str, Any]:
        """Stores what came; answers as the real one does."""
        at = {"stored_at": now(self.ahead_s)}
        if what == "crew":
            return ABOUT
        if what == "summary":
            return self.summary(case)
        if what == "ecgs":
            asked = dict(one.split("=") for one in request.url.partition("?")[2].split("&"))
            start, body = int(asked.get("offset", 0)), request.post_data_buffer or b""
            self.pieces.append((asked.get("stage", ""), len(body)))
            whole = int(asked.get("total", 0))
            self.whole = start + len(body) >= whole > 0
            left = [] if start + len(body) >= whole else [[start + len(body), whole]]
            return {"complete": not left, "missing": left, **at}
        sent = json.loads(request.post_data or "{}")
        if what == "facts":
            self.facts[case] = sent
            return {"id": case, "unit": sent["destination"], "warnings": [], **at}
        if what == "measurements":
            came = [one | {"came": now(self.ahead_s)} for one in sent["events"]]
            self.values.setdefault(case, []).extend(came)
            stored = [one["event_id"] for one in sent["events"]]
            return {"stored": stored, "warnings": [], "rejected": [], **at}
        if what == "items":
            self.items.setdefault(case, []).extend(sent["items"])
            return {"stored": [one["item_id"] for one in sent["items"]], "rejected": [], **at}
        self.steps.append((what, case, sent))
        return {"id": case, "step": what, **at}

    def summary(self, case: str) -> dict[str, Any]:
        """What the crew hears of a case."""
        return {
            "id": case, "at": now(self.ahead_s), "step": "coming",
            "unit": self.facts[case]["destination"], "proposed": "incomplete", "reasons": [],
            "missing": [], "decided": None, "decided_by": None, "care": [], "heard": [],
            "seen": None, "messages": [], "said": [], "monitor": {}, **self.told.get(case, {}),
        }  # fmt: skip

    def seen(self, case: str) -> None:
        """A physician has opened the case."""
        self.told[case] = {"seen": {"by": "ed.h1", "at": now(), "upto": now()}}

    def early_s(self, case: str) -> float:
        """How far the stamp of the newest value lies ahead of its coming."""
        newest = self.values[case][-1]
        came, at = (datetime.fromisoformat(newest[key]) for key in ("came", "determined_at"))
        return (at - came).total_seconds()

    def numbers(self, case: str) -> list[Any]:
        """The values of a case in the order they came."""
        return [one["value"] for one in self.values.get(case, [])]


async def _file(route: Route) -> None:
    """The page's own files, as the server hands them out."""
    path = route.request.url.removeprefix(SITE).partition("?")[0]
    if path == "/tablet":
        body: str | bytes = Renderer("UTC").fill("tablet.html", demo=False)
        kind = "text/html"
    elif path == "/tablet/data.json":
        body, kind = served._data(), "application/json"
    elif path == "/tablet/pairing":
        body = json.dumps({"token": "t", "device": "h1-rig"})
        kind = "application/json"
    elif (found := served.STATIC / path.removeprefix("/static/")).is_file():
        body, kind = found.read_bytes(), KINDS.get(found.suffix, "application/octet-stream")
        if found.name == "tablet-vault.js":  # a PIN is derived often here, and guards nothing
            body = body.replace(b"600_000", b"1_000")
    else:
        await route.fulfill(status=404, body="")
        return
    await route.fulfill(status=200, body=body, headers={"Content-Type": kind})


async def tablet(chromium: Browser, hospital: Hospital) -> Page:
    """A tablet that was just paired, on its empty page; time passes as the test moves it, too."""
    context = await chromium.new_context(
        base_url=SITE, viewport=SCREEN, locale="en-GB", service_workers="block"
    )
    await context.route(f"{SITE}/**", _file)
    await context.route(f"{SITE}/api/v1/**", hospital.answer)
    page = await context.new_page()
    await page.clock.install()
    await page.goto("/tablet?lang=en#pair=CODE")
    await expect(page.locator("[data-part=pairing]")).to_be_visible()
    for _ in range(2):
        await typed(page, PIN)
    await expect(page.locator("[data-part=cases]")).to_be_visible()
    return page


async def new_case(page: Page, hospital: Hospital) -> str:
    """An open case, stored, of which nothing else is said yet; answers its id."""
    await page.locator("[data-key=new]").click()
    await page.locator("[data-key=back]").click()
    key = await page.locator(".cases [aria-current=true]").get_attribute("data-key")
    assert key is not None
    case = key.removeprefix("case-")
    await until(page, lambda: case in hospital.facts, "the case is stored")
    return case


async def value(page: Page, name: str, keys: str) -> None:
    """A value by the keypad."""
    await page.locator(f"[data-key=v-{name}]").click()
    await typed(page, keys)
    await page.locator("[data-key=pad-done]").click()


async def until(page: Page, holds: Callable[[], Any], what: str) -> None:
    """Moves the tablet's time until it holds."""
    for step in range(TRIES):
        found = holds()
        if await found if inspect.isawaitable(found) else found:
            return
        if step % 3 == 2:
            await page.clock.fast_forward(1000)
        await asyncio.sleep(0.03)
    raise AssertionError(f"never: {what}")


async def says(page: Page, part: str, words: str, *, gone: bool = False) -> None:
    """Moves the tablet's time until a part of the page says it, or says it no longer."""

    async def said() -> bool:
        return gone != any(words in text for text in await page.locator(part).all_inner_texts())

    await until(page, said, f"{part} says {words}")


async def ended(page: Page, hospital: Hospital, case: str, step: str = "cancelled") -> None:
    """The hospital ends a case, and the tablet knows."""
    hospital.fault = well
    hospital.told[case] = {"step": step}

    async def gone() -> bool:
        return not await page.locator(f"[data-key=case-{case}]").count()

    await until(page, gone, "the case has ended")
