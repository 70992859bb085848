"""The role notify: plans the day's messages to relatives and sends what a physician let go."""

from __future__ import annotations

import asyncio

from hospital_ops import database
from hospital_ops.commands.process import Process
from notify.planner import Planner
from notify.providers.choose import providers
from notify.push.sender import PushSender
from notify.sealing import load
from notify.sender import Sender
from streams.projections import Places, Projections


async def run(process: Process) -> None:
    """Plans and sends until stopped; its heartbeat is in PostgreSQL."""
    settings = process.settings
    ways = providers(settings)
    keys = load(settings.number_keys.get_secret_value(), settings.data_dir)
    app = await database.connect(settings.database_url, "app", name="notify")
    planner, sender = Planner(app, process.clock), Sender(app, keys, ways, process.clock)
    pushing = PushSender(
        app,
        keys.push_seed,
        settings.push_hosts,
        settings.push_contact or settings.public_url,
        process.clock,
        process.mode,
    )

    async def watch(places: Places) -> None:
        units = [u for u in places.units.values() if u.kind == "icu"]
        planner.units = [(u.hospital, u.unit, u.zone) for u in units]
        sender.hospitals = pushing.hospitals = sorted({u.hospital for u in units})

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(process.beat_in_database(app))
            tasks.create_task(planner.run())
            tasks.create_task(sender.run())
            tasks.create_task(pushing.run())
            await process.follow_places(Projections(process.pipe), watch)
    finally:
        await ways.close()
