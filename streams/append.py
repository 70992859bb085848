"""Append: the one point after which a sender may be told "stored" (SAFETY.md rule 1)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence

from hospital_ops import log, wire
from hospital_ops.errors import NotStored
from streams.pipe import ConnectionLost, Pipe, ReplyError, pack
from streams.shard import keys

# Share of the memory budget in use at which a kind of entry is refused (DESIGN.md section 1):
# alarms and commands are never refused before Redis itself is full.
REFUSE_WAVES_AT = 0.75
REFUSE_ALL_AT = 0.90
BUDGET_OF_MAXMEMORY = 0.8  # the rest is for scripts that publish alarms, and for buffers

WATCH_S = 1.0  # so often the first append asks how much memory is in use

COMMANDS = (
    wire.Decided, wire.CaseStep, wire.CaseMoved, wire.CaseSeen, wire.CaseNote, wire.PlaceGiven,
    wire.CaseEntered, wire.EdSettings, wire.SheetSigned, wire.AlarmAct, wire.BedAct, wire.Painted,
    wire.OnDuty, wire.LimitSet, wire.Coming, wire.StayEntered, wire.Tick, wire.Audited,
)  # fmt: skip

_ASK = pack(("INFO", "memory"))
_AWAY = "not stored, send again: the stream server is away"
logger = log.get("append")


class Appender:
    """Writes entries into the shards' streams and returns when they are on disk."""

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.used = 0.0  # share of the memory budget in use, a second old at the most
        self._watched_at = self._lost_at = -math.inf
        self._turn = asyncio.Lock()

    async def append(
        self, shard: str, entry: wire.Entry, raw: bytes = b"", stream: str = "in"
    ) -> str:
        """The stream id of `entry`, once Redis has synced it to disk; else NotStored."""
        return (await self.append_many(shard, [(entry, raw)], stream))[0]

    async def append_many(
        self, shard: str, items: Sequence[tuple[wire.Entry, bytes]], stream: str = "in"
    ) -> list[str]:
        """The stream ids of `items`, appended in their order; NotStored if any was refused.

        What was begun first stands first in the stream: where one asks how much memory is in use,
        those behind it wait for the answer too.
        """
        began = asyncio.get_running_loop().time()
        async with self._turn:  # first come, first served
            await self._look(began)
        self._refuse_when_full(items, stream)
        key = keys(shard).waves if stream == "waves" else keys(shard).incoming
        encode = wire.encode
        packed = [
            pack(("XADD", key, "*", "d", encode(entry), "r", raw))
            if raw
            else pack(("XADD", key, "*", "d", encode(entry)))
            for entry, raw in items
        ]
        try:
            replies = await self.pipe.packed(packed)
        except ConnectionLost as error:
            raise NotStored(_AWAY) from error
        for reply in replies:
            if isinstance(reply, ReplyError):
                raise NotStored(f"not stored, send again: {reply}")
        return [reply.decode() for reply in replies]

    async def _look(self, began: float) -> None:
        """Knows the memory in use; where the server was away meanwhile, it is for all who wait."""
        if self._lost_at >= began:
            raise NotStored(_AWAY)
        try:
            await self.watch_memory()
        except ConnectionLost as error:
            self._lost_at = asyncio.get_running_loop().time()
            raise NotStored(_AWAY) from error

    def _refuse_when_full(self, items: Sequence[tuple[wire.Entry, bytes]], stream: str) -> None:
        if self.used >= REFUSE_WAVES_AT and stream == "waves":
            raise NotStored("not stored, send again: memory is kept for vitals and alarms")
        if self.used >= REFUSE_ALL_AT and not all(isinstance(e, COMMANDS) for e, _ in items):
            raise NotStored("not stored, send again: memory is kept for alarms")

    async def watch_memory(self) -> None:
        """Asks how much memory is in use, where what is known is a second old."""
        now = asyncio.get_running_loop().time()
        if now - self._watched_at >= WATCH_S:
            self._watched_at = now
            self._learn((await self.pipe.packed([_ASK]))[0])

    def _learn(self, reply: bytes | ReplyError) -> None:
        if isinstance(reply, ReplyError):
            logger.warning("memory_unknown", error=str(reply))
            return
        info = reply.decode()
        figures = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
        limit = int(figures["maxmemory"]) * BUDGET_OF_MAXMEMORY
        self.used = int(figures["used_memory"]) / limit if limit else 0.0
