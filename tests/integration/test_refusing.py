"""The stream server refuses: nobody hears a yes, everybody hears why, and what is kept comes in."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from hospital_ops import wire
from hospital_ops.clock import SystemClock
from hospital_ops.errors import NotStored
from hospital_ops.hl7.framing import framed
from hospital_ops.hl7.understand import Source
from hospital_ops.servers.valkey import Valkey
from simulators.clients import END, START, read_acknowledgement
from streams.append import Appender
from streams.mllp import MllpGateway
from streams.pipe import Pipe
from streams.shard import keys
from tests.integration.streams_help import observed
from tests.integration.test_care import now
from tests.integration.test_device_socket import asked, device, event
from tests.integration.test_edge import oru
from tests.integration.test_streams_append import process_of
from tests.integration.web_help import BED, UNIT, Running, web_process
from tests.patience import PATIENCE_S
from tests.unit.test_care import observation

UNIT_OF_CASES = "h1-ed"
SOURCE = Source(name="unit", hospital="h1", mode="Test", networks=("127.0.0.0/8",))


async def as_a_replica(pipe: Pipe) -> None:
    """A failover went wrong: the server that is left takes no writes (READONLY)."""
    await pipe.call("REPLICAOF", "127.0.0.1", "1")


async def as_before(pipe: Pipe) -> None:
    await pipe.call("REPLICAOF", "NO", "ONE")


async def without_replicas(pipe: Pipe) -> None:
    """Its replicas are gone, and it may not write alone (NOREPLICAS)."""
    await pipe.call("CONFIG", "SET", "min-replicas-to-write", 1)


async def with_replicas(pipe: Pipe) -> None:
    await pipe.call("CONFIG", "SET", "min-replicas-to-write", 0)


async def full(pipe: Pipe) -> None:
    """Its memory is used up (OOM)."""
    await pipe.call("CONFIG", "SET", "maxmemory", 1)


async def with_room(pipe: Pipe) -> None:
    await pipe.call("CONFIG", "SET", "maxmemory", 0)


Step = Callable[[Pipe], Coroutine[Any, Any, None]]


class Senders:
    """One of each kind, each with a message that it keeps until it hears a yes."""

    def __init__(self, running: Running, mllp: int) -> None:
        self.running, self.mllp = running, mllp
        self.hl7, self.event = oru("M1", SystemClock().now_us()), event()
        self.care = [observation("heart-rate", **now(device_id=BED))]
        self.case = f"/api/v1/prearrivals/{uuid4()}"
        self.fact = {"destination": UNIT_OF_CASES}

    async def monitor(self) -> tuple[str, str]:
        """Code and text of the answer over MLLP."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.mllp)
        writer.write(framed(self.hl7))
        async with asyncio.timeout(PATIENCE_S):
            answer = read_acknowledgement((await reader.readuntil(END)).strip(START + END))
        writer.close()
        return answer.code, answer.text

    async def native(self) -> dict[str, Any]:
        """The answer on the device socket."""
        async with device(self.running) as line:
            return await asked(line, {"type": "events", "bed": BED, "events": [self.event]})

    async def posted(self) -> list[httpx2.Response]:
        """The answers to a gateway's post and to a crew that opens a case."""
        base = self.running.address
        async with httpx2.AsyncClient(base_url=base, trust_env=False, timeout=PATIENCE_S) as client:
            gateway = self.running.bearer("h1-gateway")
            care = await client.post("/update_observations", json=[self.care], headers=gateway)
            crew = self.running.bearer("h1-crew")
            return [care, await client.put(self.case, json=self.fact, headers=crew)]


@asynccontextmanager
async def senders_of(running: Running) -> AsyncIterator[Senders]:
    """Beside the web process a gateway on the same stream server."""
    gateway = MllpGateway(running.web.appender, running.web.places, [SOURCE], SystemClock())
    server = await gateway.serve("127.0.0.1", 0)
    try:
        yield Senders(running, server.sockets[0].getsockname()[1])
    finally:
        await gateway.close()


@pytest.mark.parametrize(
    ("refusing", "taking", "why"),
    [
        (as_a_replica, as_before, "READONLY"),
        (without_replicas, with_replicas, "NOREPLICAS"),
        (full, with_room, "memory is kept"),
    ],
)
async def test_while_it_refuses_nobody_hears_a_yes_and_afterwards_everything_is_in_once(
    fresh_valkey: Valkey, refusing: Step, taking: Step, why: str
) -> None:
    pipe = Pipe(fresh_valkey.url)
    async with web_process(fresh_valkey.url) as running, senders_of(running) as senders:
        await refusing(pipe)
        running.web.appender._watched_at = float("-inf")  # it looks at the memory now
        code, text = await senders.monitor()
        assert code == "AE"
        assert "not stored, send again" in text
        assert why in text
        said = await senders.native()
        assert (said["type"], said["error"]) == ("nack", "not_stored")
        assert said["ids"] == [senders.event["event_id"]]
        for answer in await senders.posted():
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) >= 1
            assert "send again" in answer.json()["detail"]
        assert await in_the_stream(pipe) == []

        await taking(pipe)
        running.web.appender._watched_at = float("-inf")
        assert (await senders.monitor())[0] == "AA"
        assert (await senders.native())["type"] == "ack"
        assert [answer.status_code for answer in await senders.posted()] == [200, 200]
        assert len(await in_the_stream(pipe)) == 3
    await pipe.close()


async def in_the_stream(pipe: Pipe) -> list[wire.Entry]:
    """What the unit's stream holds."""
    rows = await pipe.call("XRANGE", keys(UNIT).incoming, "-", "+")
    return [wire.decode(fields[1]) for _, fields in rows]


async def test_a_disk_that_is_full_ends_the_server_and_no_acknowledged_value_with_it(
    fresh_valkey: Valkey,
) -> None:
    """Its file may grow by some kilobytes; started again it has room, as after a clean-up."""
    pipe = Pipe(fresh_valkey.url)
    appender = Appender(pipe)
    kept, number, refusals = set[str](), 0, list[str]()
    server = await process_of(pipe)
    _, folder = await pipe.call("CONFIG", "GET", "dir")
    room = written(Path(folder.decode())) + 20_000
    resource.prlimit(server, resource.RLIMIT_FSIZE, (room, room))
    while not refusals or len(kept) < number:
        assert number < 2000, "the disk never became full"
        number += len(kept) == number  # what was refused is sent again, and then the next
        message = f"M{number}"
        try:
            await appender.append(UNIT, observed(message_id=message, raw=b"x" * 500), b"x" * 500)
            kept.add(message)
        except NotStored as error:
            refusals.append(str(error))
            await asyncio.sleep(0.02)
    assert all("send again" in words for words in refusals)
    assert await process_of(pipe) != server
    there = [entry for entry in await in_the_stream(pipe) if isinstance(entry, wire.Observed)]
    assert {entry.message_id for entry in there} == kept
    await pipe.close()


def written(folder: Path) -> int:
    """Bytes of the file that grows with each command."""
    return max(file.stat().st_size for file in folder.rglob("*.incr.aof"))
