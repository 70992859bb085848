"""MLLP connections that each send the next message when the last one is acknowledged.

Settings: port, connections, seconds, messages (text, CR between segments), optional `count`: send
this many in all and stop. Answers `{"rate", "p50_ms", "p99_ms", "answered", "refused"}`.
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Any, cast

from benchmarks.program import answer, main, percentile, ready, told

END = b"\x1c\r"


class _Sender(asyncio.Protocol):
    """One connection, one message under way."""

    def __init__(self, load: _Load) -> None:
        self.load, self.rest = load, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def go(self) -> None:
        """Sends the next message, unless there are none left."""
        frame = self.load.next_frame()
        if frame is not None:
            self.sent_at = perf_counter()
            self.transport.write(frame)

    def data_received(self, data: bytes) -> None:
        """Takes the acknowledgement."""
        self.rest += data
        if END in self.rest:
            taken = b"MSA|CA|" in self.rest or b"MSA|AA|" in self.rest
            self.load.note(perf_counter() - self.sent_at, taken)
            self.rest = b""
            self.go()


class _Load:
    """What all connections share."""

    def __init__(self, frames: list[bytes], count: int | None) -> None:
        self.frames, self.left, self.at = frames, count, 0
        self.times: list[float] = []
        self.refused = 0
        self.done = asyncio.Event()

    def next_frame(self) -> bytes | None:
        """In turn; None when all were sent."""
        if self.left is not None:
            if self.left == 0:
                return None
            self.left -= 1
        self.at = (self.at + 1) % len(self.frames)
        return self.frames[self.at]

    def note(self, took_s: float, taken: bool) -> None:
        """An acknowledgement."""
        self.times.append(took_s)
        self.refused += not taken
        if self.left == 0:
            self.done.set()


async def run(given: dict[str, Any]) -> None:
    """Opens the connections, waits for a line, sends for `seconds`, or `count` messages."""
    frames = [b"\x0b" + text.encode() + END for text in given["messages"]]
    load = _Load(frames, given.get("count"))
    loop = asyncio.get_running_loop()
    senders = [
        (await loop.create_connection(lambda: _Sender(load), "127.0.0.1", given["port"]))[1]
        for _ in range(given["connections"])
    ]
    ready()
    await told()
    begun, warm = perf_counter(), 0
    for sender in senders:
        sender.go()
    if load.left is None:
        await asyncio.sleep(given["seconds"] / 5)
        warm, begun = len(load.times), perf_counter()
        await asyncio.sleep(given["seconds"])
        load.left = 0
    else:
        await load.done.wait()
    times, took = load.times[warm:], perf_counter() - begun
    answer(
        rate=len(times) / took,
        p50_ms=percentile(times, 0.5) * 1e3,
        p99_ms=percentile(times, 0.99) * 1e3,
        answered=len(load.times),
        refused=load.refused,
    )


if __name__ == "__main__":
    main(run)
