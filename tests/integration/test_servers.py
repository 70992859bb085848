"""The embedded servers are killed, frozen and left behind; no acknowledged row is lost."""

import asyncio
import contextlib
import json
import os
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio as redis

from hospital_ops.servers import leftovers
from hospital_ops.servers.embedded import EmbeddedServers, embedded_servers
from hospital_ops.servers.errors import ChildStartError, DataDirectoryRefusedError
from hospital_ops.servers.lock import DataDirectory
from hospital_ops.servers.placement import PUBLIC_FOLDERS, place
from hospital_ops.servers.postgres import SOCKET_FILE, Postgres, find_installation
from hospital_ops.servers.process import Child
from hospital_ops.servers.runtime import SOCKET_PATH_BYTES_MAX, RuntimeFolder
from hospital_ops.servers.supervisor import Supervisor
from tests.integration.servers_help import (
    entries_when_back,
    new_process,
    rows_when_back,
    until,
    write_rows,
)
from tests.patience import PATIENCE_S

Own = tuple[EmbeddedServers, Supervisor]


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    logs = tmp_path / "log"
    logs.mkdir()
    async with Supervisor(logs) as supervisor:
        yield supervisor


@pytest.fixture
async def own(tmp_path: Path, supervisor: Supervisor) -> AsyncIterator[Own]:
    """Both servers for a test that kills them."""
    with embedded_servers(tmp_path / "data") as servers:
        await supervisor.start(servers.valkey.child())
        await supervisor.start(servers.postgres.child())
        yield servers, supervisor
        await supervisor.stop_all()


async def test_what_valkey_acknowledged_is_there_after_it_is_killed_again_and_again(
    own: Own,
) -> None:
    servers, supervisor = own
    for life in range(3):
        async with redis.from_url(servers.redis_url) as client:
            await client.xadd("ward", {"heart_rate": str(70 + life)})
        killed = supervisor.pids["valkey"]
        os.kill(killed, signal.SIGKILL)
        expected = [{"heart_rate": str(70 + n)} for n in range(life + 1)]
        await until(new_process(supervisor, "valkey", killed))
        assert await entries_when_back(servers.redis_url) == expected


async def test_valkey_runs_with_what_the_acknowledgement_promises(servers: EmbeddedServers) -> None:
    async with redis.from_url(servers.redis_url, decode_responses=True) as client:
        kept = await client.config_get("append*", "maxmemory*", "port", "save", "hide-user*")
    assert kept["appendonly"] == "yes"
    assert kept["appendfsync"] == "always"
    assert kept["maxmemory-policy"] == "noeviction"
    assert kept["maxmemory"] == str(1024**3)
    assert kept["port"] == "0"
    assert kept["save"] == ""
    assert kept["hide-user-data-from-log"] == "yes"


@pytest.mark.parametrize(
    "long_query",
    ["select pg_sleep(600)", "select count(*) from generate_series(1::bigint, 10000000000000)"],
    ids=["sleeping", "busy"],
)
async def test_committed_rows_are_there_after_postgresql_is_killed_under_a_long_query(
    own: Own, long_query: str
) -> None:
    servers, supervisor = own
    url = servers.database_url()
    for life in range(2):
        await write_rows(url, life)
        busy = await asyncpg.connect(url)
        backend = await busy.fetchval("select pg_backend_pid()")
        query = asyncio.create_task(busy.execute(long_query))
        await until_active(url, backend)
        killed = supervisor.pids["postgres"]
        os.kill(killed, signal.SIGKILL)
        await until(new_process(supervisor, "postgres", killed))
        assert await rows_when_back(url) == list(range(life + 1))
        assert not leftovers.is_alive(backend)
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await query
        busy.terminate()


async def until_active(url: str, backend: int) -> None:
    connection = await asyncpg.connect(url)
    state = "select state = 'active' from pg_stat_activity where pid = $1"
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await connection.fetchval(state, backend):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        await connection.close()


async def test_a_patients_name_in_a_failing_statement_does_not_reach_the_log(
    servers: EmbeddedServers,
) -> None:
    connection = await asyncpg.connect(servers.database_url())
    try:
        await connection.execute("create table if not exists people (name text primary key)")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.executemany("insert into people values ($1)", [("Ivanova",)] * 2)
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await connection.execute("insert into people select 'Ivanova'::int::text")
    finally:
        await connection.close()
    log = (servers.data.log_folder / "postgres.log").read_text()
    assert "ready to accept connections" in log
    assert "Ivanova" not in log


async def test_postgresql_is_durable_and_knows_cyrillic_whatever_the_locale(
    servers: EmbeddedServers,
) -> None:
    connection = await asyncpg.connect(servers.database_url())
    try:
        shown = {
            name: await connection.fetchval("select current_setting($1)", name)
            for name in ("fsync", "synchronous_commit", "listen_addresses", "server_version_num")
        }
        upper = await connection.fetchval("select upper('привет')")
    finally:
        await connection.close()
    assert shown.pop("server_version_num").startswith("18")
    assert shown == {"fsync": "on", "synchronous_commit": "on", "listen_addresses": ""}
    assert upper == "ПРИВЕТ"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(servers.database_url(), password="guessed")


async def test_a_role_that_ends_is_brought_back_and_the_new_number_is_told(tmp_path: Path) -> None:
    told: list[dict[str, int]] = []
    async with Supervisor(tmp_path, on_change=lambda pids: told.append(dict(pids))) as supervisor:
        await supervisor.start(Child(name="live", argv=["/bin/sleep", "3600"], env={}))
        for _ in range(3):
            os.kill(supervisor.pids["live"], signal.SIGKILL)
            await until(new_process(supervisor, "live", told[-1]["live"]))
        assert leftovers.is_alive(supervisor.pids["live"])
    pids = [change["live"] for change in told]
    assert len(set(pids)) == len(pids) == 4
    assert not any(map(leftovers.is_alive, pids))


async def test_a_callback_that_fails_does_not_stop_the_watch(tmp_path: Path) -> None:
    def refuse(pids: object) -> None:
        raise OSError("disk full")

    async with Supervisor(tmp_path, on_change=refuse) as supervisor:
        await supervisor.start(Child(name="live", argv=["/bin/sleep", "3600"], env={}))
        killed = supervisor.pids["live"]
        os.kill(killed, signal.SIGKILL)
        await until(new_process(supervisor, "live", killed))


@pytest.mark.parametrize(
    "script",
    ["trap '' TERM; echo up; while :; do sleep 1; done", "echo up; kill -STOP $$"],
    ids=["deaf", "frozen"],
)
async def test_a_child_that_does_not_hear_its_end_leaves_no_process(
    tmp_path: Path, supervisor: Supervisor, script: str
) -> None:
    log = tmp_path / "log" / "deaf.log"
    child = Child(
        name="deaf",
        argv=["/bin/sh", "-c", script],
        env={"PATH": os.defpath},
        grace_s=0.3,
        ready=lambda pid: "up" in log.read_text(),
    )
    await supervisor.start(child)
    pid = supervisor.pids["deaf"]
    await supervisor.stop("deaf")
    assert not leftovers.is_alive(pid)
    await until(lambda: not group_exists(pid))
    assert supervisor.pids == {}


def group_exists(group: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


async def test_a_child_that_cannot_start_is_explained_with_its_last_words(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    child = Child(
        name="web",
        argv=["/bin/sh", "-c", "echo address already in use; exit 3"],
        env={},
        ready=lambda pid: False,
    )
    with pytest.raises(ChildStartError, match=r"web ended with 3 .*address already in use"):
        await supervisor.start(child)
    slow = Child(
        name="slow",
        argv=["/bin/sleep", "3600"],
        env={},
        ready=lambda pid: False,
        ready_within_s=0.05,
    )
    with pytest.raises(ChildStartError, match="slow was not ready"):
        await supervisor.start(slow)
    assert supervisor.pids == {}


def test_socket_paths_stay_short_however_deep_the_data_lie(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    with embedded_servers(deep) as servers:
        lock = f"{servers.postgres.socket_folder / SOCKET_FILE}.lock"
        assert len(lock.encode()) <= SOCKET_PATH_BYTES_MAX
        assert len(str(servers.valkey.socket).encode()) <= SOCKET_PATH_BYTES_MAX
        assert stat.S_IMODE(servers.valkey.socket.parent.stat().st_mode) == 0o700


async def test_data_of_another_postgresql_are_refused_with_what_to_do(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    with embedded_servers(tmp_path / "data") as servers:
        data = servers.postgres.placement.data
        data.mkdir()
        (data / "PG_VERSION").write_text("16\n")
        with pytest.raises(DataDirectoryRefusedError, match=r"PostgreSQL 16.*pg_dump"):
            await supervisor.start(servers.postgres.child())


def test_a_copied_data_directory_never_opens_the_originals_data(tmp_path: Path) -> None:
    elsewhere = str(PUBLIC_FOLDERS / "0123456789ab" / "data")
    (tmp_path / "postgres.json").write_text(json.dumps({"mode": "nobody", "data": elsewhere}))
    # An ordinary user is refused before: the data were made by root.
    with pytest.raises(DataDirectoryRefusedError, match=r"moved or copied|Start as root"):
        place(tmp_path, find_installation())


async def test_a_process_number_used_again_by_a_stranger_does_not_keep_postgresql_down(
    tmp_path: Path, supervisor: Supervisor
) -> None:
    with (
        DataDirectory(tmp_path / "data") as data,
        RuntimeFolder(data.path / "runtime") as runtime,
    ):
        postgres = Postgres(data, runtime)
        await supervisor.start(postgres.child())
        pid_file = postgres.placement.data / "postmaster.pid"
        old = pid_file.read_text()
        await supervisor.stop("postgres")
        stranger = str(os.getpid())
        pid_file.write_text("\n".join([stranger, *old.splitlines()[1:]]) + "\n")
        await supervisor.start(postgres.child())
        assert await asyncpg.connect(postgres.url()) is not None
        await supervisor.stop("postgres")
