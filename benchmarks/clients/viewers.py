"""Screens on JSON boards: raw WebSocket connections that take the moments out of what comes.

Settings: port, token, units (list), viewers (in all, spread over the units), jitter_s (spread of
the connecting), stop (how many stop reading, after the line `stop`), reading (how many take the
moments, all the others only count; one for each unit where it is not given).
A moment counts when a screen sees it first: a bed is sent again with the same values when something
else about it changes, and what was sent before the count began is not counted.
Lines: `reset` forgets the delays so far; `stop` keeps what they came to, forgets them too and lets
`stop` viewers stop reading; the end of input answers `{"before": {"p50_ms", "p99_ms"}, "alarms",
"alarm_p50_ms", "alarm_p99_ms" (of extreme bradycardia), "updates", "p50_ms", "p99_ms", "max_ms",
"bytes", "messages", "live", "live_s", "lost"}`.
A viewer is live with its first snapshot and beat; `live_s` is when the last one was.
"""

from __future__ import annotations

import asyncio
import base64
import os
import random
import re
from datetime import datetime
from time import perf_counter, time_ns
from typing import Any, Final, cast

from benchmarks.program import answer, main, percentile, ready, told

END: Final = b"\r\n\r\n"


# The moment of a message: the time in milliseconds, and the rest in the temperature.
STAMP: Final = re.compile(
    rb'"bed":"([^"]+)"|"8310-5":\{"value":([\d.]+),"unit":"[^"]*","determined_at":"([^"]+)"'
)

ALARM: Final = re.compile(
    rb'"id":"([^"]+)","priority":"[^"]*","code":"brady_extreme"[^}]*?"since":"([^"]+)"'
)


class _Seen:
    """What all screens found."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.alarms: dict[bytes, float] = {}  # seconds to the board, by alarm
        self.before = self.figures()
        self.bytes = self.messages = self.live = self.lost = 0
        self.live_at = 0.0
        self.viewers: list[_Viewer] = []
        self.wanted = 0
        self.started = self.counts_from = time_ns() / 1e9
        self.all_live = asyncio.Event()

    def figures(self) -> dict[str, float]:
        """The delays of now."""
        return {f"p{share}_ms": percentile(self.delays, share / 100) * 1e3 for share in (50, 99)}

    def forget(self) -> None:
        """Begins to count anew."""
        self.before = self.figures()
        self.delays, self.bytes, self.messages = [], 0, 0
        self.counts_from = time_ns() / 1e9
        for viewer in self.viewers:
            viewer.shown.clear()
        self.alarms = dict.fromkeys(self.alarms, -1.0)


class _Viewer(asyncio.Protocol):
    """One screen."""

    def __init__(self, seen: _Seen, path: str, token: str, parses: bool) -> None:
        self.seen, self.path, self.token, self.parses = seen, path, token, parses
        self.rest, self.up, self.live = b"", False, False
        self.shown: dict[bytes, float] = {}  # the latest moment it has seen, by bed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for the board."""
        self.transport = cast("asyncio.Transport", transport)
        self.seen.viewers.append(self)
        self.transport.write(request_of(self.path, self.token))

    def data_received(self, data: bytes) -> None:
        """Cuts the frames."""
        now = time_ns() // 1000
        self.seen.bytes += len(data)
        self.rest = self.rest + data if self.rest else data
        if not self.up:
            head, end, rest = self.rest.partition(END)
            if not end:
                return
            self.rest = rest
            assert b" 101 " in head.split(b"\r\n", 1)[0], head[:100]
            self.up = True
        at = 0
        while (found := frame(self.rest, at)) is not None:
            begin, at = found
            self.seen.messages += 1
            if self.parses or not self.live:
                self._take(self.rest[begin:at], now)
        self.rest = self.rest[at:]

    def _take(self, text: bytes, now: int) -> None:
        if text.startswith(b'{"type":"beat"'):
            if not self.live:
                self.live = True
                self.seen.live += 1
                self.seen.live_at = perf_counter()
                if self.seen.live == self.seen.wanted:
                    self.seen.all_live.set()
            return
        if not self.parses or not text.startswith(b'{"type":"change"'):
            return
        for alarm, since in ALARM.findall(text):
            began = datetime.fromisoformat(since.decode()).timestamp()
            if began > self.seen.started:  # an older one still stands on the board
                self.seen.alarms.setdefault(alarm, now / 1e6 - began)
        bed = b""
        for named, value, at_ms in STAMP.findall(text):
            if named:
                bed = named
                continue
            at = datetime.fromisoformat(at_ms.decode()).timestamp()
            moment = round(at, 3) + round((float(value) - 36.5) * 10_000) / 1e6
            if moment > self.shown.get(bed, self.seen.counts_from):
                self.shown[bed] = moment
                self.seen.delays.append(now / 1e6 - moment)

    def connection_lost(self, error: Exception | None) -> None:
        """Cut off."""
        self.seen.lost += 1


def request_of(path: str, token: str) -> bytes:
    """The upgrade to a socket of a machine."""
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    ).encode()


def frame(data: bytes, at: int) -> tuple[int, int] | None:
    """Begin and end of the payload of the frame at `at`; None where it is not whole."""
    if len(data) < at + 2:
        return None
    length, begin = data[at + 1] & 0x7F, at + 2
    if length >= 126:
        size = 2 if length == 126 else 8
        begin += size
        if len(data) < begin:
            return None
        length = int.from_bytes(data[begin - size : begin], "big")
    return (begin, begin + length) if len(data) >= begin + length else None


async def run(given: dict[str, Any]) -> None:
    """Connects all screens, then watches until told to end."""
    seen, loop, units = _Seen(), asyncio.get_running_loop(), given["units"]
    seen.wanted = given["viewers"]
    chance = random.Random(1)
    begun = perf_counter()

    async def connect(number: int) -> None:
        await asyncio.sleep(chance.uniform(0, given.get("jitter_s", 0.0)))
        path = f"/ws/v1/boards/{units[number % len(units)]}?format=json"
        parses = number < given.get("reading", len(units))
        await loop.create_connection(
            lambda: _Viewer(seen, path, given["token"], parses), "127.0.0.1", given["port"]
        )

    await asyncio.gather(*(connect(number) for number in range(given["viewers"])))
    async with asyncio.timeout(60):
        await seen.all_live.wait()
    live_s = seen.live_at - begun
    ready()
    while line := (await told()).strip():
        if line == "stop":
            for viewer in seen.viewers[-given["stop"] :]:
                viewer.transport.pause_reading()
        seen.forget()
    delays, alarms = seen.delays, [took for took in seen.alarms.values() if took >= 0]
    answer(
        alarms=len(alarms),
        alarm_p50_ms=percentile(alarms, 0.5) * 1e3,
        alarm_p99_ms=percentile(alarms, 0.99) * 1e3,
        before=seen.before,
        updates=len(delays),
        **seen.figures(),
        max_ms=max(delays, default=0.0) * 1e3,
        bytes=seen.bytes,
        messages=seen.messages,
        live=seen.live,
        live_s=live_s,
        lost=seen.lost,
    )


if __name__ == "__main__":
    main(run)
