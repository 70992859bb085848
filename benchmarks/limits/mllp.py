"""The least an MLLP gateway can do: cut frames, split fields, append with group commit, answer.

Settings: port, redis (URL). Runs until standard input ends.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, cast

from benchmarks.limits.raw import Raw, pack
from benchmarks.limits.tablet import GroupCommit
from benchmarks.program import answer, main, ready, told


def split(message: bytes) -> tuple[bytes, list[tuple[bytes, ...]]]:
    """The control id and, of each OBX, code, value, unit, status and time."""
    bar = message[3:4]
    values: list[tuple[bytes, ...]] = []
    segments = message.split(b"\r")
    for segment in segments:
        if segment[:3] == b"OBX":
            f = segment.split(bar)
            values.append((f[3].partition(b"^")[0], f[5], f[6], f[11], f[14]))
        elif segment[:3] in (b"PID", b"PV1"):
            values.append((segment.split(bar)[3],))
    return segments[0].split(bar)[9], values


def answer_to(control: bytes) -> bytes:
    """A positive acknowledgement."""
    head = b"\x0bMSH|^~\\&|OPS|HOSP|MON|ICU|20250101120000||ACK^R01^ACK|"
    return head + control + b"|P|2.6\rMSA|AA|" + control + b"\r\x1c\r"


class _Peer(asyncio.Protocol):
    """One connection."""

    def __init__(self, commit: GroupCommit) -> None:
        self.commit, self.rest = commit, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Appends every whole frame; the answer follows when it is on disk."""
        self.rest = self.rest + data if self.rest else data
        while (end := self.rest.find(b"\x1c\r")) >= 0:
            message, self.rest = self.rest[1:end], self.rest[end + 2 :]
            control, _ = split(message)
            done = self.commit.append(pack(b"XADD", b"{x}:in", b"*", b"r", message))
            done.add_done_callback(partial(self._answer, control))

    def _answer(self, control: bytes, _: asyncio.Future[None]) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer_to(control))


async def run(given: dict[str, Any]) -> None:
    """Serves until told to end."""
    commit = GroupCommit(await Raw.open(given["redis"]))
    flusher = asyncio.create_task(commit.run())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Peer(commit), "127.0.0.1", given["port"])
    ready()
    await told()
    server.close()
    flusher.cancel()
    answer(ended=True)


if __name__ == "__main__":
    main(run)
