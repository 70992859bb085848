"""bench ingest: append, read, a tablet's batch, a long backlog beside live beds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from typing import Any, Final

import uvloop

from benchmarks import backlog, tablet
from benchmarks.limits import raw
from benchmarks.messages import event
from benchmarks.stage import stage
from hospital_ops import wire
from hospital_ops.deciding import Stamped
from streams.append import Appender
from streams.pipe import Pipe, read_streams
from streams.shard import at_us, keys

BATCH: Final = 256
SHARD: Final = "h1-icu-1"
READ: Final = 512  # entries a read, as the live reader takes them
Row = dict[str, Any]


def streams(*, quick: bool = False) -> list[Row]:
    """The rows of append and read."""
    return uvloop.run(_streams(quick=quick))


PARTS: Final = (streams, tablet.rows, backlog.rows)


def rows(*, quick: bool = False) -> list[Row]:
    """Every row of bench `ingest`."""
    return [row for part in PARTS for row in part(quick=quick)]


async def _streams(*, quick: bool) -> list[Row]:
    async with stage(postgres=False) as on:
        pipe, least = Pipe(on.redis_url), await raw.Raw.open(on.redis_url)
        try:
            return [
                await _append(pipe, least, "ingest.append_120", 120, quick=quick),
                await _append(pipe, least, "ingest.append_500", 500, quick=quick),
                await _read(pipe, least, quick=quick),
            ]
        finally:
            least.transport.close()
            await pipe.close()


async def _append(pipe: Pipe, least: raw.Raw, name: str, size: int, *, quick: bool) -> Row:
    """Events a second, ours and the limit in turn; the stream is emptied between rounds."""
    appender, stream = Appender(pipe), keys(SHARD).incoming
    events = [event(size, number) for number in range(BATCH * (20 if quick else 60))]
    payloads = [wire.encode(one) for one in events]
    batches = [
        [(one, b"") for one in events[start : start + BATCH]]
        for start in range(0, len(events), BATCH)
    ]

    async def ours() -> None:
        for batch in batches:
            await appender.append_many(SHARD, batch)

    async def theirs() -> None:
        await raw.append(least, stream.encode(), payloads, BATCH)

    async def empty() -> None:
        length = await pipe.call("XLEN", stream)
        assert length == len(events), "the ledger: each round appends every event once"
        await pipe.call("DEL", stream)

    value, limit = await rates(ours, theirs, len(events), 3 if quick else 9, empty)
    sizes = f"{len(payloads[0])} B an entry, encoded within the measurement"
    return {"id": name, "value": value, "limit": limit, "n": len(events), "note": sizes}


async def _read(pipe: Pipe, least: raw.Raw, *, quick: bool) -> Row:
    count = 256 * (40 if quick else 160)
    found = {size: await _read_of(pipe, least, size, count, quick=quick) for size in (120, 500)}
    value, limit = found[120]
    other = found[500]
    note = (
        f"120 B events; with 500 B (8 values) {other[0]:,.0f} of {other[1]:,.0f}"
        f" = {other[0] / other[1]:.2f}"
    )
    return {"id": "ingest.read", "value": value, "limit": limit, "n": count, "note": note}


async def _read_of(
    pipe: Pipe, least: raw.Raw, size: int, count: int, *, quick: bool
) -> tuple[float, float]:
    stream = keys(SHARD).incoming
    payloads = [wire.encode(event(size, number)) for number in range(count)]
    await raw.append(least, stream.encode(), payloads, BATCH)

    async def ours() -> None:
        position, seen = "0-0", 0
        while True:
            entries = await read_streams(pipe, {stream: position}, count=READ, block_ms=None)
            new = entries.get(stream)
            if not new:
                break
            understood = [Stamped(at_us(name), wire.decode(fields[1])) for name, fields in new]
            position, seen = new[-1][0], seen + len(understood)
        assert seen == count

    async def theirs() -> None:
        assert await raw.read(least, stream.encode(), READ) == count

    async def nothing() -> None:
        return

    found = await rates(ours, theirs, count, 3 if quick else 9, nothing)
    await pipe.call("DEL", stream)
    return found


async def rates(
    ours: Callable[[], Awaitable[None]],
    theirs: Callable[[], Awaitable[None]],
    count: int,
    rounds: int,
    between: Callable[[], Awaitable[None]],
) -> tuple[float, float]:
    """Medians a second of both, in turn, after one round of each that is not counted."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for work, taken in zip((ours, theirs), times, strict=True):
            begun = perf_counter()
            await work()
            if number:
                taken.append(perf_counter() - begun)
            await between()
    return count / median(times[0]), count / median(times[1])


if __name__ == "__main__":
    for row in uvloop.run(_streams(quick=True)):
        print(row)
