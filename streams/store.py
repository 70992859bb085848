"""The store reader: carries `in`, `waves` and `out` of its shards into PostgreSQL, exactly once.

Rows and positions are committed in one transaction, fenced by a lease in the same database; after
a crash it begins again at the committed position. Streams are trimmed only behind both readers.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from datetime import timedelta

from hospital_ops import log, wire
from hospital_ops.clock import SECOND, Clock, to_datetime
from hospital_ops.database import (
    Connection,
    Database,
    DatabaseGone,
    SerializationConflict,
)
from hospital_ops.errors import Fenced
from streams import archive
from streams.heard import Hearing
from streams.known import store as known_by
from streams.known.knowledge import Known
from streams.pipe import Pipe, Portion, ReplyError
from streams.publish import snapshot_position
from streams.rows import Taken
from streams.shard import START, hospital_of, keys, order

BATCH = 4000  # entries a transaction: bounds its time and the memory of a batch
PAUSE_S = 0.25  # between batches while little comes in: one commit carries a quarter second
LEASE_S = 3.0  # renewed with every batch, at least each `PAUSE_S`; a successor goes on after it
RETRY_S = 0.5
TRIM_S = 5.0
OUT_KEPT_US = 120 * SECOND  # boards resume by `rev` for 60 s
STREAMS = ("in", "waves", "out")

Positions = dict[tuple[str, str], str]  # the last entry, by shard and stream

logger = log.get("store")


class StoreReader:
    """Carries the shards whose lease it holds; several may run, each shard has one."""

    def __init__(
        self, url: str, database: Database, shards: Sequence[str], holder: str, clock: Clock
    ) -> None:
        self.pipe, self.database, self.clock = Pipe(url), database, clock
        self.shards, self.holder = list(shards), holder
        self.epochs: dict[str, int] = {}
        self.positions: Positions = {}
        self.known = Known()
        self.portions: dict[tuple[str, str], Portion] = {}
        self.behind = False  # a stream gave all that was asked for: more waits
        self.trimmed_at = self.asked_at = -math.inf
        self.carried = 0  # entries since the start, for metrics
        self.hearing = Hearing()

    async def run(self) -> None:
        """Takes leases, carries, trims; begins anew from the committed positions after a fault."""
        while True:
            try:
                await self._take_leases()
                moved = await self.step() if self.epochs else 0
                await self._trim()
                if not (moved and self.behind):
                    await asyncio.sleep(PAUSE_S)
            except (Fenced, DatabaseGone, *SerializationConflict, ReplyError, OSError) as error:
                logger.warning("begins_anew", error=type(error).__name__)
                self.epochs.clear()
                self.known.clear()
                await asyncio.sleep(RETRY_S)

    async def step(self) -> int:
        """Carries one batch of all its shards in one transaction; answers how many entries."""
        entries = await self._read()
        if not entries:
            await self._renew_alone()
            return 0
        positions = {(taken.shard, taken.stream): taken.entry_id for taken in entries}
        try:
            await self._store(entries, positions, archive.carry_new)
        except archive.UNUSABLE:  # something has come before, or cannot be stored: once more
            await self._store(entries, positions, archive.carry)
        self.positions.update(positions)
        self.carried += len(entries)
        self.hearing.take(entries)
        return len(entries)

    async def _store(self, entries: list[Taken], positions: Positions, carry: archive.Way) -> None:
        async with self.database.transaction() as connection:
            await self._fence(connection, positions)
            now = to_datetime(self.clock.now_us())
            await carry(connection, entries, self.known, now)

    async def _read(self) -> list[Taken]:
        wanted = [(shard, stream) for shard in self.epochs for stream in STREAMS]
        share = max(1, BATCH // max(1, len(self.epochs)))
        for key in wanted:
            self.portions.setdefault(key, Portion(share)).most = share
        replies = await self.pipe.calls(
            (
                "XREAD",
                "COUNT",
                self.portions[shard, stream].count,
                "STREAMS",
                key_of(shard, stream),
                self._position(shard, stream),
            )
            for shard, stream in wanted
        )
        entries: list[Taken] = []
        self.behind = False
        for (shard, stream), reply in zip(wanted, replies, strict=True):
            if isinstance(reply, ReplyError):
                raise reply
            read = reply[0][1] if reply else []
            self.behind |= self.portions[shard, stream].learn(read)
            for entry_id, fields in read:
                entries.append(_taken(shard, stream, entry_id.decode(), fields))
        return entries

    def _position(self, shard: str, stream: str) -> str:
        return self.positions.get((shard, stream), START)

    async def _take_leases(self) -> None:
        """Asks for the shards that are not ours yet: free ones, and what we held before a fault.

        Each begins at its committed position; those that we hold go on beside.
        """
        missing = [shard for shard in self.shards if shard not in self.epochs]
        now = self.clock.monotonic_s()
        if not missing or now - self.asked_at < RETRY_S:
            return
        self.asked_at = now
        async with self.database.transaction() as connection:
            rows = await connection.fetch(
                "insert into lease as held (name, holder, epoch, expires_at)"
                " select 'store:' || shard, $2, 1, now() + $3 from unnest($1::text[]) as w (shard)"
                " on conflict (name) do update set holder = excluded.holder,"
                " epoch = held.epoch + 1, expires_at = excluded.expires_at"
                " where held.expires_at < now() or held.holder = excluded.holder"
                " returning name, epoch",
                missing,
                self.holder,
                timedelta(seconds=LEASE_S),
            )
            epochs = {row["name"].removeprefix("store:"): row["epoch"] for row in rows}
            stored = await connection.fetch(
                "select shard, stream, position from reader_position"
                " where shard = any ($1::text[])",
                list(epochs),
            )
            known = await known_by.load(connection, list(epochs))
        positions = {(row["shard"], row["stream"]): row["position"] for row in stored}
        await self._check_positions(positions)
        for shard in epochs:
            for stream in STREAMS:
                self.positions[shard, stream] = positions.get((shard, stream), START)
        self.known.update(known)
        self.epochs.update(epochs)
        if epochs:
            logger.info("owner", shards=",".join(sorted(epochs)))

    async def _check_positions(self, positions: Positions) -> None:
        """A position beyond the stream's last id is an incident: re-read from the start."""
        for (shard, stream), position in list(positions.items()):
            last = await self.pipe.call("XREVRANGE", key_of(shard, stream), "+", "-", "COUNT", 1)
            if order(position) > order(last[0][0].decode() if last else START):
                logger.error("position_beyond_stream", shard=shard, stream=stream)
                positions[shard, stream] = START

    async def _fence(self, connection: Connection, positions: Positions) -> None:
        """Renews the leases and moves the positions on, in one question; Fenced without all leases.

        The leases stay locked until the transaction ends: nobody can take over before.
        """
        moved = [
            (shard, stream, hospital_of(shard), position, self.epochs[shard])
            for (shard, stream), position in positions.items()
        ]
        held = await connection.fetchval(
            "with held as (update lease set expires_at = now() + $4"
            " from unnest($1::text[], $2::bigint[]) as mine (name, epoch)"
            " where lease.name = mine.name and lease.epoch = mine.epoch and lease.holder = $3"
            " returning lease.name),"
            " moved as (insert into reader_position (shard, stream, hospital_id, position, epoch)"
            " select * from unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[])"
            " where (select count(*) from held) = cardinality($1)"
            " on conflict (shard, stream) do update"
            " set position = excluded.position, epoch = excluded.epoch, moved_at = now())"
            " select count(*) from held",
            [f"store:{shard}" for shard in self.epochs],
            list(self.epochs.values()),
            self.holder,
            timedelta(seconds=LEASE_S),
            *([row[column] for row in moved] for column in range(5)),
        )
        if held != len(self.epochs):
            raise Fenced("another store reader has taken a shard over")

    async def _renew_alone(self) -> None:
        async with self.database.transaction() as connection:
            await self._fence(connection, {})

    async def _trim(self) -> None:
        """Trims each stream behind both readers, never ahead of the slower one."""
        now = self.clock.monotonic_s()
        if now - self.trimmed_at < TRIM_S:
            return
        self.trimmed_at = now
        for shard in self.epochs:
            live = await snapshot_position(self.pipe, shard)
            recent = f"{(self.clock.now_us() - OUT_KEPT_US) // 1000}-0"
            behind = {"in": live, "waves": recent, "out": recent}
            await self.pipe.calls(
                (
                    "XTRIM",
                    key_of(shard, stream),
                    "MINID",
                    "~",
                    min(limit, self._position(shard, stream), key=order),
                )
                for stream, limit in behind.items()
            )


def key_of(shard: str, stream: str) -> str:
    """The Redis key of one of a shard's streams."""
    k = keys(shard)
    return {"in": k.incoming, "waves": k.waves, "out": k.out}[stream]


def _taken(shard: str, stream: str, entry_id: str, fields: list[bytes]) -> Taken:
    if fields[0] == b"d":  # as `append` writes it: the entry, then the raw bytes if there are any
        encoded, raw = fields[1], fields[3] if len(fields) > 2 else b""
    else:
        named = dict(zip(fields[::2], fields[1::2], strict=True))
        encoded, raw = named.get(b"d", b""), named.get(b"r", b"")
    try:
        entry: wire.Entry | None = wire.decode(encoded)
    except wire.DecodeError:
        entry = None
    return Taken(shard, stream, entry_id, encoded, raw, entry)
