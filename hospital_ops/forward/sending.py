"""Two lanes to the hospital: what is live, and beside it the backlog, on a line of its own.

The live lane waits for nobody. The backlog goes only while the live lane gets through: after every
loss it waits until what is live has been delivered, or until there is nothing live.

Each item has its own answer and is let go by it alone. No answer, or one that cannot be read, is
"nobody knows": the same bytes go again, and the hospital knows them. Of a request that was too much
for the line or was turned away half is asked, and half of that; one item that is turned away each
time, or is large and too much by itself, is passed over for a while, so that it holds up no other.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from hospital_ops import log
from hospital_ops.clock import Clock
from hospital_ops.forward.backoff import BackOff
from hospital_ops.forward.items import AGAIN, Item
from hospital_ops.forward.shelf import Shelf
from hospital_ops.forward.turned_away import TurnedAwayItems
from hospital_ops.forward.uplink import TooMuch, TurnedAway

PORTION: Final = 200  # items of a request
LIVE_BYTES: Final = 512 * 1024  # of a request, unless one item alone is larger
BACKLOG_BYTES: Final = 128 * 1024  # small, so that a narrow line is soon free for what is live
BACK_OFF_S: Final = 4.0  # at most, between attempts
BULKY: Final = 64 * 1024  # bytes: a smaller item is not by itself too much for a line
SOON_S: Final = 2.0  # a request that took longer is as much as the line carries
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


class Lane:
    """One line, how much goes over it at once, and how long it waits after a loss."""

    def __init__(self, deliver: Deliver, most_bytes: int) -> None:
        self.deliver, self.most_bytes = deliver, most_bytes
        self.most = PORTION
        # Jitter, no secret.
        self.back_off = BackOff(random.Random(), most_s=BACK_OFF_S)  # noqa: S311

    def went(self, took_s: float = 0.0) -> None:
        """A request was answered."""
        if took_s <= SOON_S:
            self.most = min(PORTION, 2 * self.most)
        self.back_off.reset()

    def was_too_much(self, size: int) -> None:
        """A request of `size` items was not answered in time, or was turned away."""
        self.most = max(1, min(self.most, size) // 2)


class Forwarder:
    """Takes from the shelf and delivers, until cancelled. A lane has a line of its own."""

    def __init__(
        self,
        shelf: Shelf,
        live: Deliver,
        backlog: Deliver,
        clock: Clock,
        off_us: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._shelf, self._clock, self._off_us = shelf, clock, off_us
        self._lanes = (Lane(live, LIVE_BYTES), Lane(backlog, BACKLOG_BYTES))
        self._underway: set[str] = set()
        self._clear = asyncio.Event()  # the live lane gets through, or has nothing to send
        self.turned_away = TurnedAwayItems(clock)
        self.link = Link()

    async def run(self) -> None:
        """Both lanes."""
        async with asyncio.TaskGroup() as lanes:
            lanes.create_task(self._live(self._lanes[0]))
            lanes.create_task(self._backlog(self._lanes[1]))

    async def _live(self, lane: Lane) -> None:
        while True:
            items = await self._shelf.live(self._clock.now_us(), lane.most, self._not_now())
            if not items:
                self._clear.set()
                await self._wait()
            elif await self._send(self._portion(items, lane), lane):
                self._clear.set()

    async def _backlog(self, lane: Lane) -> None:
        while True:
            await self._clear.wait()
            items = await self._shelf.backlog(self._clock.now_us(), lane.most, self._not_now())
            if items:
                await self._send(self._portion(items, lane), lane)
            else:
                await asyncio.sleep(IDLE_S)

    def _portion(self, items: Sequence[Item], lane: Lane) -> list[Item]:
        """What is asked at once; what is known to be turned away is asked alone."""
        for place, item in enumerate(items):
            if self.turned_away.is_proven(item.id):
                items = items[: max(place, 1)]
                break
        return within(items, lane.most_bytes)

    def _not_now(self) -> set[str]:
        return self._underway | self.turned_away.now()

    async def _send(self, items: list[Item], lane: Lane) -> bool:
        """Delivers, hears each answer and lets go; whether the hospital answered at all."""
        ids = {item.id for item in items}
        self._underway |= ids
        since_s = self._clock.monotonic_s()
        try:
            outcomes = await lane.deliver(items)
            self.link.answered(self._clock.now_us())
            took_s = self._clock.monotonic_s() - since_s
            found = {id_: outcomes.get(id_, AGAIN) for id_ in ids}
            await self._shelf.settle(found, self._off_us())
        except OSError as error:
            self._clear.clear()
            self.link.lost(str(error))
            # One that is known to be wrong says nothing of what the line carries.
            if isinstance(error, TooMuch) and not self.turned_away.is_proven(items[0].id):
                lane.was_too_much(len(items))
            if len(items) == 1 and _is_of_itself(error, items[0]):
                self.turned_away.add(items[0])
            await asyncio.sleep(lane.back_off.next_s())
            return False
        except sqlite3.Error as error:
            # The disk takes no more: what the hospital has stays here too, and goes again.
            logger.error("queue_not_settled", error=type(error).__name__)
            await asyncio.sleep(lane.back_off.next_s())
            return True
        finally:
            self._underway -= ids
        lane.went(took_s)
        self.turned_away.went(ids)
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


def _is_of_itself(error: OSError, item: Item) -> bool:
    """Whether an item that was asked alone may be why it was not taken."""
    return isinstance(error, TurnedAway) or (isinstance(error, TooMuch) and len(item.body) > BULKY)


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
