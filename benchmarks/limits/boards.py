"""The screens of the least house: one for each unit, each reads every frame.

Settings: port, units. Lines and answer as benchmarks/clients/viewers.py.
"""

from __future__ import annotations

import asyncio
from functools import partial
from time import time_ns
from typing import Any, cast

from benchmarks.clients.beds import VITALS
from benchmarks.program import answer, main, percentile, ready, told


class _Screen(asyncio.Protocol):
    """One screen."""

    def __init__(self, unit: int, delays: list[float]) -> None:
        self.unit, self.delays, self.rest, self.up = unit, delays, b"", False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(f"GET /{self.unit} HTTP/1.1\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        """Takes the vitals out of whole frames."""
        now = time_ns() // 1000
        self.rest += data
        if not self.up:
            self.rest = self.rest.partition(b"\r\n\r\n")[2]
            self.up = True
        while len(self.rest) > 2:
            length, begin = self.rest[1], 2
            if length == 126:
                length, begin = int.from_bytes(self.rest[2:4], "big"), 4
            elif length == 127:
                length, begin = int.from_bytes(self.rest[2:10], "big"), 10
            if len(self.rest) < begin + length:
                return
            for at in range(begin, begin + length, VITALS.size):
                self.delays.append((now - VITALS.unpack_from(self.rest, at)[1]) / 1e6)
            self.rest = self.rest[begin + length :]


async def run(given: dict[str, Any]) -> None:
    """Watches until told to end."""
    delays: list[float] = []
    loop = asyncio.get_running_loop()
    for unit in range(given["units"]):
        await loop.create_connection(partial(_Screen, unit, delays), "127.0.0.1", given["port"])
    ready()
    while (await told()).strip():
        delays.clear()
    answer(
        updates=len(delays),
        p50_ms=percentile(delays, 0.5) * 1e3,
        p99_ms=percentile(delays, 0.99) * 1e3,
        max_ms=max(delays, default=0.0) * 1e3,
    )


if __name__ == "__main__":
    main(run)
