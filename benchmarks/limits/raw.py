"""The least that a client of Redis must do: packed requests out, replies counted."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, cast

import hiredis


def pack(*words: str | bytes | int) -> bytes:
    """One command in RESP, packed by hiredis."""
    return cast(bytes, cast(Any, hiredis.pack_command)(words))


class Raw(asyncio.Protocol):
    """One connection on which one request is under way at a time."""

    def __init__(self) -> None:
        self.reader = hiredis.Reader()
        self.replies: list[Any] = []
        self.left = 0
        self.done: asyncio.Future[list[Any]] | None = None

    @classmethod
    async def open(cls, url: str) -> Raw:
        """Connects to the Unix socket of a `unix://` address."""
        loop = asyncio.get_running_loop()
        _, made = await loop.create_unix_connection(cls, url.removeprefix("unix://"))
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self.transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Takes replies until all that were asked for are there."""
        self.reader.feed(data)
        while self.left:
            reply = self.reader.gets()
            if reply is False:
                return
            self.replies.append(reply)
            self.left -= 1
        if self.done is not None and not self.done.done():
            self.done.set_result(self.replies)

    async def ask(self, packed: bytes, count: int) -> list[Any]:
        """The `count` replies to what `packed` asks."""
        self.left, self.replies = count, []
        self.done = asyncio.get_running_loop().create_future()
        self.transport.write(packed)
        return await self.done


async def append(raw: Raw, stream: bytes, payloads: Sequence[bytes], batch: int) -> None:
    """Appends the payloads in pipelined batches; each is on disk when its replies are there."""
    for start in range(0, len(payloads), batch):
        some = payloads[start : start + batch]
        packed = [pack(b"XADD", stream, b"*", b"d", payload) for payload in some]
        await raw.ask(b"".join(packed), len(some))


async def read(raw: Raw, stream: bytes, count: int) -> int:
    """Reads a whole stream without decoding an entry; answers how many there were."""
    position, seen = b"0-0", 0
    while True:
        packed = pack(b"XREAD", b"COUNT", count, b"STREAMS", stream, position)
        (reply,) = await raw.ask(packed, 1)
        if not reply:
            return seen
        entries = reply[0][1]
        seen += len(entries)
        position = entries[-1][0]
