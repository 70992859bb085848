"""Connections that each send the next request when the last one is answered.

Settings: port, connections, seconds, requests (list of whole HTTP requests as text, sent in turn).
Answers `{"rate", "p50_ms", "p99_ms", "answered", "bad"}`; the first fifth of the time is warm-up.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any, cast

from benchmarks.program import answer, main, percentile, ready, told


class _Sender(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: _Load) -> None:
        self.load, self.rest = load, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def go(self) -> None:
        """Sends the next request."""
        self.sent_at = perf_counter()
        self.transport.write(self.load.next_request())

    def data_received(self, data: bytes) -> None:
        """Takes an answer when it is whole; none of ours is chunked."""
        self.rest += data
        end = self.rest.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.rest[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.rest) < end + 4 + length:
            return
        self.load.note(perf_counter() - self.sent_at, self.rest[9:12])
        self.rest = b""
        if not self.load.over:
            self.go()


class _Load:
    """What all connections share."""

    def __init__(self, requests: list[bytes]) -> None:
        self.requests, self.at, self.over = requests, 0, False
        self.times: list[float] = []
        self.bad: dict[str, int] = {}

    def next_request(self) -> bytes:
        """In turn."""
        self.at = (self.at + 1) % len(self.requests)
        return self.requests[self.at]

    def note(self, took_s: float, status: bytes) -> None:
        """An answer."""
        self.times.append(took_s)
        if not status.startswith(b"2"):
            name = status.decode(errors="replace")
            self.bad[name] = self.bad.get(name, 0) + 1


async def run(given: dict[str, Any]) -> None:
    """Opens the connections, waits for a line, sends for `seconds`."""
    load = _Load([text.encode() for text in given["requests"]])
    loop = asyncio.get_running_loop()
    senders = [
        (await loop.create_connection(lambda: _Sender(load), "127.0.0.1", given["port"]))[1]
        for _ in range(given["connections"])
    ]
    ready()
    await told()
    for sender in senders:
        sender.go()
    await asyncio.sleep(given["seconds"] / 5)
    warm, begun = len(load.times), perf_counter()
    await asyncio.sleep(given["seconds"])
    times, took = load.times[warm:], perf_counter() - begun
    load.over = True
    await asyncio.sleep(0.2)
    answer(
        rate=len(times) / took,
        p50_ms=percentile(times, 0.5) * 1e3,
        p99_ms=percentile(times, 0.99) * 1e3,
        answered=len(load.times),
        bad=load.bad,
    )


if __name__ == "__main__":
    main(run)
