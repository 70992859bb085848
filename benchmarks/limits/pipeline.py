"""The least a house can do: a stream read once for the boards and once for the archive.

Two programs, as the product has at least two. `live` unpacks the vitals, holds each against a
threshold and writes one frame per unit and reading to that unit's viewers; `store` puts rows into
two tables by binary COPY and moves its position with them.

Settings: role (live, store), redis, port, units (count), database (URL). Answers what it saw.
"""

from __future__ import annotations

import asyncio
import io
import struct
from typing import Any, Final, cast

import asyncpg

from benchmarks.clients.beds import PIECE, VITALS
from benchmarks.limits.raw import Raw, pack
from benchmarks.program import answer, main, ready, told

COALESCE_S: Final = 0.005
STORE_S: Final = 0.25
BEDS: Final = 50  # of a unit
EPOCH_US: Final = 946_684_800_000_000  # PostgreSQL's
TABLES: Final = """
drop table if exists num, wave, pos;
create table num(bed int4, code int2, ts timestamptz, value float8);
create index on num using brin(ts);
create table wave(bed int4, ts timestamptz, d bytea);
alter table wave alter d set storage external;
create index on wave using brin(ts);
create table pos(stream text primary key, id text)
"""
HEAD: Final = b"PGCOPY\n\xff\r\n\0" + b"\0" * 8
NUMBER: Final = struct.Struct(">hiiihiqid")
WAVE: Final = struct.Struct(">hiiiqi")


class _Viewers:
    """The boards of each unit; a screen asks for `/UNIT`."""

    def __init__(self, units: int) -> None:
        self.of: list[list[asyncio.Transport]] = [[] for _ in range(units)]


class _Viewer(asyncio.Protocol):
    """One screen."""

    def __init__(self, viewers: _Viewers) -> None:
        self.viewers = viewers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """The request."""
        self.transport.write(b"HTTP/1.1 101 x\r\n\r\n")
        self.viewers.of[int(data.split(b" ", 2)[1][1:])].append(self.transport)


def frame(payload: bytes) -> bytes:
    """A binary WebSocket frame."""
    size = len(payload)
    if size < 126:
        return b"\x82" + bytes([size]) + payload
    if size < 65536:
        return b"\x82\x7e" + size.to_bytes(2, "big") + payload
    return b"\x82\x7f" + size.to_bytes(8, "big") + payload


async def live(given: dict[str, Any], seen: dict[str, int]) -> None:
    """Reads both streams and shows the vitals."""
    viewers = _Viewers(given["units"])
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: _Viewer(viewers), "127.0.0.1", given["port"])
    raw = await Raw.open(given["redis"])
    positions = {b"v": b"0", b"w": b"0"}
    ready()
    while True:
        count = pack(
            b"XREAD", b"COUNT", 512, b"BLOCK", 1000, b"STREAMS", *positions, *positions.values()
        )
        (reply,) = await raw.ask(count, 1)
        shown: list[list[bytes]] = [[] for _ in viewers.of]
        for name, entries in reply or ():
            positions[name] = entries[-1][0]
            seen["live"] += len(entries)
            if name == b"v":
                for _, fields in entries:
                    values = VITALS.unpack(fields[1])
                    seen["alarms"] += values[2] > 130 or values[3] < 75
                    shown[(values[0] - 1) // BEDS].append(fields[1])
        for payloads, transports in zip(shown, viewers.of, strict=True):
            if payloads:
                data = frame(b"".join(payloads))
                for transport in transports:
                    transport.write(data)
        await asyncio.sleep(COALESCE_S)


async def store(given: dict[str, Any], seen: dict[str, int]) -> None:
    """Reads both streams and keeps them, position and rows in one transaction."""
    database = await asyncpg.connect(given["database"])
    await database.execute(TABLES)
    raw = await Raw.open(given["redis"])
    positions = {b"v": b"0", b"w": b"0"}
    ready()
    while True:
        ask = pack(b"XREAD", b"COUNT", 5000, b"STREAMS", *positions, *positions.values())
        (reply,) = await raw.ask(ask, 1)
        numbers, pieces = [], []
        for name, entries in reply or ():
            positions[name] = entries[-1][0]
            seen["stored"] += len(entries)
            for _, fields in entries:
                data = fields[1]
                if name == b"v":
                    bed, at, *values = VITALS.unpack(data)
                    at -= EPOCH_US
                    numbers += [
                        NUMBER.pack(4, 4, bed, 2, code, 8, at, 8, value)
                        for code, value in enumerate(values)
                    ]
                else:
                    bed, at, _, _ = PIECE.unpack_from(data)
                    pieces.append(WAVE.pack(3, 4, bed, 8, at - EPOCH_US, len(data)) + data)
        if reply:
            async with database.transaction():
                await _copy(database, "num", numbers)
                await _copy(database, "wave", pieces)
                await database.executemany(
                    "insert into pos values ($1, $2) on conflict (stream) do update set id = $2",
                    [(name.decode(), position.decode()) for name, position in positions.items()],
                )
            seen["rows"] += len(numbers)
        await asyncio.sleep(STORE_S)


async def _copy(database: Any, table: str, rows: list[bytes]) -> None:
    if rows:
        source = io.BytesIO(HEAD + b"".join(rows) + b"\xff\xff")
        await database.copy_to_table(table, source=source, format="binary")


async def run(given: dict[str, Any]) -> None:
    """One role until told to end."""
    seen = {"live": 0, "alarms": 0, "stored": 0, "rows": 0}
    role = live if given["role"] == "live" else store
    task = asyncio.create_task(role(given, seen))
    await asyncio.wait([task, asyncio.create_task(told())], return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        task.result()
    task.cancel()
    answer(**seen)


if __name__ == "__main__":
    main(run)
