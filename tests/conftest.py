"""Real servers for every test that needs one: nothing imitates Redis or PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from hospital_ops.servers.embedded import STOP_ORDER, EmbeddedServers, embedded_servers
from hospital_ops.servers.lock import DataDirectory
from hospital_ops.servers.runtime import RuntimeFolder
from hospital_ops.servers.supervisor import Supervisor
from hospital_ops.servers.valkey import Valkey

# No test asserts how long something took: a slow machine makes no property false.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServers]:
    """One Valkey and one PostgreSQL for the whole run: `redis_url`, `database_url(name)`.

    They are not brought back when a test kills them: such a test takes servers of its own.
    """
    loop = asyncio.new_event_loop()
    with embedded_servers(tmp_path_factory.mktemp("servers") / "data") as embedded:
        supervisor = Supervisor(embedded.data.log_folder)
        try:
            loop.run_until_complete(supervisor.start(embedded.valkey.child()))
            loop.run_until_complete(supervisor.start(embedded.postgres.child()))
            yield embedded
        finally:
            loop.run_until_complete(supervisor.stop_all(STOP_ORDER))
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()


@pytest.fixture
async def fresh_valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    """An empty Valkey of this test's own (`url`), brought back when it is killed."""
    with (
        DataDirectory(tmp_path / "fresh") as data,
        RuntimeFolder(data.path / "runtime") as runtime,
    ):
        valkey = Valkey(data, runtime)
        async with Supervisor(data.log_folder) as supervisor:
            await supervisor.start(valkey.child())
            yield valkey
