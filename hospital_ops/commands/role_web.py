"""The role web: pages, sockets and device routes over the objects built here."""

from __future__ import annotations

from hospital_ops import database
from hospital_ops.commands.process import Process
from streams.append import Appender
from streams.intake import Intake
from streams.projections import Places, Projections
from web.app import make_app
from web.render import Renderer
from web.server import listen, serve
from web.state import Web


async def run(process: Process) -> None:
    """Serves until stopped."""
    settings = process.settings
    listening = listen(settings.http_host, settings.http_port)
    projections, appender, places = Projections(process.pipe), Appender(process.pipe), Places()
    web = Web(
        redis_url=settings.redis_url,
        database=await database.connect(settings.database_url, "app", name="web"),
        appender=appender,
        projections=projections,
        intake=Intake(appender, projections, places, process.clock),
        renderer=Renderer(settings.zone),
        clock=process.clock,
        origins=settings.origins,
        secure=settings.public_url.startswith("https://"),
        demo=settings.demo,
        mode=process.mode,
        limits=settings.session_limits,
        places=places,
    )
    await serve(make_app(web), listening)
