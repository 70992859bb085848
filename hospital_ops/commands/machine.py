"""One machine: embedded servers where none are named, every role as a process, one supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from hospital_ops import database, settings
from hospital_ops.clock import SystemClock
from hospital_ops.commands.serve import ROLES
from hospital_ops.migrations.keeper import keep_partitions
from hospital_ops.migrations.roles import ensure_roles
from hospital_ops.migrations.runner import migrate
from hospital_ops.servers.embedded import STOP_ORDER, EmbeddedServers, embedded_servers
from hospital_ops.servers.process import Child
from hospital_ops.servers.supervisor import Supervisor
from hospital_ops.settings import Settings
from streams import check
from streams.append import Appender
from streams.pipe import Pipe
from streams.relay import Relay

# What comes in ends first, the archive last, so that little is left to re-read.
ROLE_ORDER = ("simulators", "web", "gateway", "live", "notify", "store")

Prepare = Callable[[Settings], Awaitable[None]]


@dataclass(slots=True)
class Machine:
    """What runs on one machine, as others may want to know it."""

    settings: Settings  # with the addresses of the servers that run
    redis_url: str
    database_url: str
    data: Path
    supervisor: Supervisor
    environment: Mapping[str, str]
    lock: tuple[int, ...] = ()
    children: dict[str, Child] = field(default_factory=dict)

    async def start(self, name: str, *arguments: str) -> None:
        """Starts `hospital-ops ARGUMENTS` as the child `name` and keeps it running."""
        child = Child(
            name=name,
            argv=(sys.executable, "-m", "hospital_ops", *arguments),
            env=self.environment,
            pass_fds=self.lock,
        )
        await self.supervisor.start(child)


@asynccontextmanager
async def machine(
    wanted: Settings,
    prepare: Prepare,
    on_change: Callable[[Mapping[str, int]], None],
    say: Callable[[str], None] = print,
) -> AsyncIterator[Machine]:
    """Servers, set-up and all roles; everything ends with the block, the servers last.

    `prepare` fills the installation (demo) before the roles start.
    """
    embedded = not (wanted.redis_url and wanted.database_url)
    with embedded_servers(wanted.data_dir, say=say) if embedded else nullcontext() as servers:
        folder = servers.data.log_folder if servers else wanted.data_dir / "log"
        folder.mkdir(parents=True, exist_ok=True)
        async with Supervisor(folder, on_change=on_change) as supervisor:
            if servers is not None:
                await supervisor.start(servers.valkey.child())
                await supervisor.start(servers.postgres.child())
            running = _machine(wanted, servers, supervisor)
            await _set_up(running.settings, prepare, own_server=embedded)
            for role in ROLES:
                await running.start(role, "serve", role)
            try:
                yield running
            finally:
                await supervisor.stop_all([*ROLE_ORDER, *STOP_ORDER])


def _machine(wanted: Settings, servers: EmbeddedServers | None, supervisor: Supervisor) -> Machine:
    redis_url = servers.redis_url if servers else wanted.redis_url
    database_url = servers.database_url() if servers else wanted.database_url
    return Machine(
        settings=wanted.model_copy(update={"redis_url": redis_url, "database_url": database_url}),
        redis_url=redis_url,
        database_url=database_url,
        data=wanted.data_dir,
        supervisor=supervisor,
        environment={
            **os.environ,
            # Else every start compiles some four hundred files in each of the processes.
            "PYTHONDONTWRITEBYTECODE": "",
            **settings.as_environment(wanted),
            "HOSPITAL_OPS_REDIS_URL": redis_url,
            "HOSPITAL_OPS_DATABASE_URL": database_url,
        },
        lock=(servers.data.lock_descriptor,) if servers else (),
    )


async def _set_up(full: Settings, prepare: Prepare, *, own_server: bool) -> None:
    """Refuses unfit servers, then migrates, makes the days, fills the projections."""
    await check.refuse_unfit(full.redis_url)
    await database.refuse_unfit(full.database_url)
    if own_server:
        await ensure_roles(full.database_url)
    await migrate(full.database_url)
    clock = SystemClock()
    owner = await database.connect(full.database_url, "owner", name="set-up")
    try:
        await keep_partitions(owner, clock.now_us())
    finally:
        await owner.close()
    await prepare(full)
    writer = await database.connect(full.database_url, "writer", name="set-up")
    try:
        mode = "Demo" if full.demo else "Real"
        await Relay(writer, Appender(Pipe(full.redis_url)), clock, mode).keep_projections()
    finally:
        await writer.close()


async def until_told() -> None:
    """Waits for SIGTERM or SIGINT."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()
