"""The least a board can do for its viewers: a text framed once, the same bytes written to all.

Settings: port, size (bytes of a text), rate (texts a second), seconds. After a line it sends;
answers `{"messages", "cpu_s"}`.
"""

from __future__ import annotations

import asyncio
from time import process_time
from typing import Any, cast

from benchmarks.limits.pipeline import frame
from benchmarks.program import answer, main, ready, told

BEAT = b'{"type":"beat"}'


class _Viewer(asyncio.Protocol):
    """One screen."""

    def __init__(self, viewers: list[asyncio.Transport]) -> None:
        self.viewers = viewers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """The request; later words of the screen are passed over."""
        if self.transport not in self.viewers:
            self.viewers.append(self.transport)
            self.transport.write(b"HTTP/1.1 101 x\r\n\r\n" + frame(BEAT))


async def run(given: dict[str, Any]) -> None:
    """Serves, then sends at an even rate."""
    viewers: list[asyncio.Transport] = []
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: _Viewer(viewers), "127.0.0.1", given["port"])
    ready()
    await told()
    text, messages, begun, cpu = b"x" * given["size"], 0, loop.time(), process_time()
    for number in range(round(given["rate"] * given["seconds"])):
        await asyncio.sleep(max(0.0, begun + number / given["rate"] - loop.time()))
        data = frame(text)
        for viewer in viewers:
            viewer.write(data)
        messages += len(viewers)
    answer(messages=messages, cpu_s=process_time() - cpu)


if __name__ == "__main__":
    main(run)
