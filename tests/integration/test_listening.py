"""Live curves: the owner listens, what it hears rings, a strange curve stops nothing."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from hospital_ops import wire
from hospital_ops.board import decode_bed
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.deciding import Listener
from hospital_ops.errors import Fenced
from hospital_ops.servers.valkey import Valkey
from streams import lease as leases
from streams.append import Appender
from streams.live import LiveReader
from streams.pipe import Pipe
from streams.publish import read_board, tell
from tests.integration.streams_help import BED, UNIT, beside, icu_room, observed, until, went_out


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


class Ear:
    """Hears a standstill in each curve named so, and cannot bear one named `strange`."""

    def __init__(self) -> None:
        self.told: list[wire.Entry] = []

    def take(self, wave: wire.Waved) -> None:
        if wave.code == "strange":
            raise ValueError("a curve that nobody understands")
        self.told.append(
            wire.Rhythm(UNIT, wave.bed, wave.started_at, wave.received_at, "Test", ("asystole",), 1)
        )

    def advance(self, now_us: int) -> Sequence[wire.Entry]:
        told, self.told = self.told, []
        return told


@asynccontextmanager
async def hearing(
    url: str, owner: str, make: Callable[[str], Listener | None]
) -> AsyncIterator[None]:
    reader = LiveReader(url, UNIT, owner, icu_room, SystemClock(), make)
    async with beside(reader.run()):
        yield
    await reader.pipe.close()


def curve(code: str, bed: str = BED) -> wire.Waved:
    now = SystemClock().now_us()
    return wire.Waved(
        UNIT, "device:m", "1", b"", now, "Test", code, "", now - SECOND // 2, 250.0, 0.005, 0.0,
        "mV", bytes(250), bed=bed,
    )  # fmt: skip


async def rings(pipe: Pipe, bed: str, *codes: str) -> list[str]:
    """Sends the curves again and again until an asystole stands on the board of the bed."""

    async def now() -> list[str]:
        for code in codes:
            await Appender(pipe).append(UNIT, curve(code, bed), stream="waves")
        cell = (await read_board(pipe, UNIT)).cells.get(bed)
        return [alarm.code for alarm in decode_bed(cell).alarms] if cell else []

    found: list[str] = await until(now, f"{bed} rings")
    return found


async def test_what_the_owner_hears_in_a_curve_rings_once(pipe: Pipe) -> None:
    async with hearing(pipe.url, "one", lambda _: Ear()):
        assert "asystole" in await rings(pipe, BED, "131330")
    async with hearing(pipe.url, "two", lambda _: Ear()):
        assert "asystole" in await rings(pipe, BED, "131330")
    told = [e for e in await went_out(pipe) if isinstance(e, wire.Alerted)]
    assert [e.state for e in told if e.rule == "asystole"] == ["active"]


async def test_a_curve_nobody_understands_stops_neither_values_nor_later_curves(pipe: Pipe) -> None:
    async with hearing(pipe.url, "one", lambda _: Ear()):
        await Appender(pipe).append(UNIT, curve("strange"), stream="waves")
        await Appender(pipe).append(UNIT, observed(80.0))

        async def value() -> bool:
            cell = (await read_board(pipe, UNIT)).cells.get(BED)
            return bool(cell and decode_bed(cell).values)

        await until(value, "the value is shown")
        await Appender(pipe).append(UNIT, curve("strange"), stream="waves")
        assert "asystole" in await rings(pipe, f"{UNIT}-02", "131330")


async def test_who_is_no_longer_the_owner_is_not_heard(pipe: Pipe) -> None:
    first = await leases.acquire(pipe, UNIT, "first")
    assert first is not None
    await leases.release(pipe, first)
    assert await leases.acquire(pipe, UNIT, "second") is not None
    with pytest.raises(Fenced):
        await tell(pipe, first, [wire.Tick(at=1)])
