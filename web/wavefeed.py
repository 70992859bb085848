"""The curves of a unit as a web process hands them out: read only while somebody looks.

A viewer that does not keep up loses what is oldest and is told so with a gap frame; it never holds
up another one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from hospital_ops import log, waveform, wire
from streams.pipe import Pipe, ReplyError
from streams.waves import WaveReader, frame_of

logger = log.get("waves")

GATHER_S: Final = 0.04  # what comes within this leaves together; a screen waits 0.3 s anyway
RETRY_S: Final = 0.5
WAITING_MAX: Final = 600  # frames: four seconds of a full unit; older ones are no live curve
MESSAGE_MAX: Final = 48 * 1024
GAP: Final = waveform.mark(waveform.GAP)


class Viewer:
    """One screen: which curves it wants, and the frames that wait for it."""

    def __init__(self, bed: str, codes: Sequence[str]) -> None:
        self.bed, self.codes = bed, frozenset(codes)
        self.waiting: deque[bytes] = deque()
        self.news = asyncio.Event()
        self.lost = 0  # frames thrown away because it did not keep up

    def wants(self, wave: wire.Waved) -> bool:
        """Whether a frame is for this screen."""
        return (not self.bed or wave.bed == self.bed) and (
            not self.codes or wave.code in self.codes
        )

    def offer(self, frame: bytes) -> None:
        """Puts a frame in line; where the line is full, all that waits is given up."""
        if len(self.waiting) >= WAITING_MAX:
            self.lost += len(self.waiting)
            self.waiting.clear()
            self.waiting.append(GAP)
        self.waiting.append(frame)
        self.news.set()

    def begin(self, waves: Sequence[wire.Waved]) -> list[bytes]:
        """Messages with what came before it looked."""
        before = Viewer(self.bed, tuple(self.codes))
        before.waiting.extend(frame_of(wave) for wave in waves if self.wants(wave))
        messages = []
        while before.waiting:
            messages.append(before.take())
        return messages

    def take(self) -> bytes:
        """As many waiting frames as fit one message, in their order."""
        parts: list[bytes] = []
        size = 0
        while self.waiting and (not parts or size + len(self.waiting[0]) <= MESSAGE_MAX):
            parts.append(self.waiting.popleft())
            size += len(parts[-1])
        if not self.waiting:
            self.news.clear()
        return b"".join(parts)


class WaveFeed:
    """The curves of one unit, read while it has viewers."""

    def __init__(self, redis_url: str, unit: str) -> None:
        self.unit = unit
        self.pipe = Pipe(redis_url)
        self.viewers: set[Viewer] = set()
        self._task: asyncio.Task[None] | None = None

    def join(self, viewer: Viewer) -> None:
        """A screen begins to look; the first one starts the reader."""
        self.viewers.add(viewer)
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def leave(self, viewer: Viewer) -> None:
        """A screen has gone; the last one ends the reader."""
        self.viewers.discard(viewer)
        if self.viewers or self._task is None:
            return
        task, self._task = self._task, None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if self._task is None:  # nobody came meanwhile
            await self.pipe.close()

    async def _run(self) -> None:
        while True:
            try:
                reader = WaveReader(self.pipe, self.unit)
                await reader.start()
                while True:
                    self.hand_out(await reader.read())
                    await asyncio.sleep(GATHER_S)
            except (OSError, ReplyError) as error:
                logger.warning("waves_lost", unit=self.unit, error=type(error).__name__)
                await asyncio.sleep(RETRY_S)

    def hand_out(self, waves: Sequence[wire.Waved]) -> None:
        """Gives each frame to the screens that want it; it is made once for all of them."""
        for wave in waves:
            wanting = [viewer for viewer in self.viewers if viewer.wants(wave)]
            if wanting:
                frame = frame_of(wave)
                for viewer in wanting:
                    viewer.offer(frame)
