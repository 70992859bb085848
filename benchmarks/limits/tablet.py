"""The least a device route can do: bare ASGI, one durable append a request, group commit.

Settings: port, redis (URL). Runs until standard input ends.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from benchmarks.limits.raw import Raw, pack
from benchmarks.program import answer, main, ready, told

ENTRY: int = 700  # bytes that an encoded entry of ten values has beside the raw body

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class GroupCommit:
    """All that waits goes out in one pipelined write: the server syncs once for it."""

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self.waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self.wake = asyncio.Event()

    def append(self, packed: bytes) -> asyncio.Future[None]:
        """Done when the command is on disk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((packed, done))
        self.wake.set()
        return done

    async def run(self) -> None:
        """Sends group after group."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            while self.waiting:
                group, self.waiting = self.waiting, []
                await self.raw.ask(b"".join([packed for packed, _ in group]), len(group))
                for _, done in group:
                    done.set_result(None)


def make_app(commit: GroupCommit) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The application."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        await commit.append(pack(b"XADD", b"{x}:in", b"*", b"d", body[:ENTRY], b"r", body))
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


async def run(given: dict[str, Any]) -> None:
    """Serves until told to end."""
    commit = GroupCommit(await Raw.open(given["redis"]))
    flusher = asyncio.create_task(commit.run())
    config = uvicorn.Config(
        make_app(commit),
        http="httptools",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", given["port"]))  # takes requests from here on
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    ready()
    await told()
    serving.cancel()
    flusher.cancel()
    answer(ended=True)


if __name__ == "__main__":
    main(run)
