"""The role gateway: MLLP in, answered after the append is on disk."""

from __future__ import annotations

import asyncio

from hospital_ops import log
from hospital_ops.commands.process import Process
from hospital_ops.commands.sources import source_of, tls_of
from streams.append import Appender
from streams.check import wait_until_fit
from streams.codebooks import Codebooks
from streams.mllp import MllpGateway
from streams.projections import Places, Projections
from streams.sources import HL7, keep_telling

logger = log.get("gateway")


async def run(process: Process) -> None:
    """Listens as soon as the places are known, and until cancelled."""
    settings = process.settings
    await wait_until_fit(settings.redis_url)
    appender, places = Appender(process.pipe), Places()
    codebooks = Codebooks(places, process.clock)
    sources = [source_of(one) for one in settings.mllp_sources if one.zone]
    gateway = MllpGateway(
        appender,
        places,
        sources,
        process.clock,
        codebooks=codebooks,
    )
    secured = tls_of(settings) if settings.mllp_tls_port else None
    listening = False

    async def watch(found: Places) -> None:
        nonlocal listening
        places.become(found)
        if places.units and not listening:
            listening = True
            await gateway.serve(settings.mllp_host, settings.mllp_port)
            if secured is not None:
                await gateway.serve(settings.mllp_host, settings.mllp_tls_port, secured)
            logger.info("listening", port=settings.mllp_port, tls=settings.mllp_tls_port)

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(process.beat("gateway"))
            tasks.create_task(codebooks.run(Projections(process.pipe)))
            tasks.create_task(keep_telling(process.pipe, HL7, sources, process.clock))
            await process.follow_places(Projections(process.pipe), watch)
    finally:
        await gateway.close()
