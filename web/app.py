"""The application: routes, sockets, static files, and the tasks that follow the boards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi.telemetry import TelemetryConfig

from hospital_ops import log
from streams.pipe import ReplyError
from streams.sources import CARE, keep_telling
from web import devices, errors, sockets, wardsheet, waves
from web.boards import MAKE, Feed
from web.busy import Busy
from web.guard import Guard
from web.routes import (
    alarmload,
    alarmpanel,
    alarms,
    allergies,
    badges,
    bedacts,
    bedecgs,
    bedmap,
    beds,
    boards,
    care,
    caseallergies,
    casedesk,
    cases,
    codes,
    course,
    crew,
    curves,
    duty,
    ecgs,
    edsettings,
    evidence,
    feeds,
    flowsheet,
    handover,
    health,
    holding,
    incidents,
    indicators,
    isolation,
    letters,
    limits,
    newvalues,
    orderpanel,
    orders,
    ordersets,
    pages,
    past,
    patients,
    prearrivals,
    push,
    readiness,
    relatives,
    relatives_api,
    relatives_family,
    relatives_hooks,
    relayed,
    responses,
    sepsis,
    session,
    sheets,
    silencing,
    soundcheck,
    statistics,
    stays,
    street,
    strips,
    tablet,
    tablets,
    transferpages,
    transfers,
    trends,
    triageaudit,
    walkins,
    walls,
    wardsheets,
    whoisit,
    worklist,
)
from web.state import Web

PLACES_S = 2.0
# Figures go out by /metrics alone; the framework would send the words of errors, too.
NOTHING_TOLD: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
STATIC = Path(__file__).parent / "static"
PARTS = (
    trends,
    strips,
    street,
    flowsheet,
    session,
    alarms,
    alarmload,
    statistics,
    sepsis,
    alarmpanel,
    bedacts,
    limits,
    newvalues,
    silencing,
    badges,
    push,
    duty,
    ecgs,
    evidence,
    walls,
    orderpanel,
    orders,
    ordersets,
    responses,
    worklist,
    allergies,
    patients,
    caseallergies,
    casedesk,
    sheets,
    walkins,
    edsettings,
    cases,
    past,
    bedmap,
    stays,
    transfers,
    transferpages,
    incidents,
    isolation,
    holding,
    handover,
    wardsheets,
    triageaudit,
    whoisit,
    pages,
    boards,
    tablet,
    tablets,
    course,
    crew,
    readiness,
    prearrivals,
    health,
    bedecgs,
    beds,
    indicators,
    soundcheck,
    sockets,
    waves,
    devices,
    relayed,
    care,
    codes,
    feeds,
    letters,
    curves,
    relatives,
    relatives_api,
    relatives_family,
    relatives_hooks,
)
logger = log.get("web")


def make_app(web: Web) -> FastAPI:
    """The application over the objects that the composition root has built."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        work = (
            _keep_places(web),
            sockets.inspect(web),
            web.intake.codebooks.run(web.projections),
            keep_telling(web.projections.pipe, CARE, web.sources, web.clock),
        )
        keepers = [asyncio.create_task(one) for one in work]
        if web.data_dir is not None:
            keepers.append(asyncio.create_task(wardsheet.run(web, web.data_dir)))
        try:
            yield
        finally:
            for task in (*keepers, *web.tasks):
                task.cancel()
            await asyncio.gather(*keepers, *web.tasks, return_exceptions=True)

    app = FastAPI(
        title="Hospital Ops",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry=NOTHING_TOLD,
    )
    app.state.web = web
    app.add_middleware(Busy)
    app.add_middleware(Guard, secure=web.secure)
    errors.install(app)
    for part in PARTS:
        app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app


async def _keep_places(web: Web) -> None:
    """Reads the places again and again, and follows the board of every unit."""
    while True:
        try:
            web.places.become(await web.projections.places())
            for unit in web.places.units.values():
                if unit.unit not in web.feeds:
                    make = MAKE[unit.kind]
                    _follow(web, make(web.redis_url, unit, web.places, web.renderer, web.clock))
            await web.projections.beat("web", str(id(web)), web.clock.now_us())
        except (OSError, ReplyError) as error:
            logger.warning("redis_away", error=type(error).__name__)
        await asyncio.sleep(PLACES_S if web.feeds else 0.1)


def _follow(web: Web, feed: Feed) -> None:
    web.feeds[feed.unit.unit] = feed
    task = asyncio.create_task(feed.run())
    web.tasks.add(task)
    task.add_done_callback(web.tasks.discard)
