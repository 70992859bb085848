"""An ambulance with a tablet: one case after another, from first contact to the door.

The tablet works without a network: everything is kept until the hospital says `stored`, newest
first. Case ids and event ids are UUIDs version 7 whose random bits come from the seed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from dataclasses import dataclass
from typing import Any

from hospital_ops.clock import SECOND, Clock, SystemClock, iso
from hospital_ops.forward.backoff import BackOff
from hospital_ops.forward.items import EVENTS, KEPT, STORED, Item
from hospital_ops.forward.store import ROW_BYTES, Queue
from hospital_ops.sealing import KEY_BYTES, Seal
from simulators import seeds
from simulators.ecg12 import TAKEN_AT_S, Upload, file_of
from simulators.ledger import Ledger
from simulators.scenarios import CUFF, STREAMED, Case
from simulators.stories import STORIES, scenario
from simulators.tablet import Event, Refused, TabletLine, TryAgain
from simulators.vocabulary import sign

CUFF_EVERY_S = 120.0  # of the course
TYPED = ("temp", "avpu", "gcs")
TYPED_EVERY_S = 240.0
BATCH = 40  # events: about 8 kB, small enough for a bad network
ROOM_BYTES = 16 * 1024 * 1024  # of the tablet's queue: some hours of one case
ETA_EVERY_S = 20.0  # how often the navigation is asked

_log = logging.getLogger("simulators.ambulance")


@dataclass(frozen=True, slots=True)
class AmbulancePlan:
    """Which vehicle drives to which unit, and how it plays."""

    name: str
    unit: str
    seed: int
    story: str = ""  # empty: one after another, in an order by seed
    speed: float = 1.0
    every_s: float = 2.0  # real seconds between measurements
    pause_s: float = 15.0  # real seconds at the hospital before the next call
    cases: int | None = None  # None: without end
    mode: str = "Demo"


class Drive:
    """One case: what is measured, what is kept, what the hospital has."""

    def __init__(
        self,
        case: Case,
        plan: AmbulancePlan,
        number: int,
        line: TabletLine,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self.case = case
        self._plan, self._line, self._ledger, self._clock = plan, line, ledger, clock
        self._started_us = clock.now_us()
        self._seed_parts = (plan.seed, plan.name, number)
        self.id = str(seeds.seeded_uuid7(self._started_us, "case", *self._seed_parts))
        self._count = 0
        # The same queue as in the box of a unit; a tablet that is switched off has lost its key.
        self._queue = Queue(None, Seal({"tablet": os.urandom(KEY_BYTES)}), ROOM_BYTES)
        self._due = {"cuff": 0.0, "typed": 0.0}
        self._typed: tuple[object, ...] = ()
        self._told: dict[str, Any] = {}
        self._arrived_us: int | None = None
        self._arrival_told = False
        self._back_off = BackOff(seeds.stream("tablet", *self._seed_parts))
        self._online = True
        self._ecg: Upload | None = None
        self._ecg_next = False  # parts of the ECG take turns with the newest values

    @property
    def waiting(self) -> int:
        """Events on the tablet that the hospital has not confirmed."""
        return self._queue.held().items

    def elapsed_s(self) -> float:
        """Seconds of the story since the first contact."""
        return (self._clock.now_us() - self._started_us) / SECOND * self._plan.speed

    def measure(self) -> None:
        """The values of this moment, onto the tablet."""
        t_s = self.elapsed_s()
        keys = list(STREAMED)
        if t_s >= self._due["cuff"]:
            self._due["cuff"] = t_s + CUFF_EVERY_S
            keys.extend(CUFF)
        phase = self.case.phase_at(t_s)
        if t_s >= self._due["typed"] or self._typed != (phase.avpu, phase.gcs):
            self._due["typed"] = t_s + TYPED_EVERY_S
            self._typed = (phase.avpu, phase.gcs)
            keys.extend(TYPED)
        self._keep([self._event(key, t_s) for key in keys])

    def _event(self, key: str, t_s: float) -> Event:
        at_us = self._clock.now_us()
        value = self.case.value_at(key, t_s)
        self._count += 1
        row = sign(key)
        event: Event = {
            "event_id": str(seeds.seeded_uuid7(at_us, "event", *self._seed_parts, self._count)),
            "code": row.code,
            "value": value,
            "unit": row.ucum,
            "determined_at": iso(at_us),
            "validity": "Vld" if value is not None else "Inv",
            "mode": self._plan.mode,
        }
        self._ledger.made(event["event_id"], self._plan.name, 1)
        return event

    def _keep(self, events: list[Event]) -> None:
        """Puts the events into the queue; where it is full its oldest go, counted."""
        now, name = self._clock.now_us(), self._plan.name
        items = [
            Item(one["event_id"], EVENTS, name, now, json.dumps(one).encode()) for one in events
        ]
        if not all(self._queue.add(items)):
            for id_ in self._queue.give_up(sum(len(item.body) + ROW_BYTES for item in items)):
                self._ledger.dropped(id_)
            self._queue.add(items)

    def _newest(self) -> list[Event]:
        """What to send next: of the last seconds, then of the backlog, the newest first."""
        now = self._clock.now_us()
        items = self._queue.live(now, BATCH)
        items = self._queue.backlog(now, BATCH - len(items)) + items
        return [json.loads(item.body) for item in reversed(items)]

    async def run(self) -> None:
        """From first contact until the hospital has everything, the arrival too."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._record())
                group.create_task(self._deliver())
        finally:
            self._queue.close()

    async def _record(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self.elapsed_s() < self.case.duration_s:
            self.measure()
            due = max(due + self._plan.every_s, loop.time())
            await asyncio.sleep(due - loop.time())
        self._arrived_us = self._clock.now_us()

    async def _deliver(self) -> None:
        while not (self._arrival_told and not self.waiting and not self._ecg_waits()):
            if self.case.is_offline(self.elapsed_s()):
                await asyncio.sleep(self._plan.every_s)
                continue
            try:
                idle = not await self._next()
            except TryAgain as error:
                self._lost(error.why)
                wait_s = self._back_off.next_s()
                await asyncio.sleep(max(wait_s, error.after_s or 0.0))
            else:
                self._found()
                if idle:
                    await asyncio.sleep(self._plan.every_s / 2)

    async def _next(self) -> bool:
        """Sends what matters most now: the case, the door, the newest values. False: nothing."""
        facts = self._facts()
        if facts != self._told:
            await self._line.put_case(self.id, facts)
            self._told = facts
            return True
        if self._arrived_us is not None and not self._arrival_told:
            await self._line.arrive(self.id, iso(self._arrived_us))
            self._arrival_told = True
            return True
        batch = self._newest()
        self._ecg_next = not self._ecg_next
        if await self._ecg_is_taken() and self._ecg and (self._ecg_next or not batch):
            await self._ecg.send_part(self._line)
            return True
        if not batch:
            return False
        for event in batch:
            self._ledger.sent(event["event_id"])
        receipt = await self._line.send(self.id, batch)
        for id_ in receipt.stored:
            self._ledger.acked(id_)
        for id_ in receipt.rejected:
            self._ledger.refused(id_)
        outcomes = dict.fromkeys(receipt.stored, STORED) | dict.fromkeys(receipt.rejected, KEPT)
        self._queue.settle(outcomes)
        if not outcomes:
            raise TryAgain("nothing of the batch was stored")
        return True

    async def _ecg_is_taken(self) -> bool:
        """Takes the 12-lead when its time has come; whether something of it is still to be sent."""
        t_s = self.elapsed_s()
        if self._ecg is None and t_s >= TAKEN_AT_S:
            at_us = self._clock.now_us()
            name = self._plan.name
            data = await asyncio.to_thread(file_of, self.case, t_s, at_us, name)
            self._ecg = Upload(self.id, data, at_us, *self._seed_parts)
        return self._ecg_waits()

    def _ecg_waits(self) -> bool:
        return self._ecg is not None and self._ecg.waiting

    def _facts(self) -> dict[str, Any]:
        """The case as the crew knows it; the ETA changes in steps, the rest when it changes."""
        if self._arrived_us is not None and self._told:
            return self._told
        t_s = min(self.elapsed_s(), self.case.duration_s)
        step_s = ETA_EVERY_S * max(self._plan.speed, 1.0)
        chance = seeds.stream("eta", *self._seed_parts, int(t_s // step_s))
        left_s = self.case.duration_s - t_s // step_s * step_s
        # Navigation is wrong by up to a twentieth of the way that is left.
        left_s *= 1.0 + chance.uniform(-0.05, 0.05)
        asked_us = self._started_us + round(t_s // step_s * step_s / self._plan.speed * SECOND)
        eta_us = asked_us + round(left_s / self._plan.speed * SECOND)
        return self.case.facts_at(t_s) | {
            "eta": iso(eta_us // SECOND * SECOND),
            "destination": self._plan.unit,
            "crew": self._plan.name,
        }

    def _lost(self, why: str) -> None:
        if self._online:
            _log.warning("%s: not delivered (%s), keeping the values", self._plan.name, why)
        self._online = False

    def _found(self) -> None:
        if not self._online:
            _log.info("%s: delivered again, %d waiting", self._plan.name, self.waiting)
        self._online = True
        self._back_off.reset()


class Ambulance:
    """One vehicle that drives case after case."""

    def __init__(
        self,
        plan: AmbulancePlan,
        line: TabletLine,
        ledger: Ledger | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.plan = plan
        self.ledger = ledger if ledger is not None else Ledger(keep=False)
        self.drives = 0
        self._line = line
        self._clock = clock or SystemClock()

    def story(self, number: int) -> str:
        """The name of the story of the vehicle's n-th case."""
        if self.plan.story:
            return self.plan.story
        names = list(STORIES)
        seeds.stream("stories", self.plan.seed, self.plan.name).shuffle(names)
        return names[number % len(names)]

    async def run(self) -> None:
        """Drives until the cases of the plan are done, or until cancelled."""
        number = 0
        try:
            while self.plan.cases is None or number < self.plan.cases:
                await self._drive(number)
                number += 1
                if number != self.plan.cases:
                    await asyncio.sleep(self.plan.pause_s)
        finally:
            await self._line.close()

    async def _drive(self, number: int) -> None:
        case_seed = seeds.number("drive", self.plan.seed, self.plan.name, number)
        case = scenario(self.story(number), case_seed)
        drive = Drive(case, self.plan, number, self._line, self.ledger, self._clock)
        try:
            await drive.run()
        except* Refused as refused:
            # One refused case must not take the vehicle off the road for good.
            _log.error("%s: case given up: %s", self.plan.name, refused.exceptions[0])
        else:
            self.drives += 1
