"""The queue from within an event loop: what comes in one turn is one commit, in a thread beside."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from hospital_ops import log
from hospital_ops.errors import NotStored
from hospital_ops.forward.items import Item
from hospital_ops.forward.store import Held, Queue

COMMIT_MOST: Final = 512  # items of one commit: bounds how long the first of them waits
T = TypeVar("T")
logger = log.get("forward")


class Shelf:
    """One queue, many senders: `put` returns when the item is on disk."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="queue")
        self._coming: list[tuple[Item, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None
        self.came = asyncio.Event()  # something was put; whoever waits for it clears it
        self.refused_at = 0  # when an item was last refused, by the clock of the items

    async def put(self, *items: Item) -> None:
        """Returns when all of them are on disk; NotStored where one is not."""
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in items]
        self._coming += zip(items, futures, strict=True)
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write())
        if not all(await asyncio.gather(*futures)):
            raise NotStored("not stored, send again: there is no room on this box")

    async def live(self, now_us: int, most: int, without: Collection[str]) -> list[Item]:
        """As `Queue.live`."""
        return await self._run(lambda: self._queue.live(now_us, most, without))

    async def backlog(self, now_us: int, most: int, without: Collection[str]) -> list[Item]:
        """As `Queue.backlog`."""
        return await self._run(lambda: self._queue.backlog(now_us, most, without))

    async def settle(self, outcomes: Mapping[str, str], off_us: int | None = None) -> None:
        """As `Queue.settle`."""
        await self._run(lambda: self._queue.settle(outcomes, off_us))

    async def held(self) -> Held:
        """As `Queue.held`."""
        return await self._run(self._queue.held)

    async def close(self) -> None:
        """Lets what has come reach the disk, then closes the file."""
        if self._writing is not None:
            await self._writing
        await self._run(self._queue.close)
        self._thread.shutdown()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _write(self) -> None:
        """Commits what has come, and what came meanwhile, until nothing waits."""
        while self._coming:
            batch, self._coming = self._coming[:COMMIT_MOST], self._coming[COMMIT_MOST:]
            kept = await self._added([item for item, _ in batch])
            for (item, future), is_kept in zip(batch, kept, strict=True):
                if not is_kept:
                    self.refused_at = item.received_at
                if not future.done():
                    future.set_result(is_kept)
            self.came.set()

    async def _added(self, items: Sequence[Item]) -> list[bool]:
        try:
            return await self._run(lambda: self._queue.add(items))
        except (sqlite3.Error, OSError) as error:
            # The disk is full or broken: nobody is told yes, and the senders keep what they have.
            logger.error("queue_not_written", error=type(error).__name__)
            return [False] * len(items)
