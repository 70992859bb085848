"""The monitor of an ambulance: values each second over its own socket, kept until they are taken.

It does not know whose values they are: the crew has chosen the case on its tablet. While no case
is open to it the hospital refuses, and the monitor keeps the last minutes and tries again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from hospital_ops.clock import SECOND, Clock, SystemClock, iso
from hospital_ops.forward.backoff import BackOff
from simulators import seeds
from simulators.course import Course
from simulators.ledger import Ledger
from simulators.vocabulary import sign

SIGNS: Final = ("hr", "spo2", "rr", "nibp_sys", "nibp_dia")
CUFF_EVERY: Final = 60  # seconds between two pressures
KEPT: Final = 600  # messages: ten minutes of a tunnel
AT_ONCE: Final = 20  # messages in one that goes out
TRY_AGAIN = (OSError, TimeoutError, WebSocketException)

_log = logging.getLogger("simulators.vehicle")


@dataclass(frozen=True, slots=True)
class VehiclePlan:
    """Where the monitor delivers, and whom it measures."""

    url: str  # ws://host:port/ws/v1/devices
    token: str
    name: str
    course: Course
    seed: int
    speed: float = 1.0
    mode: str = "Demo"


class VehicleMonitor:
    """One monitor; `run` plays until it is cancelled."""

    def __init__(
        self, plan: VehiclePlan, ledger: Ledger | None = None, clock: Clock | None = None
    ) -> None:
        self.plan = plan
        self.ledger = ledger if ledger is not None else Ledger(keep=False)
        self._clock = clock or SystemClock()
        self._back_off = BackOff(seeds.stream("vehicle back-off", plan.seed, plan.name))
        self._waiting: OrderedDict[int, list[dict[str, Any]]] = OrderedDict()

    async def run(self) -> None:
        """Measures and delivers until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._measure())
            group.create_task(self._deliver())

    def values(self, second: int, at_us: int) -> list[dict[str, Any]]:
        """The EVENTs of one second; the cuff measures once a minute."""
        events = []
        for key in SIGNS:
            if key.startswith("nibp") and second % CUFF_EVERY:
                continue
            value = self.plan.course.value_at(key, second * self.plan.speed)
            if value is None:
                continue
            row = sign(key)
            events.append(
                {
                    "event_id": str(seeds.seeded_uuid7(at_us, self.plan.name, key, second)),
                    "code": row.code,
                    "value": value,
                    "unit": row.ucum,
                    "determined_at": iso(at_us),
                    "mode": self.plan.mode,
                }
            )
        return events

    async def _measure(self) -> None:
        started_us, second = self._clock.now_us(), 0
        while True:
            due_us = started_us + second * SECOND
            await asyncio.sleep(max(0.0, (due_us - self._clock.now_us()) / SECOND))
            self._waiting[second] = self.values(second, due_us)
            self.ledger.made(self._name(second), self.plan.name, len(self._waiting[second]))
            while len(self._waiting) > KEPT:
                dropped, _ = self._waiting.popitem(last=False)
                self.ledger.dropped(self._name(dropped))
            second += 1

    async def _deliver(self) -> None:
        while True:
            try:
                async with connect(
                    self.plan.url,
                    additional_headers={"Authorization": f"Bearer {self.plan.token}"},
                    compression=None,
                    proxy=None,
                    open_timeout=5,
                    close_timeout=1,
                ) as line:
                    while await self._one(line):
                        self._back_off.reset()
            except TRY_AGAIN as error:
                _log.warning("%s: no line (%s)", self.plan.name, type(error).__name__)
            await asyncio.sleep(self._back_off.next_s())

    async def _one(self, line: Any) -> bool:
        """Sends what waits, the newest second first; False where it was refused for now."""
        if not self._waiting:
            await asyncio.sleep(0.2)
            return True
        seconds = list(reversed(self._waiting))[:AT_ONCE]
        events = [event for second in seconds for event in self._waiting[second]]
        for second in seconds:
            self.ledger.sent(self._name(second))
        await line.send(json.dumps({"type": "events", "events": events}))
        answer = json.loads(await line.recv())
        if answer["type"] != "ack":
            _log.warning("%s: %s", self.plan.name, answer.get("detail"))
            return False
        for second in seconds:
            del self._waiting[second]
            self.ledger.acked(self._name(second))
        return True

    def _name(self, second: int) -> str:
        return f"{self.plan.name}.{second}"
