"""Ambulances at work, and cases that open beside them: from the request to the JSON board.

Settings: port, tablet (token), wall (token), unit, ambulances, seconds, opens (cases opened in
that time). Each ambulance has a case and sends ten values a second over a connection of its own.
Answers `{"opened", "p50_ms", "p99_ms", "batches", "bad"}`.
"""

from __future__ import annotations

import asyncio
import json
from time import perf_counter
from typing import Any, cast

from benchmarks.clients.viewers import frame, request_of
from benchmarks.program import answer, main, percentile, ready, told
from benchmarks.tablet import batch, request
from hospital_ops.identity import uuid7


class _Link(asyncio.Protocol):
    """A connection on which one request is under way at a time."""

    def __init__(self) -> None:
        self.rest = b""
        self.done: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    async def ask(self, text: str) -> bytes:
        """The status of the answer to a whole request."""
        self.done = asyncio.get_running_loop().create_future()
        self.transport.write(text.encode())
        return await self.done

    def data_received(self, data: bytes) -> None:
        """Takes the answer when it is whole."""
        self.rest += data
        head, end, body = self.rest.partition(b"\r\n\r\n")
        at = head.lower().find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if end and len(body) >= length and self.done is not None:
            self.rest = b""
            self.done.set_result(head[9:12])


class _Board(asyncio.Protocol):
    """The board of the emergency department: when a case was first on it."""

    def __init__(self, unit: str, token: str) -> None:
        self.unit, self.token, self.rest, self.up = unit, token, b"", False
        self.waiting: dict[bytes, float] = {}  # when its request went out, by case
        self.took: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        path = f"/ws/v1/boards/{self.unit}?format=json"
        cast("asyncio.Transport", transport).write(request_of(path, self.token))

    def data_received(self, data: bytes) -> None:
        """Looks for the cases that are awaited."""
        now = perf_counter()
        self.rest += data
        if not self.up:
            _, end, rest = self.rest.partition(b"\r\n\r\n")
            if not end:
                return
            self.rest, self.up = rest, True
        at = 0
        while (found := frame(self.rest, at)) is not None:
            begin, at = found
            text = self.rest[begin:at]
            for case in [case for case in self.waiting if case in text]:
                self.took.append(now - self.waiting.pop(case))
        self.rest = self.rest[at:]


async def run(given: dict[str, Any]) -> None:
    """Opens the ambulances' cases, waits for a line, then measures."""
    loop, port, token = asyncio.get_running_loop(), given["port"], given["tablet"]
    _, board = await loop.create_connection(
        lambda: _Board(given["unit"], given["wall"]), "127.0.0.1", port
    )
    opening = json.dumps({"destination": given["unit"], "age_years": 61, "sex": "F"})
    bad: dict[str, int] = {}
    batches = 0

    async def link() -> _Link:
        return (await loop.create_connection(_Link, "127.0.0.1", port))[1]

    async def ask(line: _Link, text: str) -> None:
        status = (await line.ask(text)).decode()
        if not status.startswith("2"):
            bad[status] = bad.get(status, 0) + 1

    async def ambulance(number: int, line: _Link, case: str) -> None:
        nonlocal batches
        path = f"/api/v1/prearrivals/{case}/measurements"
        await asyncio.sleep(number / given["ambulances"])
        for second in range(int(given["seconds"])):
            begun = loop.time()
            await ask(line, request("POST", path, batch(number * 1000 + second), token))
            batches += 1
            await asyncio.sleep(max(0.0, begun + 1.0 - loop.time()))

    links = [(await link(), str(uuid7())) for _ in range(given["ambulances"])]
    for line, case in links:
        await ask(line, request("PUT", f"/api/v1/prearrivals/{case}", opening, token))
    ready()
    await told()
    working = [asyncio.create_task(ambulance(n, *one)) for n, one in enumerate(links)]
    crew = await link()
    for _ in range(given["opens"]):
        begun, case = loop.time(), str(uuid7())
        board.waiting[case.encode()] = perf_counter()
        await ask(crew, request("PUT", f"/api/v1/prearrivals/{case}", opening, token))
        await asyncio.sleep(max(0.0, begun + given["seconds"] / given["opens"] - loop.time()))
    await asyncio.gather(*working)
    await asyncio.sleep(0.5)
    answer(
        opened=len(board.took),
        p50_ms=percentile(board.took, 0.5) * 1e3,
        p99_ms=percentile(board.took, 0.99) * 1e3,
        batches=batches,
        bad=bad,
    )


if __name__ == "__main__":
    main(run)
