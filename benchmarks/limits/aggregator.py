"""A provider of SMS that answers in 50 ms: it keeps what it took, by our reference."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from typing import Final

ANSWER_S: Final = 0.05


class Aggregator:
    """Takes everything; `taken` counts how often each reference and each text has come."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.texts: Counter[str] = Counter()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Aggregator:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}/send"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length:")[1].split("\r\n")[0])
            given = json.loads(await reader.readexactly(length))
            self.taken[given["reference"]] += 1
            self.texts[given["text"]] += 1
            await asyncio.sleep(ANSWER_S)
            body = json.dumps({"id": given["reference"]}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
            )
            await writer.drain()
        writer.close()
