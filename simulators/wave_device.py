"""A bedside monitor's own line: its curves, twice a second, as wave frames over a WebSocket.

Curves are for now: what it could not hand over at once is not sent later, it is a gap. What was on
its way when the line broke is sent again, for nobody knows whether it arrived.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from hospital_ops import waveform
from hospital_ops.clock import SECOND, Clock, SystemClock, iso
from hospital_ops.ecg.replay import Recorded
from hospital_ops.forward.backoff import BackOff
from hospital_ops.waveform import Frame
from simulators import seeds
from simulators.bedside import Bedside
from simulators.course import Course
from simulators.ledger import Ledger
from simulators.waveforms import Curves, Player, RecordedCurves

CHUNK_US = SECOND // 2
CHUNKS_PER_S = SECOND // CHUNK_US
HEART_RATE = "8867-4"
IN_FLIGHT_MAX = 10  # messages: five seconds without an answer is a dead line
TRY_AGAIN = (OSError, TimeoutError, WebSocketException)

_log = logging.getLogger("simulators.waves")


@dataclass(frozen=True, slots=True)
class WavePlan:
    """Where a monitor stands, and who lies there."""

    url: str  # ws://host:port/ws/v1/devices
    token: str
    bed: str
    course: Course
    seed: int
    recording: Recorded | None = None  # played in place of the course
    speed: float = 1.0  # of the patient's course; a curve passes at the speed of life
    phase_s: float = 0.0
    mode: str = "Demo"
    treated: bool = False  # its line carries the ventilator and the pumps too
    charts: bool = True  # and the chart, where it does


class WaveDevice:
    """One monitor; `run` plays until it is cancelled. `on_made` is told of every piece."""

    def __init__(
        self,
        plan: WavePlan,
        clock: Clock | None = None,
        on_made: Callable[[list[Frame]], None] | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.plan = plan
        self.ledger = ledger if ledger is not None else Ledger(keep=False)
        self._clock = clock or SystemClock()
        self._on_made = on_made
        self._back_off = BackOff(seeds.stream("wave back-off", plan.seed, plan.bed))
        self._curves: Player = (
            RecordedCurves(plan.recording)
            if plan.recording is not None
            else Curves(plan.course, plan.seed, plan.bed, plan.speed)
        )
        self._bedside = Bedside(plan.course, charts=plan.charts) if plan.treated else None
        self._line: ClientConnection | None = None
        self._waiting: dict[int, bytes] = {}  # sent and not answered
        self._known_lost = False

    async def run(self) -> None:
        """Measures and delivers until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._deliver())
            group.create_task(self._measure())

    def chunk(self, sequence: int, started_at: int) -> bytes:
        """The message of the half second that began at `started_at` (microseconds UTC)."""
        plan = self.plan
        frames = self._curves.frames(plan.bed, plan.mode, sequence, started_at, CHUNK_US / SECOND)
        self.ledger.made(self._name(sequence), plan.bed, len(frames))
        if self._on_made is not None:
            self._on_made(frames)
        return b"".join(map(waveform.pack, frames))

    async def _measure(self) -> None:
        await asyncio.sleep(self.plan.phase_s)
        started_us = self._clock.now_us()
        count = 0
        while True:
            due_us = started_us + (count + 1) * CHUNK_US
            await asyncio.sleep(max(0.0, (due_us - self._clock.now_us()) / SECOND))
            message = self.chunk(count, started_us + count * CHUNK_US)
            await self._send(count, message)
            if count % CHUNKS_PER_S == 0:
                await self._tell(due_us)
            behind = (self._clock.now_us() - due_us) // CHUNK_US
            # A machine that slept does not measure the past: missed pieces stay missing.
            count += 1 + (behind if behind > IN_FLIGHT_MAX else 0)

    async def _send(self, sequence: int, message: bytes) -> None:
        line = self._line
        if line is None or len(self._waiting) >= IN_FLIGHT_MAX:
            self.ledger.dropped(self._name(sequence))
            if line is not None:
                line.transport.abort()
            return
        self._waiting[sequence] = message
        self.ledger.sent(self._name(sequence))
        try:
            await line.send(message)
        except TRY_AGAIN:
            return  # it waits for the next line

    async def _tell(self, at_us: int) -> None:
        """The values beside the curves: a recording's heart rate, ventilator, pumps, the chart."""
        line, rate = self._line, self._curves.heart_per_min()
        values: list[tuple[str, float | str, str]] = []
        if rate is not None:
            values.append((HEART_RATE, rate, "/min"))
        elif self._bedside is not None:
            values.extend(self._bedside.due(self._curves.t_s * self.plan.speed))
        if line is None or not values:
            return
        events = [
            {
                "event_id": str(seeds.seeded_uuid7(at_us, self.plan.bed, code, self.plan.seed)),
                "code": code,
                "value": value,
                "unit": unit,
                "determined_at": iso(at_us),
                "mode": self.plan.mode,
            }
            for code, value, unit in values
        ]
        with suppress(*TRY_AGAIN):
            await line.send(json.dumps({"type": "events", "bed": self.plan.bed, "events": events}))

    async def _deliver(self) -> None:
        plan = self.plan
        while True:
            try:
                async with connect(
                    plan.url,
                    additional_headers={"Authorization": f"Bearer {plan.token}"},
                    compression=None,
                    proxy=None,
                    open_timeout=5,
                    close_timeout=1,
                ) as line:
                    for message in list(self._waiting.values()):
                        await line.send(message)
                    self._line = line
                    self._found()
                    async for text in line:
                        self._answered(text)
            except TRY_AGAIN as error:
                self._lost(type(error).__name__)
            finally:
                self._line = None
            await asyncio.sleep(self._back_off.next_s())

    def _answered(self, text: str | bytes) -> None:
        answer = json.loads(text)
        sequence = answer.get("seq")
        if self._waiting.pop(sequence, None) is None:
            return
        if answer["type"] == "ack":
            self.ledger.acked(self._name(sequence))
        else:
            self.ledger.refused(self._name(sequence))

    def _name(self, sequence: int) -> str:
        """A message in the ledger: one start of the device counts from 0."""
        return f"{self.plan.bed}.curves.{sequence}"

    def _lost(self, why: str) -> None:
        if not self._known_lost:
            _log.warning("%s: no line for curves (%s)", self.plan.bed, why)
        self._known_lost = True

    def _found(self) -> None:
        if self._known_lost:
            _log.info("%s: the line for curves is back", self.plan.bed)
        self._known_lost = False
        self._back_off.reset()
