"""A bedside monitor: its patient's values each second as HL7 over one MLLP connection.

It keeps what was not acknowledged and sends the same bytes again; live values go first.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from hospital_ops.clock import SECOND, Clock, SystemClock
from hospital_ops.forward.backoff import BackOff
from simulators import messages, seeds
from simulators.clients import TRY_AGAIN, MllpClient
from simulators.course import Course
from simulators.ledger import Ledger
from simulators.messages import Reading, Sender
from simulators.outbox import Letter, Outbox

EACH_SECOND = (
    "hr", "rr", "spo2", "pr", "temp", "abp_sys", "abp_dia", "abp_mean", "fio2", "etco2", "cvp",
)  # fmt: skip
CHARTED = ("gcs",)  # what a nurse enters at the monitor, with each cuff
CUFF = ("nibp_sys", "nibp_dia", "nibp_mean")
CUFF_CYCLES_S = (300, 600, 900)  # every 5, 10 or 15 minutes
INFLATION_S = 20  # from the start of a cuff reading (its time) to its value
BACKLOG_MAX = 3600  # messages: an hour, about 5 MB for a monitor

_log = logging.getLogger("simulators.monitor")


@dataclass(frozen=True, slots=True)
class MonitorPlan:
    """Where a monitor stands and how it behaves."""

    bed: str
    mrn: str
    course: Course
    seed: int
    speed: float = 1.0  # of the patient's course; messages stay one a period
    period_s: float = 1.0
    phase_s: float = 0.0  # wait before the first, so that a ward does not speak in one breath
    processing: str = "P"  # T: a technician tests it
    device: str = ""
    cuff_cycle_s: int | None = None  # None: by seed
    backlog_max: int = BACKLOG_MAX
    loose: frozenset[str] = field(default_factory=frozenset)  # sensors that are off

    @property
    def unit(self) -> str:
        """The unit of the bed: its id without the last part."""
        return self.bed.rpartition("-")[0]


def usual_cycle_s(seed: int, bed: str) -> int:
    """How often the cuff of a bed inflates, in seconds."""
    return seeds.stream("monitor", seed, bed).choice(CUFF_CYCLES_S)


class Monitor:
    """One monitor; `run` ends after `stop()` when everything is acknowledged, or by cancelling."""

    def __init__(
        self,
        plan: MonitorPlan,
        client: MllpClient,
        ledger: Ledger | None = None,
        clock: Clock | None = None,
        back_off: BackOff | None = None,
    ) -> None:
        self.plan = plan
        self.ledger = ledger if ledger is not None else Ledger(keep=False)
        self.outbox = Outbox(self.ledger, plan.backlog_max)
        self._client = client
        self._clock = clock or SystemClock()
        self._back_off = back_off or BackOff(seeds.stream("back-off", plan.seed, plan.bed))
        self._sender = Sender(
            plan.device or f"sim-{plan.bed}", plan.unit, plan.bed, plan.mrn, plan.processing
        )
        self._cycle_s = plan.cuff_cycle_s or usual_cycle_s(plan.seed, plan.bed)
        self._started_us = self._clock.now_us()
        self._boot = f"{self._started_us // 1000:x}"
        self._count = 0
        self._cuff_due_s = float(INFLATION_S)  # inflates when switched on, never before
        self._online = True
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Measures no more; what is in the box is still delivered."""
        self._stopping.set()
        self.outbox.wake()

    async def run(self) -> None:
        """Measures and delivers until stopped and delivered."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._measure())
                group.create_task(self._deliver())
        finally:
            await self._client.close()

    def measure(self) -> Letter:
        """One message of this moment, put in the box and entered in the ledger."""
        now_us = self._clock.now_us()
        elapsed_s = (now_us - self._started_us) / SECOND
        t_s = elapsed_s * self.plan.speed
        readings = self._read(EACH_SECOND, t_s)
        cuff: tuple[Reading, ...] = ()
        cuff_at_us = 0
        if elapsed_s >= self._cuff_due_s:
            cuff = self._read(CUFF, t_s)
            readings += self._read(CHARTED, t_s)
            cuff_at_us = now_us - INFLATION_S * SECOND
            self._cuff_due_s = elapsed_s - elapsed_s % self._cycle_s + self._cycle_s
        self._count += 1
        control_id = f"{self.plan.bed}.{self._boot}.{self._count}"
        raw = messages.observations(control_id, self._sender, now_us, readings, cuff, cuff_at_us)
        letter = Letter(control_id, raw)
        self.ledger.made(control_id, self.plan.bed, len(readings) + len(cuff))
        self.outbox.add(letter)
        return letter

    def _read(self, keys: tuple[str, ...], t_s: float) -> tuple[Reading, ...]:
        course, loose = self.plan.course, self.plan.loose
        read = []
        for key in keys:
            value = course.value_at(key, t_s)
            if value is not None:
                read.append(Reading(key, None if key in loose else value))
        return tuple(read)

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + self.plan.phase_s
        while not self._stopping.is_set():
            try:
                async with asyncio.timeout_at(due):
                    await self._stopping.wait()
            except TimeoutError:
                self.measure()
                # A machine that slept does not measure the past: missed periods stay missing.
                due = max(due + self.plan.period_s, loop.time())

    async def _deliver(self) -> None:
        while not (self._stopping.is_set() and len(self.outbox) == 0):
            letter = self.outbox.take()
            if letter is None:
                await self.outbox.wait(self.plan.period_s)
            elif not await self._attempt(letter):
                await asyncio.sleep(self._back_off.next_s())

    async def _attempt(self, letter: Letter) -> bool:
        self.ledger.sent(letter.id)
        try:
            answer = await self._client.send(letter.raw)
        except TRY_AGAIN as error:
            self._lost(type(error).__name__)
        else:
            if answer.stored:
                self.ledger.acked(letter.id)
                self._found()
                return True
            if answer.refused:
                _log.warning("%s: message refused: %s", self.plan.bed, answer.text)
                self.ledger.refused(letter.id)
                return True
            self._lost(answer.code)  # not stored: ours to keep
        self.outbox.put_back(letter)
        return False

    def _lost(self, why: str) -> None:
        if self._online:
            _log.warning("%s: not delivered (%s), keeping the messages", self.plan.bed, why)
        self._online = False

    def _found(self) -> None:
        if not self._online:
            _log.info("%s: delivered again, %d waiting", self.plan.bed, len(self.outbox))
        self._online = True
        self._back_off.reset()
