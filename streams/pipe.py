"""One pipelined connection to Redis: requests packed by hiredis, answered in order.

All that is asked within one turn of the event loop leaves in one write, and the server syncs its
file once for it: a batch costs one fsync and nobody waits for a timer (group commit).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import hiredis

from hospital_ops.errors import ConfigurationError

Argument = str | bytes | int | float
# The library's own annotation allows one argument only.
pack = cast("Callable[[tuple[Argument, ...]], bytes]", hiredis.pack_command)
CONNECT_TIMEOUT_S = 5.0


class ConnectionLost(OSError):
    """Redis is away; what was asked may or may not have been done."""


ReplyError = hiredis.ReplyError  # Redis understood and refused


class _Waiting:
    """An answer on its way: `left` replies are still to come."""

    __slots__ = ("future", "left", "replies")

    def __init__(self, future: asyncio.Future[list[Any]], left: int) -> None:
        self.future, self.left = future, left
        self.replies: list[Any] = []


class _Protocol(asyncio.Protocol):
    """Feeds what arrives to hiredis and hands each reply to whoever waits longest."""

    transport: asyncio.WriteTransport

    def __init__(self) -> None:
        self.reader = hiredis.Reader()
        self.waiting: deque[_Waiting] = deque()
        self.lost: BaseException | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self.reader.feed(data)
        gets = self.reader.gets
        while self.waiting:
            first = self.waiting[0]
            while first.left:
                reply = gets()
                if reply is False:
                    return
                first.replies.append(reply)
                first.left -= 1
            self.waiting.popleft()
            if not first.future.done():
                first.future.set_result(first.replies)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = error or ConnectionLost("Redis closed the connection")
        for waiting in self.waiting:
            if not waiting.future.done():
                waiting.future.set_exception(ConnectionLost(f"Redis is away: {self.lost}"))
        self.waiting.clear()


class Pipe:
    """A connection that opens itself when needed and fails fast when Redis is away."""

    def __init__(self, url: str, *, timeout_s: float = 5.0) -> None:
        self.url, self.timeout_s = url, timeout_s
        self._protocol: _Protocol | None = None
        self._opening = asyncio.Lock()
        self._buffer: list[bytes] = []

    async def open(self) -> _Protocol:
        """Connects, unless connected; ConnectionLost when Redis cannot be reached."""
        async with self._opening:
            if self._protocol is not None and self._protocol.lost is None:
                return self._protocol
            self._buffer.clear()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    self._protocol = await self._connect()
            except (OSError, TimeoutError) as error:
                raise ConnectionLost(f"Redis cannot be reached: {error}") from error
            return self._protocol

    async def _connect(self) -> _Protocol:
        loop = asyncio.get_running_loop()
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            path = unquote(parts.path)
            _, protocol = await loop.create_unix_connection(_Protocol, path)
        elif parts.scheme in ("redis", "rediss"):
            _, protocol = await loop.create_connection(
                _Protocol,
                parts.hostname or "127.0.0.1",
                parts.port or 6379,
                ssl=True if parts.scheme == "rediss" else None,
            )
        else:
            raise ConfigurationError(
                "The Redis URL must begin with unix://, redis:// or rediss://; "
                "set HOSPITAL_OPS_REDIS_URL."
            )
        greeting: list[Sequence[Argument]] = []
        if parts.password:
            user = (unquote(parts.username),) if parts.username else ()
            greeting.append(("AUTH", *user, unquote(parts.password)))
        database = parts.path.strip("/") if parts.scheme != "unix" else ""
        if database:
            greeting.append(("SELECT", database))
        if greeting:
            waiting = _Waiting(loop.create_future(), len(greeting))
            protocol.waiting.append(waiting)
            protocol.transport.write(b"".join(pack(tuple(g)) for g in greeting))
            for reply in await waiting.future:
                if isinstance(reply, ReplyError):
                    raise ConfigurationError(f"Redis refuses the sign-in: {reply}")
        return protocol

    async def call(self, *arguments: Argument, timeout_s: float | None = None) -> Any:
        """The reply to one command; ReplyError where Redis refuses it."""
        reply = (await self.calls((arguments,), timeout_s=timeout_s))[0]
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    async def calls(
        self, commands: Iterable[Sequence[Argument]], *, timeout_s: float | None = None
    ) -> list[Any]:
        """The replies to many commands in one write; refusals stand in the list as ReplyError."""
        packed = [pack(tuple(command)) for command in commands]
        return await self.packed(packed, timeout_s=timeout_s)

    async def packed(self, packed: list[bytes], *, timeout_s: float | None = None) -> list[Any]:
        """The replies to commands that are packed already; ConnectionLost after `timeout_s`."""
        if not packed:
            return []
        protocol = self._protocol
        if protocol is None or protocol.lost is not None:
            protocol = await self.open()
        loop = asyncio.get_running_loop()
        waiting = _Waiting(loop.create_future(), len(packed))
        protocol.waiting.append(waiting)
        if not self._buffer:
            loop.call_soon(self._flush, protocol)
        self._buffer.extend(packed)
        limit = self.timeout_s if timeout_s is None else timeout_s
        timer = loop.call_later(limit, self._too_late, protocol, waiting)
        try:
            return await waiting.future
        finally:
            timer.cancel()

    def _flush(self, protocol: _Protocol) -> None:
        data, self._buffer = b"".join(self._buffer), []
        if protocol.lost is None:
            protocol.transport.write(data)

    def _too_late(self, protocol: _Protocol, waiting: _Waiting) -> None:
        """No answer in time: replies can no longer be told apart, so the connection ends."""
        if not waiting.future.done():
            waiting.future.set_exception(ConnectionLost("Redis did not answer in time"))
        protocol.transport.abort()

    async def close(self) -> None:
        """Ends the connection; the pipe may be opened again."""
        if self._protocol is not None:
            self._protocol.transport.close()
        self._protocol = None


Fields = list[bytes]  # name, value, name, value ...


class Portion:
    """How many entries to ask for at once: as many as fit into `BYTES`, learnt from the last ones.

    Redis bounds a reading by entries only; a thousand messages of 1 MiB must not be one answer.
    """

    BYTES = 8 * 1024 * 1024
    FIRST = 64

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = min(self.FIRST, most)

    def learn(self, entries: Sequence[tuple[Any, Fields]]) -> bool:
        """Takes note of what came; True where it was a full portion, so more may wait."""
        if not entries:
            return False
        full = len(entries) >= self.count
        size = sum(map(len, chain.from_iterable(fields for _, fields in entries)))
        fits = self.BYTES * len(entries) // max(1, size)
        self.count = max(1, min(self.most, 2 * self.count, fits))
        return full


async def read_streams(
    pipe: Pipe, positions: dict[str, str], *, count: int, block_ms: int | None
) -> dict[str, list[tuple[str, Fields]]]:
    """Entries after `positions` of streams that lie in one slot; empty when none came in time."""
    command: list[Argument] = ["XREAD", "COUNT", count]
    if block_ms is not None:
        command += ["BLOCK", block_ms]
    command += ["STREAMS", *positions.keys(), *positions.values()]
    wait_s = pipe.timeout_s + (block_ms or 0) / 1000
    reply = await pipe.call(*command, timeout_s=wait_s)
    return {
        key.decode(): [(entry_id.decode(), fields) for entry_id, fields in entries]
        for key, entries in reply or ()
    }
