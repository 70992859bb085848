"""What every role process has: settings, clock, a pipe to Redis, a name, and a heartbeat."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hospital_ops import log
from hospital_ops.clock import Clock, SystemClock
from hospital_ops.database import Database, DatabaseGone
from hospital_ops.settings import Settings
from streams.pipe import Pipe, ReplyError
from streams.projections import Places, Projections

PLACES_S = 2.0
BEAT_S = 2.0
BEHIND: Final = 5  # nice: a third of the weight of the roles beside

logger = log.get("process")


@dataclass(slots=True)
class Process:
    """One process of a role."""

    settings: Settings
    role: str
    clock: Clock = field(default_factory=SystemClock)
    pipe: Pipe = field(init=False)

    def __post_init__(self) -> None:
        self.pipe = Pipe(self.settings.redis_url)

    @property
    def name(self) -> str:
        """Unique among all processes of the installation."""
        return f"{socket.gethostname()}-{self.role}-{os.getpid()}"

    @property
    def mode(self) -> str:
        """Of what people enter: Demo in a demonstration, else Real."""
        return "Demo" if self.settings.demo else "Real"

    async def beat(self, role: str) -> None:
        """Says in Redis that this process is at work."""
        projections = Projections(self.pipe)
        while True:
            try:
                await projections.beat(role, self.name, self.clock.now_us())
            except (OSError, ReplyError) as error:
                logger.warning("no_heartbeat", error=type(error).__name__)
            await asyncio.sleep(BEAT_S)

    async def follow_places(
        self, projections: Projections, tell: Callable[[Places], Awaitable[None]]
    ) -> None:
        """Reads the places again and again; quickly until there are some."""
        known = False
        while True:
            try:
                places = await projections.places()
                known = bool(places.units)
                await tell(places)
            except (OSError, ReplyError) as error:
                logger.warning("redis_away", error=type(error).__name__)
            await asyncio.sleep(PLACES_S if known else 0.1)

    async def beat_in_database(self, database: Database) -> None:
        """Says in PostgreSQL that this process is at work."""
        while True:
            try:
                await database.heartbeat(self.role, self.name)
            except DatabaseGone as error:
                logger.warning("no_heartbeat", error=type(error).__name__)
            await asyncio.sleep(BEAT_S)


def give_way() -> None:
    """Where processors are short, the other roles of this machine go first: live before archive.

    Linux may share them out by session before it does by process (sched(7), autogroup), and each
    role is a session of its own.
    """
    os.nice(BEHIND)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(BEHIND))
