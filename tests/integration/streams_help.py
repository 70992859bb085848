"""Helpers of the stream's tests: entries, a small room, readers that run beside the test."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from hospital_ops import wire
from hospital_ops.clock import Clock, SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.deciding import Decider, Decisions, Stamped
from hospital_ops.identity import derived, uuid7
from hospital_ops.wire import State, field
from icu.unit import IcuUnit
from streams.append import Appender
from streams.live import LiveReader
from streams.pipe import Pipe
from streams.publish import Board, read_board
from streams.relay import Relay
from streams.shard import START, keys, order
from streams.store import StoreReader, key_of
from tests.patience import PATIENCE_S

UNIT, HALL = "h1-icu-1", "h1-hall"
BED = "h1-icu-1-01"
PULSE = "8867-4"


def observed(
    value: float | str | None = 80.0,
    at: int | None = None,
    *,
    bed: str = BED,
    message_id: str = "",
    received_at: int | None = None,
    mrn: str = "",
    code: str = PULSE,
    event_id: str = "",
    raw: bytes = b"",
    unit: str = UNIT,
) -> wire.Observed:
    """One heart rate of a bed; without `at` the device gave no time."""
    number = message_id or str(uuid7())
    return wire.Observed(
        unit=unit,
        source="loopback",
        message_id=number,
        identity=hashlib.sha256(f"{number} ".encode() + raw).digest(),
        received_at=SystemClock().now_us() if received_at is None else received_at,
        mode="Test",
        observations=(
            wire.Observation(
                code=code, value=value, unit="/min", determined_at=at, event_id=event_id
            ),
        ),
        bed=bed,
        device=f"{bed}-monitor",
        mrn=mrn,
    )


def admitted(
    mrn: str, at: int, *, bed: str = BED, trigger: str = "A01", prior_bed: str = ""
) -> wire.Admission:
    """Somebody lies in `bed` from `at` (A01), comes from another (A02), goes home (A03)."""
    number = str(uuid7())
    return wire.Admission(
        unit=UNIT,
        source="loopback",
        message_id=number,
        identity=hashlib.sha256(number.encode()).digest(),
        received_at=at,
        mode="Test",
        trigger=trigger,
        patient=wire.PatientFacts(mrn=mrn, family="Test", given=mrn),
        event_at=at,
        bed=bed,
        prior_bed=prior_bed,
    )


class Seen(State):
    """What the small room remembers."""

    values: dict[str, list[float]] = field(default_factory=dict)


class SmallRoom:
    """A room that shows all values of each bed and tells of each by one output.

    On the value 666 its rules fail, after they have changed the state already.
    """

    def __init__(self, unit: str, snapshot: bytes = b"") -> None:
        self.unit = unit
        self.state = wire.decoder(Seen)(snapshot) if snapshot else Seen()

    def decide(self, entries: Sequence[Stamped]) -> Decisions:
        """Appends each value to those of its bed."""
        decisions = Decisions()
        for at, entry in ((one.at, one.entry) for one in entries):
            if not isinstance(entry, wire.Observed):
                continue
            value = entry.observations[0].value
            assert isinstance(value, float)
            self.state.values.setdefault(entry.bed, []).append(value)
            if value == 666.0:
                raise ZeroDivisionError("a rule that was not thought through")
            decisions.dirty.add(entry.bed)
            decisions.outputs.append(told_of(entry, at))
        return decisions

    def cell(self, name: str) -> bytes | None:
        """The values of a bed."""
        values = self.state.values.get(name)
        return None if values is None else wire.encode(values)

    def names(self) -> Sequence[str]:
        """The beds heard of."""
        return list(self.state.values)

    def dump(self) -> bytes:
        """All values."""
        return wire.encode(self.state)


def told_of(entry: wire.Observed, at: int) -> wire.Alerted:
    """The small room's output for one message."""
    return wire.Alerted(
        unit=UNIT,
        alarm=str(derived("told", entry.message_id)),
        bed=entry.bed,
        patient_id="",
        rule="told",
        priority="low",
        state="active",
        at=at,
        since=at,
        text="",
    )


def small_room(unit: str, snapshot: bytes) -> Decider:
    """Makes a small room."""
    return SmallRoom(unit, snapshot)


def icu_room(unit: str, snapshot: bytes) -> Decider:
    """Makes a real intensive care unit."""
    return IcuUnit(unit, "h1", snapshot)


@asynccontextmanager
async def living(
    url: str, owner: str, make: Callable[[str, bytes], Decider] = small_room, shard: str = UNIT
) -> AsyncIterator[LiveReader]:
    """A live reader at work; at the end it gives its lease back."""
    reader = LiveReader(url, shard, owner, make, SystemClock())
    async with beside(reader.run()):
        yield reader
    await reader.pipe.close()


@asynccontextmanager
async def storing(
    url: str,
    writer: Database,
    holder: str = "one",
    shards: Sequence[str] = (UNIT, HALL),
    clock: Clock | None = None,
) -> AsyncIterator[StoreReader]:
    """A store reader at work."""
    reader = StoreReader(url, writer, list(shards), holder, clock or SystemClock())
    async with beside(reader.run()):
        yield reader
    await reader.pipe.close()


@asynccontextmanager
async def relaying(pipe: Pipe, writer: Database) -> AsyncIterator[None]:
    """A relay at work."""
    relay = Relay(writer, Appender(pipe), SystemClock(), "Test")

    async def work() -> None:
        while True:
            await relay.step()
            await asyncio.sleep(0.05)

    async with beside(work()):
        yield


@asynccontextmanager
async def beside(work: Any) -> AsyncIterator[None]:
    """A task that runs while the test does; what it dies of, the test dies of."""
    task: asyncio.Task[None] = asyncio.ensure_future(work)
    try:
        yield
        assert not task.done() or task.result() is None
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], Awaitable[Any]], what: str) -> Any:
    """The condition's first true answer."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found = await condition()
                if found:
                    return found
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited in vain until {what}") from None


async def stored_up_to_the_end(
    pipe: Pipe, connection: Connection, shard: str = UNIT, stream: str = "in"
) -> None:
    """Waits until the committed position has reached what is now the last entry of the stream."""
    last = await last_id(pipe, key_of(shard, stream))

    async def reached() -> bool:
        position = await connection.fetchval(
            "select position from reader_position where shard = $1 and stream = $2", shard, stream
        )
        if position is None or order(position) < order(last):
            return False
        # Ticks go on meanwhile; but a position beyond the stream's end has reached nothing.
        return order(position) <= order(await last_id(pipe, key_of(shard, stream)))

    await until(reached, f"{shard} {stream} is stored up to {last}")


async def last_id(pipe: Pipe, key: str) -> str:
    """The id of a stream's last entry."""
    newest = await pipe.call("XREVRANGE", key, "+", "-", "COUNT", 1)
    return newest[0][0].decode() if newest else START


async def shown(pipe: Pipe, bed: str, wanted: list[float], unit: str = UNIT) -> Board:
    """The small room's board once it shows these values of a bed."""

    async def now() -> Board | None:
        board = await read_board(pipe, unit)
        return board if board.cells.get(bed) == wire.encode(wanted) else None

    board = await until(now, f"the board shows {wanted[-3:]}")
    assert isinstance(board, Board)
    return board


async def went_out(pipe: Pipe, unit: str = UNIT) -> list[wire.Entry]:
    """Everything that was published in `out`, in order."""
    entries = await pipe.call("XRANGE", keys(unit).out, "-", "+")
    return [wire.decode(fields[1]) for _, fields in entries]


def revisions(entries: Sequence[wire.Entry]) -> list[int]:
    """The numbers of the board changes."""
    return [entry.rev for entry in entries if isinstance(entry, wire.Changed)]


async def carry(
    pipe: Pipe, writer: Database, superuser: Connection, *entries: wire.Entry, raw: bytes = b"raw"
) -> list[str]:
    """Appends the entries and has them stored; answers their ids."""
    ids = []
    if entries:
        ids = await Appender(pipe).append_many(UNIT, [(entry, raw) for entry in entries])
    async with storing(pipe.url, writer):
        await stored_up_to_the_end(pipe, superuser)
    return ids


async def one_by_one(
    pipe: Pipe, writer: Database, superuser: Connection, *entries: wire.Entry
) -> None:
    """The same in a batch of its own for each entry."""
    async with storing(pipe.url, writer):
        for entry in entries:
            await Appender(pipe).append(UNIT, entry, b"raw")
            await stored_up_to_the_end(pipe, superuser)


async def values(superuser: Connection) -> list[float]:
    """The stored numbers by event time."""
    rows = await superuser.fetch("select value from measurement order by determined_at, value")
    return [row["value"] for row in rows]


async def count(superuser: Connection, table: str) -> int:
    """Rows of a table."""
    tables = {
        "message": "select count(*) from message",
        "quarantine": "select count(*) from quarantine",
        "dead_letter": "select count(*) from dead_letter",
        "audit": "select count(*) from audit",
        "case_event": "select count(*) from case_event",
        "binding": "select count(*) from binding",
        "waveform": "select count(*) from waveform",
    }
    return int(await superuser.fetchval(tables[table]))
