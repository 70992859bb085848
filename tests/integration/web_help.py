"""A web process in the test's own loop: two hospitals, people and devices with known tokens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx2
import uvicorn

from hospital_ops import tokens
from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import Clock, SystemClock
from hospital_ops.database import Database
from hospital_ops.installation.store import DeviceRow, Projection, UnitRow
from streams.append import Appender
from streams.intake import Intake
from streams.pipe import Pipe
from streams.projections import Places, Projections
from tests.integration.streams_help import until
from tests.patience import PATIENCE_S
from web.app import make_app
from web.render import Renderer
from web.server import BoardSocket, Requests, listen
from web.state import Web

UNIT, BED, OTHER_BED = "h1-icu-1", "h1-icu-1-01", "h1-icu-1-02"
FOREIGN_BED = "h2-icu-1-01"
WARDS: Mapping[str, int] = {"icu-1": 2}  # intensive care units of each hospital, and their beds


@dataclass(slots=True)
class Running:
    """A web process at work: its address, its objects, and a token of each who may ask."""

    address: str
    web: Web
    tokens: dict[str, str]

    @property
    def sockets(self) -> str:
        """The address of sockets."""
        return self.address.replace("http", "ws", 1)

    def bearer(self, name: str) -> dict[str, str]:
        """The header of somebody."""
        return {"Authorization": f"Bearer {self.tokens[name]}"}

    def client(self, name: str = "", **more: Any) -> httpx2.AsyncClient:
        """Calls of somebody, or of nobody, with patience."""
        headers = self.bearer(name) if name else {}
        return httpx2.AsyncClient(
            base_url=self.address, headers=headers, trust_env=False, timeout=PATIENCE_S, **more
        )

    async def dismiss(self, name: str) -> None:
        """Ends a token, as the administrator does."""
        hospital, key = name[:2], tokens.token_hash(self.tokens[name]).hex()
        await self.web.projections.dismiss(
            Principal(actor=name, role=Role.MONITOR, hospital=hospital, units=(), key=key)
        )


@asynccontextmanager
async def web_process(
    redis_url: str,
    app: Database | None = None,
    more: tuple[str, ...] = (),
    *,
    pipe: Pipe | None = None,
    clock: Clock | None = None,
    wards: Mapping[str, int] = WARDS,
    zone: str = "UTC",
) -> AsyncIterator[Running]:
    """Serves until the block ends; devices and live curves need no database (DESIGN section 1).

    `more`: further intensive care units. `pipe`, `clock`: of a ward whose time is the test's.
    """
    pipe, clock = pipe or Pipe(redis_url), clock or SystemClock()
    given = await _projected(Projections(pipe), clock.now_us(), more, wards, zone)
    projections, appender, places = Projections(pipe), Appender(pipe), Places()
    web = Web(
        redis_url=redis_url,
        database=cast("Database", app),
        appender=appender,
        projections=projections,
        intake=Intake(appender, projections, places, clock),
        renderer=Renderer("Europe/Moscow"),
        clock=clock,
        origins=(),
        secure=False,
        demo=False,
        mode="Test",
        places=places,
    )
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        make_app(web), http=Requests, ws=BoardSocket, ws_max_size=64 * 1024, log_config=None,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:

        async def started() -> bool:
            return server.started and bool(places.units)

        await until(started, "the web process has read its places")
        yield Running(f"http://127.0.0.1:{listening.getsockname()[1]}", web, given)
    finally:
        server.should_exit = True
        await serving
        await pipe.close()


async def _projected(
    projections: Projections,
    now: int,
    more: tuple[str, ...],
    wards: Mapping[str, int],
    zone: str,
) -> dict[str, str]:
    given: dict[str, str] = {}

    def key(name: str) -> str:
        given[name] = tokens.new_token(name[:2])
        return tokens.token_hash(given[name]).hex()

    def person(name: str, role: Role, units: tuple[str, ...] = ALL_UNITS) -> Principal:
        return Principal(actor=name, role=role, hospital=name[:2], units=units, key=key(name))

    def device(name: str, kind: str, bed: str = "", mode: str = "Test") -> DeviceRow:
        unit = bed.rpartition("-")[0]
        return DeviceRow(
            key=key(name), device=name, kind=kind, hospital=name[:2], unit=unit, bed=bed, mode=mode
        )

    def unit(name: str, kind: str) -> UnitRow:
        most = wards.get(name[3:], 2) if kind == "icu" else 0
        beds = tuple((f"{name}-{n:02d}", str(n)) for n in range(1, most + 1))
        return UnitRow(unit=name, hospital=name[:2], kind=kind, name=name, zone=zone, beds=beds)

    people = [
        person("h1-nurse", Role.NURSE),
        person("h1-wall", Role.WALLBOARD, (UNIT,)),
        person("h1-crew", Role.CREW),
        person("h1-emergency", Role.NURSE, ("h1-ed",)),
        person("h1-next", Role.NURSE, more or ("h1-none",)),
        person("h2-nurse", Role.NURSE),
        person("h1-doctor", Role.ICU_PHYSICIAN),
        person("h2-doctor", Role.ICU_PHYSICIAN),
        person("h1-admin", Role.ADMINISTRATOR),
    ]
    devices = [
        device("h1-monitor", "monitor", BED),
        device("h1-gateway", "gateway", mode="Real"),
        device("h2-monitor", "monitor", FOREIGN_BED),
    ]
    kinds = dict.fromkeys(wards, "icu") | {"ed": "ed"}
    units = [unit(f"{h}-{u}", kind) for h in ("h1", "h2") for u, kind in kinds.items()]
    units += [unit(name, "icu") for name in more]
    await projections.keep(Projection(people, devices, units), now, "Test")
    return given
