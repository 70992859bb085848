"""A small server with our own rendering and made-up cells: pages, static files and a socket.

It stands in for the web process where only the look and the page's own behaviour are looked at;
the tests of the whole system use the real one.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

import web
from hospital_ops.board import BedCell, Head
from hospital_ops.clock import iso
from icu import order_sets
from icu.order_kinds import KINDS, PRIORITIES
from icu.ordering.store import Place
from tests.browser import made_up
from web import orderpanel
from web.render import Renderer
from web.views import bedpage
from web.words import words_of

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; frame-ancestors 'none'"
)
UNITS = (
    {"id": "h1-icu-1", "name": "ICU 1", "kind": "icu"},
    {"id": "h1-ed", "name": "Emergency", "kind": "ed"},
)


def now_us() -> int:
    """The stage's time, microseconds since 1970."""
    return time.time_ns() // 1000


class Policy:
    """The content security policy of the product on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"content-security-policy", POLICY.encode()))
            await send(message)

        await self._app(scope, receive, with_policy)


class Stage:
    """One intensive care unit and one emergency department, moved by a test's hand."""

    def __init__(self, beds: list[BedCell]) -> None:
        self.beds = {cell.bed: cell for cell in beds}
        self.rev = 7
        self.beating = True
        self.painted: list[dict[str, Any]] = []
        self.sockets: set[WebSocket] = set()
        self.asked: list[str] = []
        self.address = ""
        self._render = Renderer("Europe/Moscow")
        self._loop: asyncio.AbstractEventLoop | None = None

    def app(self) -> Starlette:
        """The stage as an ASGI app."""
        static = Path(web.__file__).parent / "static"
        return Starlette(
            routes=[
                Route("/icu/{unit}", self._icu),
                Route("/panel", self._panel),
                Route("/ed/{unit}", self._ed),
                Route("/sign-in", self._sign_in),
                Route("/error", self._error),
                Route("/", self._home),
                WebSocketRoute("/ws/v1/boards/{unit}", self._socket),
                Mount("/static", StaticFiles(directory=static)),
            ],
            middleware=[Middleware(Policy)],
        )

    async def _icu(self, request: Request) -> HTMLResponse:
        asked = request.query_params
        beds = list(self.beds.values())
        if "beds" in asked:
            beds = made_up.ward(int(asked["beds"]), now_us())
        return HTMLResponse(
            self._render.icu_page(
                asked.get("lang", "en"),
                unit="h1-icu-1",
                unit_name=asked.get("name", "ICU 1"),
                beds=beds,
                head=Head("h1-icu-1"),
                rev=self.rev,
                now_us=now_us(),
                mode=asked.get("mode", "desk"),
                theme=asked.get("theme", ""),
                user="nurse",
                demo="demo" in asked,
                units=UNITS,
            )
        )

    async def _panel(self, request: Request) -> HTMLResponse:
        """The page of the first bed with its orders and an order set, as if they had come."""
        asked = request.query_params
        words = words_of(asked.get("lang", "en"))
        cell = next(iter(self.beds.values()))
        page = bedpage.render(
            self._render, words.language, cell=cell, beds=self.beds, head=Head("h1-icu-1"),
            unit="h1-icu-1", rev=self.rev, now_us=now_us(), mode=asked.get("mode", "desk"),
            theme="", user="nurse", demo=True, units=UNITS,
        )  # fmt: skip
        known = {"w": words, "bed": cell.bed, "unit": "h1-icu-1", "patient": "p"}
        found = order_sets.as_json(asked["set"], words.language, None)
        sheet = orderpanel.sheet(found, {}, Place("h1-icu-1", cell.bed, "p"), None, words)
        panel = self._render.fill(
            "_orders.html", **known, away=False, said="", good=False, findings=[], allergies=[],
            criticalities=(), kinds=tuple(KINDS), priorities=PRIORITIES, orders=[], ended=[],
            digest="", seen="", may_order=True, may_carry_out=True,
            sets=[(each, order_sets.name(each, words.language)) for each in order_sets.ids()],
            **orderpanel.fields("infusion", {}, words),
        )  # fmt: skip
        both = panel + self._render.fill("_order_set.html", **known, **sheet)
        place = '<div class="bedacts">'
        return HTMLResponse(page.replace(place, place + both, 1))

    async def _ed(self, request: Request) -> HTMLResponse:
        asked, now = request.query_params, now_us()
        return HTMLResponse(
            self._render.ed_page(
                asked.get("lang", "en"),
                unit="h1-ed",
                unit_name="Emergency",
                cases=[] if "empty" in asked else made_up.cases(now),
                head=None,
                rev=self.rev,
                now_us=now,
                mode=asked.get("mode", "desk"),
                theme=asked.get("theme", ""),
                user="nurse",
                demo="demo" in asked,
                units=UNITS,
            )
        )

    async def _sign_in(self, request: Request) -> HTMLResponse:
        asked = request.query_params
        return HTMLResponse(self._render.sign_in_page(asked.get("lang", "en"), asked.get("error")))

    async def _home(self, request: Request) -> HTMLResponse:
        lang = request.query_params.get("lang", "en")
        return HTMLResponse(self._render.home_page(lang, "nurse", UNITS, demo=True))

    async def _error(self, request: Request) -> HTMLResponse:
        lang = request.query_params.get("lang", "en")
        return HTMLResponse(self._render.error_page(lang, 404, "This unit is not here.", "E404"))

    async def _socket(self, link: WebSocket) -> None:
        self._loop = asyncio.get_running_loop()
        self.asked.append(str(link.url))
        await link.accept()
        self.sockets.add(link)
        beats = asyncio.create_task(self._beat(link))
        try:
            while True:
                self.painted.append(json.loads(await link.receive_text()))
        except WebSocketDisconnect:
            pass
        finally:
            self.sockets.discard(link)
            beats.cancel()

    async def _beat(self, link: WebSocket) -> None:
        while True:
            if self.beating:
                beat = {"type": "beat", "rev": self.rev, "server_time": iso(now_us())}
                await link.send_text(json.dumps(beat))
            await asyncio.sleep(0.5)

    def show(self, *cells: BedCell, lang: str = "en") -> str:
        """Put cells on the board and send the frame to who looks; the frame is returned."""
        previous = {cell.bed: self.beds.get(cell.bed) for cell in cells}
        changed = {cell.bed: cell for cell in cells}
        self.beds |= changed
        self.rev += 1
        frame = self._render.icu_frame(
            lang, previous, changed, (), None, self.rev, now_us(), beds=self.beds
        )
        self.send(frame)
        return frame

    def send(self, frame: str) -> None:
        """Send text to every socket."""
        for link in list(self.sockets):
            if self._loop is not None:
                asyncio.run_coroutine_threadsafe(link.send_text(frame), self._loop).result(5)


@contextmanager
def running(stage: Stage) -> Iterator[Stage]:
    """Serve a stage on a free port of loopback, in a thread."""
    listening = socket.create_server(("127.0.0.1", 0))
    stage.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = uvicorn.Config(stage.app(), log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield stage
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
