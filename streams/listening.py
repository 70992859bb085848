"""The owner of a unit listens to its curves: what they say becomes entries of the unit's stream.

Beside the walk, with a connection of its own, and never in its way: where listening fails it
begins anew with what comes then, and the walk goes on. Only the owner of the lease is heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from traceback import extract_tb
from typing import Final

from hospital_ops import log
from hospital_ops.clock import Clock
from hospital_ops.deciding import Listener
from hospital_ops.errors import Fenced
from streams.lease import Lease
from streams.pipe import Pipe
from streams.publish import tell
from streams.waves import WaveReader

MakeListener = Callable[[str], Listener | None]  # of a unit; None: nobody looks at its curves
GATHER_S: Final = 0.1  # between readings: what comes within this is looked at together
RETRY_S: Final = 1.0

logger = log.get("listening")


async def listen(url: str, lease: Lease, make: MakeListener, clock: Clock, pipe: Pipe) -> None:
    """Listens for as long as the lease holds; Fenced when it is not ours."""
    if make(lease.shard) is None:
        return
    reading = Pipe(url)
    try:
        while True:
            listener = make(lease.shard)
            if listener is None:
                return
            try:
                await _follow(reading, lease, listener, clock, pipe)
            except (Fenced, OSError):
                raise
            except Exception as error:
                # The edge between an analysis and its ward: a strange curve stops no alarm.
                where = extract_tb(error.__traceback__)[-1]
                place = f"{type(error).__name__} in {where.name}:{where.lineno}"
                logger.error("curves_not_understood", shard=lease.shard, error=place)
            await asyncio.sleep(RETRY_S)
    finally:
        await reading.close()


async def _follow(
    reading: Pipe, lease: Lease, listener: Listener, clock: Clock, pipe: Pipe
) -> None:
    reader = WaveReader(reading, lease.shard)
    await reader.start()
    while True:
        for wave in await reader.read():
            listener.take(wave)
        told = listener.advance(clock.now_us())
        if told:
            await tell(pipe, lease, told)
        await asyncio.sleep(GATHER_S)
