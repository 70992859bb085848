"""bench archive: numerics and waveform pieces persisted by the real store reader.

The limit is the same rows of all tables of the transaction, prebuilt as binary COPY, into the same
schema: they are what the store reader itself has stored, read back by COPY TO.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from statistics import median
from time import perf_counter
from typing import Any, Final

import uvloop

from benchmarks import curves
from benchmarks.messages import numerics, waves
from benchmarks.stage import Stage, bed_of, furnish, stage
from hospital_ops import database, wire
from hospital_ops.clock import SystemClock
from hospital_ops.database import Connection
from streams.append import Appender
from streams.pipe import Pipe
from streams.shard import keys
from streams.store import StoreReader

BEDS: Final = 50
BATCH: Final = 1000  # messages of ten values
MESSAGES: Final = 400  # of five curves each
TABLES: Final = ("identity", "message", "measurement", "waveform")
COUNT: Final = {
    "measurement": "select count(*) from measurement",
    "waveform": "select count(*) from waveform",
}
EMPTY: Final = "truncate identity, message, measurement, waveform, reader_position"
COPY_OUT: Final = {
    "identity": "select * from identity",
    "message": "select * from message",
    "measurement": "select * from measurement",
    "waveform": "select * from waveform",
}
Row = dict[str, Any]


def rows(*, quick: bool = False) -> list[Row]:
    """The rows of bench `archive` that are measured so far."""
    return uvloop.run(_rows(quick=quick))


async def _rows(*, quick: bool) -> list[Row]:
    rounds = 3 if quick else 9
    async with stage() as on:
        (unit,) = await furnish(on, beds=BEDS)
        return [
            await _archived(on, unit, "archive.numerics", "measurement", rounds),
            await _archived(on, unit, "archive.waves", "waveform", rounds),
            curves.size(quick=quick),
            *await curves.read_back(
                on, unit, rounds=3 if quick else 15, span_s=3600 if quick else curves.DAY_S
            ),
        ]


async def _archived(on: Stage, unit: str, name: str, table: str, rounds: int) -> Row:
    clock = SystemClock()
    writer = await database.connect(on.database_url, "writer", name="bench")
    pipe = Pipe(on.redis_url)
    reader = StoreReader(on.redis_url, writer, [unit], "bench", clock)
    await reader._take_leases()
    rates: tuple[list[float], list[float]] = ([], [])
    count = 0
    async with database.single(on.database_url, name="bench") as connection:
        messages, each = (BATCH, 10) if table == "measurement" else (MESSAGES, 5)
        expected = messages * each
        for number in range(rounds + 1):
            await connection.execute(EMPTY)
            await _append(Appender(pipe), unit, table, messages, number, clock.now_us())
            begun, moved = perf_counter(), 0
            while moved < messages:
                moved += await reader.step()  # one batch, once it knows how large they are
            ours = perf_counter() - begun
            count = await connection.fetchval(COUNT[table])
            assert count == expected, f"the ledger: {count} rows of {expected}"
            prebuilt = await _prebuilt(connection)
            await connection.execute(EMPTY)
            theirs = await _copy(connection, prebuilt)
            assert count == await connection.fetchval(COUNT[table])
            if number:
                rates[0].append(count / ours)
                rates[1].append(count / theirs)
    await pipe.call("DEL", *key_names(unit))
    await pipe.close()
    await reader.pipe.close()
    await writer.close()
    note = "read from Redis, decoded, stored with position and identities in one transaction"
    n = count * rounds
    return {"id": name, "value": median(rates[0]), "limit": median(rates[1]), "n": n, "note": note}


async def _append(
    appender: Appender, unit: str, table: str, messages: int, number: int, at: int
) -> None:
    """One batch as the gateways append it, with its raw bytes beside."""
    for start in range(0, messages, 200):
        items: list[tuple[wire.Entry, bytes]] = []
        for index in range(start, start + 200):
            bed = bed_of(unit, 1 + index % BEDS)
            moment = at + number * 10_000_000 + index * 1000
            if table == "measurement":
                items.append((numerics(unit, bed, moment, index), b"x" * 1200))
            else:
                items += [(one, b"") for one in wire.together(waves(unit, bed, moment, index))]
        stream = "in" if table == "measurement" else "waves"
        await appender.append_many(unit, items, stream)


def key_names(unit: str) -> tuple[str, str]:
    """The streams that a round fills."""
    return keys(unit).incoming, keys(unit).waves


async def _prebuilt(connection: Connection) -> list[tuple[str, bytes]]:
    """What was just stored, as binary COPY of each table that got rows."""
    found = []
    for table in TABLES:
        target = io.BytesIO()
        await connection.copy_from_query(COPY_OUT[table], output=target, format="binary")
        found.append((table, target.getvalue()))
    return [(table, data) for table, data in found if len(data) > 32]


async def _copy(connection: Connection, prebuilt: Sequence[tuple[str, bytes]]) -> float:
    """Seconds that one transaction with the same rows takes."""
    begun = perf_counter()
    async with connection.transaction():
        for table, data in prebuilt:
            await connection.copy_to_table(table, source=io.BytesIO(data), format="binary")
    return perf_counter() - begun


if __name__ == "__main__":
    print(rows(quick=True))
