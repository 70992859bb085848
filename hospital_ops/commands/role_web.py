"""The role web: pages, sockets and device routes over the objects built here."""

from __future__ import annotations

from hospital_ops import database
from hospital_ops.commands.process import Process
from hospital_ops.commands.sources import source_of
from notify.desk.acts import Desk
from notify.sealing import load
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
    app = await database.connect(settings.database_url, "app", name="web")
    keys = load(settings.number_keys.get_secret_value(), settings.data_dir)
    web = Web(
        redis_url=settings.redis_url,
        database=app,
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
        desk=Desk(app, keys, process.clock),
        keys=keys,
        push_hosts=settings.push_hosts,
        sources=tuple(source_of(one) for one in settings.http_sources),
        data_dir=settings.data_dir,
        public_url=settings.public_url,
        twilio_token=settings.twilio_auth_token.get_secret_value(),
    )
    await serve(make_app(web), listening)
