"""A web process of its own over real servers, with the readers of one emergency department."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2
import uvicorn

from hospital_ops import tokens
from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.deciding import Decider
from hospital_ops.installation import store as installation
from streams.append import Appender
from streams.intake import Intake
from streams.pipe import Pipe
from streams.projections import Places, Projections
from tests.integration.streams_help import (
    beside,
    living,
    stored_up_to_the_end,
    storing,
    until,
)
from triage.unit import EdUnit
from web.app import make_app
from web.render import Renderer
from web.server import listen
from web.state import Web

ED = "h1-ed"


def _department(unit: str, snapshot: bytes) -> Decider:
    return EdUnit(unit, snapshot)


class House:
    """Calls as devices and people; `case` is one that the first tablet has opened."""

    def __init__(self, http: str, pipe: Pipe, projections: Projections) -> None:
        self.http, self.pipe, self._projections = http, pipe, projections
        self.case = str(uuid4())
        self.clients: dict[str, httpx2.AsyncClient] = {}

    async def lets_in(self, name: str, role: Role, hospital: str = "h1") -> None:
        """A session or device token under this name."""
        token = tokens.new_token(hospital)
        key = tokens.token_hash(token).hex()
        principal = Principal(
            actor=name, role=role, hospital=hospital, units=ALL_UNITS, key=key, mode="Test"
        )
        await self._projections.admit(principal, SystemClock().now_us())
        self.clients[name] = httpx2.AsyncClient(
            base_url=self.http,
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=30,
        )

    async def call(self, who: str, method: str, path: str, **more: Any) -> httpx2.Response:
        """One call, again while it is not stored; without a slash `path` is behind the case."""
        whole = path if path.startswith("/") else f"/api/v1/prearrivals/{self.case}/{path}"

        async def answered() -> httpx2.Response | None:
            answer = await self.clients[who].request(method, whole, **more)
            return None if answer.status_code == 503 else answer

        found: httpx2.Response = await until(answered, "the house takes it")
        return found

    async def part(self, data: bytes, start: int, end: int, **about: Any) -> httpx2.Response:
        """One part of a file as the first tablet sends it."""
        asked = {"offset": start, "total": len(data), **about}
        return await self.call("tablet", "POST", "ecgs", params=asked, content=data[start:end])

    async def drop(self, data: bytes, start: int, end: int, **about: Any) -> None:
        """Half of a part's request, and then the line is cut."""
        port = int(self.http.rpartition(":")[2])
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        asked = httpx2.QueryParams({"offset": start, "total": len(data), **about})
        token = self.clients["tablet"].headers["Authorization"]
        head = (
            f"POST /api/v1/prearrivals/{self.case}/ecgs?{asked} HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: {token}\r\nContent-Length: {end - start}\r\n\r\n"
        )
        writer.write(head.encode() + data[start : (start + end) // 2])
        await writer.drain()
        writer.transport.abort()

    async def on_the_board(self, ecg: str, stage: str) -> dict[str, Any]:
        """The ECG's line on the board once it is in that stage."""

        async def line() -> dict[str, Any] | None:
            answer = await self.call("physician", "GET", f"/api/v1/prearrivals/{self.case}")
            known = answer.json().get("ecgs", ())  # 400 while the case is on its way to the board
            return next((e for e in known if e["id"] == ecg and e["stage"] == stage), None)

        found: dict[str, Any] = await until(line, f"the ECG is {stage} on the board")
        return found

    async def kills_valkey(self) -> None:
        """SIGKILL; the supervisor brings it back."""
        before = await self._process()
        os.kill(before, signal.SIGKILL)

        async def back() -> bool:
            try:
                return await self._process() != before
            except OSError:
                return False

        await until(back, "Valkey is back")

    async def _process(self) -> int:
        told = (await self.pipe.call("INFO", "server")).decode()
        return int(told.split("process_id:")[1].split()[0])


@asynccontextmanager
async def house(url: str, app: Database, writer: Database) -> AsyncIterator[House]:
    """Everything at work, with a case open, two tablets, a physician and a nurse next door."""
    async with AsyncExitStack() as stack:
        pipe = Pipe(url)
        stack.push_async_callback(pipe.close)
        clock, projections, places = SystemClock(), Projections(pipe), Places()
        rows = await installation.projection_rows(writer, clock.now_us())
        await projections.keep(rows, clock.now_us(), "Test")
        places.become(await projections.places())
        appender = Appender(pipe)
        web = Web(
            redis_url=url, database=app, appender=appender, projections=projections,
            intake=Intake(appender, projections, places, clock), renderer=Renderer("UTC"),
            clock=clock, origins=(), secure=False, demo=True, mode="Test", places=places,
        )  # fmt: skip
        listening = listen("127.0.0.1", 0)
        stack.callback(listening.close)
        server = uvicorn.Server(uvicorn.Config(make_app(web), log_config=None))
        await stack.enter_async_context(living(url, "one", _department, ED))
        await stack.enter_async_context(storing(url, writer, shards=(ED, "h1-hall")))
        await stack.enter_async_context(beside(server.serve(sockets=[listening])))
        made = House(f"http://127.0.0.1:{listening.getsockname()[1]}", pipe, projections)
        for name, role in (
            ("tablet", Role.TABLET), ("other tablet", Role.TABLET), ("physician", Role.ED_PHYSICIAN)
        ):  # fmt: skip
            await made.lets_in(name, role)
        await made.lets_in("nurse next door", Role.NURSE, "h2")
        for client in made.clients.values():
            stack.push_async_callback(client.aclose)
        facts = {"destination": ED, "complaint": "chest_pain", "age_years": 61, "sex": "F"}
        opened = await made.call(
            "tablet", "PUT", f"/api/v1/prearrivals/{made.case}", content=json.dumps(facts)
        )
        assert opened.status_code == 200, opened.text
        yield made
        server.should_exit = True


async def archived(house: House, superuser: Connection) -> None:
    """Waits until all that was acknowledged is in PostgreSQL."""
    await stored_up_to_the_end(house.pipe, superuser, ED)
