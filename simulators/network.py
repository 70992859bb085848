"""A network that fails on command: a TCP proxy between a device and the hospital."""

from __future__ import annotations

import asyncio
import contextlib
import random
from dataclasses import dataclass
from types import TracebackType

CHUNK = 16 * 1024
UNDERWAY_MAX = 64  # chunks in the wire, so that a slow side holds up the fast one


@dataclass(slots=True)
class Direction:
    """One way of the wire: what has passed, and whether it is open."""

    taken_bytes: int = 0  # from the sender; what has not passed or dropped is under way
    passed_bytes: int = 0
    dropped_bytes: int = 0
    open: bool = True  # False: bytes are read and lost, as with a cut return path


class FaultProxy:
    """Listens on 127.0.0.1 and passes on to a target, with the faults that are set.

    `delay_s` is added to each way; `rate_bytes_s` limits each connection and way (None: no limit);
    a write stalls for `stall_s` with the probability `stall_share`, by chance of a seed.
    """

    def __init__(self, target_host: str, target_port: int, listen_port: int = 0) -> None:
        self._target = (target_host, target_port)
        self._listen_port = listen_port
        self._server: asyncio.Server | None = None
        self._wires: set[asyncio.Task[None]] = set()
        self._is_cut = False
        self.to_target = Direction()
        self.to_client = Direction()
        self.delay_s = 0.0
        self.rate_bytes_s: float | None = None
        self.stall_s, self.stall_share = 1.0, 0.0
        self.chance = random.Random(0)
        self.connections = 0  # accepted so far
        self.refused = 0  # while cut

    @property
    def port(self) -> int:
        """The port that devices connect to."""
        if self._server is None:
            raise RuntimeError("the proxy is not started: use it in `async with`")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def passed_bytes(self) -> int:
        """What has passed both ways."""
        return self.to_target.passed_bytes + self.to_client.passed_bytes

    def cut(self) -> None:
        """Ends all connections at once and each new one as soon as it comes."""
        self._is_cut = True
        for wire in self._wires:
            wire.cancel()

    def restore(self) -> None:
        """New connections pass again, both ways."""
        self._is_cut = False
        self.to_target.open = self.to_client.open = True

    def drop_to_client(self) -> None:
        """Loses the answers, while the connection seems to stand."""
        self.to_client.open = False

    async def __aenter__(self) -> FaultProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._listen_port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
            wires = set(self._wires)
            self.cut()
            if wires:
                await asyncio.wait(wires)
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            self.refused += 1
            writer.transport.abort()
            return
        self.connections += 1
        # A task of its own: a cut cancels the wire, with what is under way, and not the handler.
        wire = asyncio.create_task(self._connect(reader, writer))
        self._wires.add(wire)
        try:
            await asyncio.wait([wire])
        finally:
            wire.cancel()
            self._wires.discard(wire)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far = await asyncio.open_connection(*self._target)
        except OSError:
            return  # the target is down: the device sees a connection that ends
        try:
            await self._pass_both_ways(reader, far, far_reader, writer)
        finally:
            far.transport.abort()

    async def _pass_both_ways(
        self,
        reader: asyncio.StreamReader,
        far: asyncio.StreamWriter,
        far_reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pass(reader, far, self.to_target))
            group.create_task(self._pass(far_reader, writer, self.to_client))

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction
    ) -> None:
        wire: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(UNDERWAY_MAX)
        writing = asyncio.create_task(self._deliver(wire, writer, way))
        loop = asyncio.get_running_loop()
        try:
            with contextlib.suppress(OSError):
                while chunk := await reader.read(CHUNK):
                    way.taken_bytes += len(chunk)
                    await wire.put((loop.time() + self.delay_s, chunk))
            await wire.put((loop.time() + self.delay_s, b""))
            await writing
        finally:
            writing.cancel()

    async def _deliver(
        self,
        wire: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
        way: Direction,
    ) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while True:
                due, chunk = await wire.get()
                await asyncio.sleep(max(due - loop.time(), 0.0))
                if not chunk:
                    writer.write_eof()
                    return
                if not way.open:
                    way.dropped_bytes += len(chunk)
                    continue
                if self.stall_share and self.chance.random() < self.stall_share:
                    await asyncio.sleep(self.stall_s)
                if self.rate_bytes_s is not None:
                    await asyncio.sleep(len(chunk) / self.rate_bytes_s)
                writer.write(chunk)
                await writer.drain()
                way.passed_bytes += len(chunk)
        # The far side is gone: go on taking, so that the reader is never stuck on a full wire.
        while (await wire.get())[1]:
            continue
