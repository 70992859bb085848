"""The stage of a bench: real servers, the real roles as processes, a furnished house.

Everything lies in a temporary folder and ends with the block; nothing is imitated.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from hospital_ops import accounts, database
from hospital_ops.access import ALL_UNITS, Role, Scope
from hospital_ops.clock import SystemClock
from hospital_ops.installation import store as installation
from hospital_ops.migrations.keeper import keep_partitions
from hospital_ops.migrations.roles import ensure_roles
from hospital_ops.migrations.runner import migrate
from hospital_ops.servers.embedded import STOP_ORDER, EmbeddedServers, embedded_servers
from hospital_ops.servers.process import Child
from hospital_ops.servers.supervisor import Supervisor
from simulators.demonstration import free_port
from streams.append import Appender
from streams.pipe import Pipe
from streams.relay import Relay

HOSPITAL: Final = "h1"
READY_WITHIN_S: Final = 60.0
ROLES_FIRST: Final = ("web", "gateway", "live", "store")  # they end before the servers


@dataclass(slots=True)
class Stage:
    """What runs, and how to add to it."""

    servers: EmbeddedServers
    supervisor: Supervisor
    http_port: int
    mllp_port: int
    password: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    tablets: dict[str, str] = field(default_factory=dict)  # token by device

    @property
    def redis_url(self) -> str:
        """Of the real Valkey, fsync always."""
        return self.servers.redis_url

    @property
    def database_url(self) -> str:
        """Of the real PostgreSQL, as superuser."""
        return self.servers.database_url()

    async def role(self, name: str, **environment: str) -> None:
        """Starts `hospital-ops serve NAME` as a process of its own."""
        child = Child(
            name=name,
            argv=(sys.executable, "-m", "hospital_ops", "serve", name),
            env={**os.environ, **self._environment(), **environment},
        )
        await self.supervisor.start(child)
        port = {"web": self.http_port, "gateway": self.mllp_port}.get(name)
        if port:
            await listening(port)

    async def end(self, *names: str) -> None:
        """Ends roles that are no longer wanted."""
        for name in names:
            await self.supervisor.stop(name)

    def cpu_s(self, *names: str) -> dict[str, float]:
        """Seconds of processor time so far, by name; children (PostgreSQL's) included."""
        return {name: cpu_s(self.supervisor.pids[name]) for name in names}

    def _environment(self) -> Mapping[str, str]:
        source = '[{"name":"loopback","networks":["127.0.0.0/8"],"hospital":"h1","mode":"Test"}]'
        return {
            "HOSPITAL_OPS_REDIS_URL": self.redis_url,
            "HOSPITAL_OPS_DATABASE_URL": self.database_url,
            "HOSPITAL_OPS_HTTP_PORT": str(self.http_port),
            "HOSPITAL_OPS_MLLP_PORT": str(self.mllp_port),
            "HOSPITAL_OPS_MLLP_SOURCES": source,
            "HOSPITAL_OPS_LOG_LEVEL": "warning",
        }


@asynccontextmanager
async def stage(*, postgres: bool = True) -> AsyncIterator[Stage]:
    """Valkey with fsync always, and PostgreSQL with all tables and roles, when wanted."""
    with (
        tempfile.TemporaryDirectory(prefix="hospital-ops-bench-") as folder,
        embedded_servers(Path(folder) / "data") as servers,
    ):
        async with Supervisor(servers.data.log_folder) as supervisor:
            await supervisor.start(servers.valkey.child())
            if postgres:
                await supervisor.start(servers.postgres.child())
                await ensure_roles(servers.database_url())
                await migrate(servers.database_url())
                owner = await database.connect(servers.database_url(), "owner", name="bench")
                await keep_partitions(owner, SystemClock().now_us())
                await owner.close()
            try:
                yield Stage(servers, supervisor, free_port(), free_port())
            finally:
                await supervisor.stop_all([*ROLES_FIRST, *STOP_ORDER])


async def furnish(
    on: Stage, icus: int = 1, beds: int = 50, eds: int = 1, tablets: int = 0
) -> list[str]:
    """A hospital with its units, beds, tablets and a wallboard account; answers the ICUs' ids."""
    by = Scope(HOSPITAL, ALL_UNITS, Role.ADMINISTRATOR.value, "bench")
    now = SystemClock().now_us()
    units = [f"{HOSPITAL}-icu-{number}" for number in range(1, icus + 1)]
    app = await database.connect(on.database_url, "app", name="bench")
    async with app.transaction(by) as connection:
        await installation.ensure_hospital(connection, by, "Bench", now)
        for unit in units:
            await installation.ensure_unit(connection, by, unit, "icu", unit, now)
            named = [(bed_of(unit, number), str(number)) for number in range(1, beds + 1)]
            await installation.ensure_beds(connection, by, unit, named, now)
        for number in range(1, eds + 1):
            name = "h1-ed" if number == 1 else f"h1-ed-{number}"
            await installation.ensure_unit(connection, by, name, "ed", name, now)
        for number in range(1, tablets + 1):
            device = f"h1-tablet-{number}"
            await installation.ensure_device(connection, by, device, "tablet", "Test", now)
            on.tablets[device] = await installation.issue_device_token(connection, by, device, now)
        await accounts.ensure_account(connection, by, "wall", Role.WALLBOARD, on.password, now)
    await app.close()
    writer = await database.connect(on.database_url, "writer", name="bench")
    pipe = Pipe(on.redis_url)
    await Relay(writer, Appender(pipe), SystemClock(), "Test").keep_projections()
    await pipe.close()
    await writer.close()
    return units


async def wall_token(on: Stage) -> str:
    """A session that may look at every board."""
    clock = SystemClock()
    app = await database.connect(on.database_url, "app", name="bench")
    found = await accounts.sign_in(app, "wall", on.password, "127.0.0.1", clock)
    await app.close()
    pipe = Pipe(on.redis_url)
    writer = await database.connect(on.database_url, "writer", name="bench")
    await Relay(writer, Appender(pipe), clock, "Test").keep_projections()
    await writer.close()
    await pipe.close()
    return found.token


def bed_of(unit: str, number: int) -> str:
    """`h1-icu-1-07`."""
    return f"{unit}-{number:02d}"


async def listening(port: int) -> None:
    """Waits until somebody accepts connections on `port`."""
    async with asyncio.timeout(READY_WITHIN_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return


def cpu_s(pid: int) -> float:
    """Processor seconds of a process and its children."""
    process = psutil.Process(pid)
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def memory_kb(pid: int) -> float:
    """Resident memory of a process, kB."""
    resident: int = psutil.Process(pid).memory_info().rss
    return resident / 1024
