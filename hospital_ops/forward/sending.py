"""Two lanes to the hospital: what is live, and beside it the backlog, on a line of its own.

The live lane waits for nobody. The backlog goes only while the live lane gets through: after every
loss it waits until what is live has been delivered, or until there is nothing live.

Each item has its own answer and is let go by it alone. No answer, or one that cannot be read, is
"nobody knows": the same bytes go again, and the hospital knows them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hospital_ops import log
from hospital_ops.clock import Clock
from hospital_ops.forward.backoff import BackOff
from hospital_ops.forward.items import AGAIN, Item
from hospital_ops.forward.shelf import Shelf

PORTION: Final = 200  # items of a request
LIVE_BYTES: Final = 512 * 1024  # of a request, unless one item alone is larger
BACKLOG_BYTES: Final = 128 * 1024  # small, so that a narrow line is soon free for what is live
BACK_OFF_S: Final = 4.0  # at most, between attempts
IDLE_S: Final = 0.5  # between looks while nothing waits
REFUSED_S: Final = 1.0  # until what the hospital has no room for is offered again

Deliver = Callable[[Sequence[Item]], Awaitable[Mapping[str, str]]]  # OSError: nobody knows
logger = log.get("forward")


@dataclass(slots=True)
class Link:
    """What is known of the line to the hospital."""

    contact_at: int = 0  # of the last answer, microseconds UTC; 0: none since the start
    is_up: bool = False
    why: str = ""  # it is not: the kind of the last error
    told: bool = field(default=False, repr=False)

    def answered(self, now_us: int) -> None:
        """The hospital has answered."""
        if not self.is_up:
            logger.info("link_is_back")
        self.contact_at, self.is_up, self.why, self.told = now_us, True, "", False

    def lost(self, why: str) -> None:
        """It has not."""
        self.is_up, self.why = False, why
        if not self.told:
            logger.warning("link_lost", why=why)
        self.told = True


class Forwarder:
    """Takes from the shelf and delivers, until cancelled. A lane has a line of its own."""

    def __init__(self, shelf: Shelf, live: Deliver, backlog: Deliver, clock: Clock) -> None:
        self._shelf, self._clock = shelf, clock
        self._lines = (live, backlog)
        self._underway: set[str] = set()
        self._clear = asyncio.Event()  # the live lane gets through, or has nothing to send
        self.link = Link()

    async def run(self) -> None:
        """Both lanes."""
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(self._live())
            lanes.create_task(self._backlog())

    async def _live(self) -> None:
        deliver, back_off = self._lines[0], _back_off()
        while True:
            items = await self._shelf.live(self._clock.now_us(), PORTION, self._underway)
            if not items:
                self._clear.set()
                await self._wait()
            elif await self._send(within(items, LIVE_BYTES), deliver, back_off):
                self._clear.set()

    async def _backlog(self) -> None:
        deliver, back_off = self._lines[1], _back_off()
        while True:
            await self._clear.wait()
            items = await self._shelf.backlog(self._clock.now_us(), PORTION, self._underway)
            if items:
                await self._send(within(items, BACKLOG_BYTES), deliver, back_off)
            else:
                await asyncio.sleep(IDLE_S)

    async def _send(self, items: list[Item], deliver: Deliver, back_off: BackOff) -> bool:
        """Delivers, hears each answer and lets go; whether the hospital answered at all."""
        ids = {item.id for item in items}
        self._underway |= ids
        try:
            outcomes = await deliver(items)
            self.link.answered(self._clock.now_us())
            await self._shelf.settle({id_: outcomes.get(id_, AGAIN) for id_ in ids})
        except OSError as error:
            self._clear.clear()
            self.link.lost(str(error))
            await asyncio.sleep(back_off.next_s())
            return False
        finally:
            self._underway -= ids
        back_off.reset()
        if any(outcomes.get(id_, AGAIN) == AGAIN for id_ in ids):
            await asyncio.sleep(REFUSED_S)
        return True

    async def _wait(self) -> None:
        self._shelf.came.clear()
        try:
            async with asyncio.timeout(IDLE_S):
                await self._shelf.came.wait()
        except TimeoutError:
            return


def _back_off() -> BackOff:
    return BackOff(random.Random(), most_s=BACK_OFF_S)  # noqa: S311 - jitter, no secret


def within(items: Sequence[Item], most_bytes: int) -> list[Item]:
    """The first items that fit together, at least one; in their order."""
    chosen: list[Item] = []
    size = 0
    for item in items:
        size += len(item.body)
        if chosen and size > most_bytes:
            break
        chosen.append(item)
    return chosen
