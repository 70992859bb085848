"""A ward whose clock runs at speed: recorded stays are played through it, from wire to page.

Real Valkey and PostgreSQL, the gateway on MLLP, the live and store readers and a web process, as
anywhere. Only time is ours: the house has its `ManualClock`, and the server that keeps the streams
is told what time it is when it takes an entry (`FastPipe`), for a decision knows no other time. So
nothing is late that was not late at the bed, and no rule on old values is bent.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from hospital_ops import codes, wire
from hospital_ops.clock import SECOND, ManualClock, iso
from hospital_ops.database import Database
from hospital_ops.hl7.understand import Source
from simulators import messages
from simulators.clients import MllpClient
from simulators.messages import Reading, Sender
from simulators.people import Person
from streams.append import Appender
from streams.live import LiveReader
from streams.mllp import MllpGateway
from streams.pipe import Argument, Pipe
from streams.publish import read_board, snapshot_position
from streams.shard import keys, order, seen_at
from tests.integration.streams_help import HALL, beside, icu_room, last_id, storing, until
from tests.integration.web_help import Running, web_process
from tests.patience import PATIENCE_S

POLLS = 40  # of a unit, until another second passes
LINES = 16  # of MLLP: a hospital's engine has a few, not one a bed
MONITOR = ("hr", "rr", "spo2", "temp", "fio2", "abp_sys", "abp_mean")
CUFF = ("nibp_sys", "nibp_mean")
LABORATORY = ("pao2", "lactate", "platelets", "bilirubin", "creatinine")
SOMEBODY = Person("Probe", "Anna", "F", 60, None, None)
IN_MG_DL = ("bilirubin", "creatinine")
LOOPBACK = Source(name="loopback", hospital="h1", networks=("127.0.0.0/8",), mode="Test")
Event = tuple[int, str, float | str]  # second, key, value


class FastPipe(Pipe):
    """A connection to a server whose clock is the ward's: `*` is what the ward's clock says.

    All who write share one, so that entries come to the server in the order of their times.
    """

    def __init__(self, url: str, clock: ManualClock) -> None:
        super().__init__(url)
        self.clock = clock

    async def calls(
        self, commands: Iterable[Sequence[Argument]], *, timeout_s: float | None = None
    ) -> list[Any]:
        """The scripts of the house write `'*'` too."""
        return await super().calls(
            [
                (command[0], command[1].replace(b"'*'", b"'%b'" % self._now()), *command[2:])
                if command[0] == "EVAL" and isinstance(command[1], bytes)
                else command
                for command in commands
            ],
            timeout_s=timeout_s,
        )

    async def packed(self, packed: list[bytes], *, timeout_s: float | None = None) -> list[Any]:
        """Every XADD has its time."""
        now = self._now()
        given = b"$%d\r\n%b\r\n" % (len(now), now)
        return await super().packed(
            [
                one.replace(b"$1\r\n*\r\n", given, 1) if b"\r\nXADD\r\n" in one[:20] else one
                for one in packed
            ],
            timeout_s=timeout_s,
        )

    def _now(self) -> bytes:
        return b"%d-*" % (self.clock.now_us() // 1000)


@dataclass(slots=True)
class FastWard:
    """The ward at work. Its people send as a hospital sends; what is asked is asked over HTTP."""

    clock: ManualClock
    pipe: FastPipe
    running: Running
    http: httpx2.AsyncClient
    units: tuple[str, ...]
    lines: list[MllpClient]
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    acknowledged: int = 0

    async def deliver(self, post: Iterable[tuple[str, bytes]]) -> None:
        """Messages of beds over MLLP; those of one bed in their order."""
        waiting: dict[int, list[bytes]] = {}
        for bed, message in post:
            waiting.setdefault(hash(bed) % len(self.lines), []).append(message)

        async def one(line: int, sent: list[bytes]) -> None:
            for message in sent:

                async def stored(message: bytes = message) -> bool:
                    return (await self.lines[line].send(message)).stored

                await until(stored, "a message is stored")  # refused: a sender sends it again
                self.acknowledged += 1

        await asyncio.gather(*(one(line, sent) for line, sent in waiting.items()))

    async def admit(self, beds: Mapping[str, Person]) -> None:
        """Somebody lies in each bed from now on (ADT^A01)."""
        now = self.clock.now_us()
        await self.deliver(
            (
                bed,
                messages.admission(
                    f"A{next(self.numbers)}", person, mrn_of(bed), bed[:-3], bed, f"V{bed}", now
                ),
            )
            for bed, person in beds.items()
        )

    async def happens(self, at: int, beds: Mapping[str, Sequence[Event]]) -> None:
        """What monitors, laboratory and nurses have to say at a second; a second of the units."""
        assert at * SECOND >= self.clock.now_us()
        self.clock.advance(at - self.clock.monotonic_s())
        post = [(bed, m) for bed, rows in beds.items() for m in self._messages(bed, rows)]
        await asyncio.gather(
            self.deliver(post), *(self.chart(bed, rows) for bed, rows in beds.items()), self.tick()
        )

    def _messages(self, bed: str, rows: Sequence[Event]) -> list[bytes]:
        now, unit, found = self.clock.now_us(), bed[:-3], []
        monitor, cuff = _readings(rows, MONITOR), _readings(rows, CUFF)
        if monitor or cuff:
            sender = Sender(f"{bed}-monitor", unit, bed, mrn_of(bed))
            name = f"M{next(self.numbers)}"
            found.append(messages.observations(name, sender, now, monitor, cuff, now))
        results = _readings(rows, LABORATORY)
        if results:
            name = f"L{next(self.numbers)}"
            found.append(messages.results(name, unit, bed, mrn_of(bed), now, results))
        return found

    async def chart(self, bed: str, rows: Sequence[Event], at: int | None = None) -> None:
        """A nurse types what no device sends, on the form that machines use too."""
        typed = [row for row in rows if row[1] not in (*MONITOR, *CUFF, *LABORATORY)]
        if not typed:
            return
        moment = iso(self.clock.now_us() if at is None else at * SECOND)
        events = [{"code": key, "value": value, "determined_at": moment} for _, key, value in typed]
        answer = await self.http.post(
            f"/api/v1/icu/beds/{bed}/chart",
            json={"events": events},
            headers=self.running.bearer("h1-nurse"),
        )
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["stored"]) == len(typed), answer.text

    async def tick(self) -> None:
        """A second of every unit, now."""
        appender, now = self.running.web.appender, self.clock.now_us()
        await asyncio.gather(*(appender.append(unit, wire.Tick(at=now)) for unit in self.units))

    async def settle(self) -> None:
        """A second passes, or a few, and every screen shows all that came before."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.clock.advance(1)
                await self.tick()
                ends = [await last_id(self.pipe, keys(unit).incoming) for unit in self.units]
                if all(
                    [await self._shown(u, end) for u, end in zip(self.units, ends, strict=True)]
                ):
                    return

    async def _shown(self, unit: str, end: str) -> bool:
        """Whether a unit soon shows what it was told up to `end`; a snapshot has its second."""
        feed = self.running.web.feeds[unit]
        for _ in range(POLLS):
            decided = order(await snapshot_position(self.pipe, unit)) >= order(end)
            if decided and feed.rev == (await read_board(self.pipe, unit)).rev:
                return True
            await asyncio.sleep(0.005)
        return False

    async def get(self, path: str, who: str = "h1-nurse") -> httpx2.Response:
        """An answer of the public interface."""
        answer = await self.http.get(path, headers=self.running.bearer(who))
        assert answer.status_code == 200, answer.text
        return answer

    async def seen(self, unit: str) -> tuple[int, bytes]:
        """(microsecond, the board as it was served in it), of a second in which nothing changed.

        What goes out in the same second belongs to it too, so such a second is not taken, and what
        comes after is of the next one.
        """
        while True:
            await self.settle()
            self.clock.advance(1)
            now = self.clock.now_us()
            answer = await self.get(f"/api/v1/boards/{unit}")
            self.clock.advance(1)
            if seen_at(await last_id(self.pipe, keys(unit).out)) < now:
                return now, answer.content


@asynccontextmanager
async def fast_ward(
    url: str, app: Database, writer: Database | None, start_us: int, wards: Mapping[str, int]
) -> AsyncIterator[FastWard]:
    """A hospital's intensive care units (`wards`: name and beds) whose clock stands at `start_us`.

    Without a `writer` the test has store readers of its own.
    """
    clock = ManualClock(start_us)
    pipe = FastPipe(url, clock)
    units = tuple(f"h1-{name}" for name in wards)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            web_process(url, app, pipe=pipe, clock=clock, wards=wards)
        )
        gateway = MllpGateway(Appender(pipe), running.web.places, [LOOPBACK], clock)
        server = await gateway.serve("127.0.0.1", 0)
        stack.push_async_callback(gateway.close)
        for unit in units:
            reader = fast_reader(url, unit, pipe, clock)
            stack.push_async_callback(reader.reading.close)
            await stack.enter_async_context(beside(reader.run()))
        if writer is not None:
            await stack.enter_async_context(storing(url, writer, "one", (*units, HALL), clock))
        lines = [
            MllpClient("127.0.0.1", server.sockets[0].getsockname()[1], timeout_s=60)
            for _ in range(LINES)
        ]
        for line in lines:
            stack.push_async_callback(line.close)
        http = running.client()
        await stack.enter_async_context(http)
        yield FastWard(clock, pipe, running, http, units, lines)


def fast_reader(url: str, unit: str, pipe: FastPipe, clock: ManualClock) -> LiveReader:
    """The live role of a unit, on the ward's clock."""
    reader = LiveReader(url, unit, "one", icu_room, clock)
    reader.pipe, reader.appender = pipe, Appender(pipe)
    return reader


def mrn_of(bed: str) -> str:
    """The number of the patient in a bed."""
    return f"7{bed.replace('h1-icu-', '').replace('-', '')}"


def _readings(rows: Sequence[Event], wanted: Sequence[str]) -> list[Reading]:
    return [
        Reading(key, float(value), "mg/dL" if key in IN_MG_DL else "")
        for _, key, value in rows
        if key in wanted
    ]


def code_of(key: str) -> str:
    """The name under which the public interface has a value."""
    return codes.by_key[key].code
