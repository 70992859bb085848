"""Append: a yes means that it is on disk; a no means that the sender keeps it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

import pytest

from hospital_ops import wire
from hospital_ops.errors import NotStored
from hospital_ops.servers.valkey import Valkey
from streams import lease as leases
from streams.append import Appender
from streams.pipe import ConnectionLost, Pipe, Portion, ReplyError
from streams.publish import publish, read_board, save_snapshot, tick
from streams.shard import keys
from tests.integration.streams_help import UNIT, observed, until

DECIDED = wire.Decided(UNIT, "c", 1, "red", "ed.h1", 1, "", "", ())


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


async def process_of(pipe: Pipe) -> int:
    """The process id of the server."""
    info = (await pipe.call("INFO", "server")).decode()
    return int(info.split("process_id:")[1].split()[0])


async def fill_to(pipe: Pipe, share: float) -> None:
    """Lets the memory in use be this share of the limit."""
    info = (await pipe.call("INFO", "memory")).decode()
    used = int(info.split("used_memory:")[1].split()[0])
    await pipe.call("CONFIG", "SET", "maxmemory", round(used / share))


async def accepted(appender: Appender, entry: wire.Entry, stream: str = "in") -> bool:
    try:
        await appender.append(UNIT, entry, stream=stream)
    except NotStored:
        return False
    return True


async def test_nobody_is_told_stored_while_the_server_stands_still(pipe: Pipe) -> None:
    server = await process_of(pipe)
    appender = Appender(pipe)
    await appender.append(UNIT, observed())
    os.kill(server, signal.SIGSTOP)
    try:
        appending = asyncio.create_task(appender.append(UNIT, observed(81.0)))
        done, _ = await asyncio.wait([appending], timeout=0.3)
        assert not done
    finally:
        os.kill(server, signal.SIGCONT)
    entry_id = await appending
    found = await pipe.call("XRANGE", keys(UNIT).incoming, entry_id, entry_id)
    assert len(found) == 1


async def test_what_was_acknowledged_is_there_after_the_server_was_killed(pipe: Pipe) -> None:
    appender = Appender(pipe)
    sent = await asyncio.gather(*(appender.append(UNIT, observed(float(n))) for n in range(200)))
    killed = await process_of(pipe)
    os.kill(killed, signal.SIGKILL)

    async def back() -> bool:
        try:
            return await process_of(pipe) != killed
        except (ConnectionLost, ReplyError):
            return False

    await until(back, "the server is back")
    kept = await pipe.call("XRANGE", keys(UNIT).incoming, "-", "+")
    assert [entry_id.decode() for entry_id, _ in kept] == sorted(
        sent, key=lambda entry_id: tuple(map(int, entry_id.split("-")))
    )
    assert await accepted(appender, observed())  # over a new connection


async def test_while_the_server_is_away_the_sender_keeps_its_message() -> None:
    appender = Appender(Pipe("unix:///nowhere/valkey.sock"))
    with pytest.raises(NotStored, match="send again"):
        await appender.append(UNIT, observed())


async def test_memory_is_kept_first_for_vitals_then_for_alarms_and_commands(pipe: Pipe) -> None:
    async def accepts(waves: bool, values: bool, commands: bool) -> bool:
        found = (
            await accepted(appender, observed(), "waves"),
            await accepted(appender, observed()),
            await accepted(appender, DECIDED),
        )
        return found == (waves, values, commands)

    appender = Appender(pipe)
    await until(lambda: accepts(True, True, True), "all is accepted")
    await fill_to(pipe, 0.8 * 0.82)
    await until(lambda: accepts(False, True, True), "waveforms are refused")
    await fill_to(pipe, 0.8 * 0.95)
    await until(lambda: accepts(False, False, True), "values are refused too")
    await pipe.call("CONFIG", "SET", "maxmemory", 1 << 30)
    await until(lambda: accepts(True, True, True), "all is accepted again")


async def test_alarms_and_time_go_on_when_the_memory_is_full(pipe: Pipe) -> None:
    lease = await leases.acquire(pipe, UNIT, "one")
    assert lease is not None
    await fill_to(pipe, 1.5)
    assert not await accepted(Appender(pipe), DECIDED)
    assert await leases.renew(pipe, lease)
    await tick(pipe, lease, 1)
    await publish(pipe, lease, position="1-0", rev=1, outputs=[DECIDED], cells={"01": b"x"})
    await save_snapshot(pipe, lease, "1-0", b"state")
    assert (await read_board(pipe, UNIT)).cells == {"01": b"x"}


def test_a_reading_is_bounded_by_bytes_and_grows_while_entries_are_small() -> None:
    portion = Portion(1000)
    small, giant = [("1-0", [b"d", b"x" * 500])], [("1-0", [b"d", b"x" * (1 << 20)])]
    assert portion.learn(small * portion.count)
    for _ in range(9):
        portion.learn(small * portion.count)
    assert portion.count == 1000
    assert not portion.learn(small * 3)
    portion.learn(giant * portion.count)
    assert portion.count <= Portion.BYTES >> 20
    portion.learn([("1-0", [b"d", b"x" * (1 << 24)])])
    assert portion.count == 1
