"""Helpers of the tests of the embedded servers: rows, entries, waiting with a deadline."""

import asyncio
import contextlib
import time
from collections.abc import Callable

import asyncpg
import redis.asyncio as redis
from redis.exceptions import RedisError

from hospital_ops.servers.supervisor import Supervisor
from tests.patience import PATIENCE_S


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)


async def until(condition: Callable[[], object]) -> None:
    """The same for a test in whose loop the supervisor runs."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110  processes set no event
            await asyncio.sleep(0.01)


def new_process(supervisor: Supervisor, name: str, killed: int) -> Callable[[], bool]:
    return lambda: supervisor.pids[name] != killed


async def rows(url: str) -> list[int]:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return [row["n"] for row in await connection.fetch("select n from ward order by n")]
    finally:
        await connection.close()


async def rows_when_back(url: str) -> list[int]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                return await rows(url)
            await asyncio.sleep(0.02)


async def write_rows(url: str, *numbers: int) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        await connection.execute("create table if not exists ward (n int primary key)")
        await connection.executemany("insert into ward values ($1)", [(n,) for n in numbers])
    finally:
        await connection.close()


async def entries_when_back(url: str) -> list[object]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with redis.from_url(url, decode_responses=True) as client:
                    return [fields for _, fields in await client.xrange("ward") or []]
            await asyncio.sleep(0.02)
