"""The load: monitors and tablets that keep what is not acknowledged, and know what was."""

import asyncio
import hashlib
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from hospital_ops.clock import SystemClock, iso
from hospital_ops.forward.backoff import BackOff
from hospital_ops.identity import derived
from simulators.clients import TRY_AGAIN, MllpClient
from simulators.messages import Reading, Sender, observations
from simulators.tablet import Refused, TabletLine, TryAgain
from tests.faults.program_help import SEED, Program

MONITORS, TABLETS = 20, 4
EVERY_S = 0.15
STARTED_AT = SystemClock().now_us()
TIMELESS = re.compile(rb"(OBR\|[^\r]*?\^SCT)\|\|\|[^\r|]*")


@dataclass(slots=True)
class Sent:
    """One thing sent, until and after it was acknowledged."""

    raw: bytes
    values: int
    timeless: bool = False
    sends: int = 0
    acked: bool = False


@dataclass(slots=True)
class Load:
    """All that was sent, by control id (monitors) and event id (tablets)."""

    program: Program
    seed: int = SEED
    run: str = field(default_factory=lambda: uuid4().hex[:12])  # its ids begin with it
    messages: dict[str, Sent] = field(default_factory=dict)
    events: dict[str, Sent] = field(default_factory=dict)
    acked_at: float = 0.0  # when something was last acknowledged, by the monotonic clock
    refused: list[str] = field(default_factory=list)
    stopping: bool = False
    repeats: int = 0

    @property
    def acked(self) -> int:
        """How many were acknowledged."""
        return sum(one.acked for one in (*self.messages.values(), *self.events.values()))

    async def monitor(self, number: int) -> None:
        """Sends a message every `EVERY_S`, each until it is acknowledged, some twice."""
        chance = random.Random(f"{self.seed} monitor {number}")
        beds = [bed["bed"] for bed in self.program.run["beds"] if bed["unit"] == "h1-icu-1"]
        bed = beds[number % len(beds)]
        sender = Sender(f"{bed}-monitor-{number}", "h1-icu-1", bed, "")
        client = MllpClient("127.0.0.1", self.program.mllp_port, timeout_s=6.0)
        made, last_at = 0, 0
        try:
            while not self.stopping:
                last_at = max(last_at + 1000, SystemClock().now_us())
                timeless = chance.random() < 0.2
                # Unique in this program and over all loads of the run.
                control_id = f"{self.run}.{number}.{made}"
                raw = _message(control_id, sender, last_at, chance, timeless)
                sent = self.messages[control_id] = Sent(raw, 2, timeless)
                await self._deliver(client, sent, chance)
                if chance.random() < 0.1:  # its answer was lost, it believes
                    self.repeats += 1
                    await self._deliver(client, sent, chance)
                made += 1
                await asyncio.sleep(chance.uniform(0.5, 1.5) * EVERY_S)
        finally:
            await client.close()

    async def _deliver(self, client: MllpClient, sent: Sent, chance: random.Random) -> None:
        back_off = BackOff(chance, first_s=0.05, most_s=1.0)
        while True:
            sent.sends += 1
            try:
                answer = await client.send(sent.raw)
            except TRY_AGAIN:
                await asyncio.sleep(back_off.next_s())
                continue
            if answer.refused:
                self.refused.append(answer.text)
                return
            if answer.stored:
                sent.acked, self.acked_at = True, time.monotonic()
                return
            await asyncio.sleep(back_off.next_s())

    async def tablet(self, number: int) -> None:
        """Opens a case and sends batches of events, each until it is acknowledged."""
        chance = random.Random(f"{self.seed} tablet {number}")
        devices = [one for one in self.program.run["devices"] if one["id"].startswith("h1-tablet")]
        line = TabletLine(self.program.run["http"], devices[number]["token"])
        case = str(derived("case", self.run, str(number)))
        made = 0
        try:
            await self._until_taken(chance, lambda: line.put_case(case, {"destination": "h1-ed"}))
            while not self.stopping:
                batch = [_event(self.run, number, made + n, chance) for n in range(3)]
                made += 3
                for event in batch:
                    self.events[event["event_id"]] = Sent(b"", 1)
                receipt = await self._until_taken(chance, lambda b=batch: line.send(case, b))
                for event in batch:
                    sent = self.events[event["event_id"]]
                    sent.acked = receipt is not None and event["event_id"] in receipt.stored
                self.acked_at = time.monotonic()
                await asyncio.sleep(chance.uniform(0.5, 1.5) * 4 * EVERY_S)
        finally:
            await line.close()

    async def _until_taken(self, chance: random.Random, call: Any) -> Any:
        back_off = BackOff(chance, first_s=0.05, most_s=1.0)
        while True:
            try:
                return await call()
            except TryAgain:
                await asyncio.sleep(back_off.next_s())
            except Refused as refused:
                self.refused.append(str(refused))
                return None


@asynccontextmanager
async def loaded(program: Program) -> AsyncIterator[Load]:
    """A load beside the block; at its end everything that was begun is acknowledged."""
    load = Load(program)
    monitors = [asyncio.create_task(load.monitor(n)) for n in range(MONITORS)]
    tablets = [asyncio.create_task(load.tablet(n)) for n in range(TABLETS)]
    try:
        yield load
        load.stopping = True
        async with asyncio.timeout(60):
            await asyncio.gather(*monitors, *tablets)
    finally:
        for task in (*monitors, *tablets):
            task.cancel()
        await asyncio.gather(*monitors, *tablets, return_exceptions=True)


async def acked(load: Load, number: int) -> bool:
    """Whether so many were acknowledged."""
    return load.acked >= number


def _message(
    control_id: str, sender: Sender, at: int, chance: random.Random, timeless: bool
) -> bytes:
    readings = [
        Reading("hr", float(chance.randint(50, 120))),
        Reading("spo2", float(chance.randint(90, 100))),
    ]
    raw = observations(control_id, sender, at, readings)
    if timeless:
        raw, replaced = TIMELESS.subn(rb"\1", raw)
        assert replaced == 1
    return raw


def _event(run: str, number: int, made: int, chance: random.Random) -> dict[str, Any]:
    digest = hashlib.sha256(f"{run} {number} {made}".encode()).hexdigest()
    return {
        "event_id": str(derived("event", digest)),
        "code": "8867-4",
        "value": chance.randint(50, 120),
        "unit": "/min",
        # Each its own time: the same value of one time under another id is the same value.
        "determined_at": iso(STARTED_AT + made * 1000),
        "validity": "Vld",
        "mode": "Demo",
    }
