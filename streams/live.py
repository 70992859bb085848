"""The live reader: one owner walks a unit's stream, decides, and publishes with its position.

It needs Redis alone. A successor loads the last snapshot, re-reads from there with its outputs
suppressed up to the published position, shows what differs, and goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hospital_ops import log, wire
from hospital_ops.clock import Clock
from hospital_ops.deciding import Decider, Decisions, Stamped
from hospital_ops.errors import Fenced, NotStored
from streams import lease as leases
from streams.append import Appender
from streams.lease import Lease
from streams.pipe import Pipe, ReplyError, read_streams
from streams.publish import Board, load_snapshot, publish, read_board, save_snapshot
from streams.shard import at_us, keys, order

BATCH = 512  # entries decided at once: bounds the time to the first change
SHOW_AGAIN_S = 0.5  # further changes of a bed at most twice a second
SNAPSHOT_S = 1.0
TICK_S = 1.0
RENEW_S = 0.5
RETRY_S = 0.5

MakeDecider = Callable[[str, bytes], Decider]  # unit and snapshot (empty: a new unit)

logger = log.get("live")


class LiveReader:
    """Walks one shard for as long as its lease holds, and waits for the lease otherwise."""

    def __init__(self, url: str, shard: str, owner: str, make: MakeDecider, clock: Clock) -> None:
        self.shard, self.owner, self.make, self.clock = shard, owner, make, clock
        self.pipe = Pipe(url)  # publishes, ticks, renews
        self.reading = Pipe(url)  # blocks in XREAD
        self.appender = Appender(self.pipe)

    async def run(self) -> None:
        """Takes the lease whenever it is free and works until it is lost; ends by cancellation."""
        while True:
            try:
                lease = await leases.acquire(self.pipe, self.shard, self.owner)
                if lease is not None:
                    await self._own(lease)
            except* Fenced:
                logger.warning("fenced", shard=self.shard)
            except* (NotStored, ReplyError, OSError) as errors:
                logger.warning("redis_away", shard=self.shard, error=str(errors.exceptions[0]))
            await asyncio.sleep(RETRY_S)

    async def _own(self, lease: Lease) -> None:
        logger.info("owner", shard=self.shard, epoch=lease.epoch)
        try:
            await _Walk(self, lease).run()
        finally:
            await self._give_back(lease)

    async def _give_back(self, lease: Lease) -> None:
        try:
            await asyncio.shield(leases.release(self.pipe, lease))
        except (ReplyError, OSError):
            return  # it ends by itself


class _Walk:
    """One owner's walk, from its snapshot to the loss of the lease."""

    def __init__(self, reader: LiveReader, lease: Lease) -> None:
        self.reader, self.lease = reader, lease
        self.stream = keys(reader.shard).incoming
        self.dirty: set[str] = set()
        self.outputs: list[wire.Entry] = []
        self.shown_at: dict[str, float] = {}
        self.saved_at = 0.0

    async def run(self) -> None:
        """Catches up with the published position, then decides and publishes."""
        reader = self.reader
        self.position, state = await load_snapshot(reader.pipe, reader.shard)
        self.decider = reader.make(reader.shard, state)
        self.board = await read_board(reader.pipe, reader.shard)
        await self._check_position()
        await self._catch_up()
        await self._show_differences()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._renew())
            tasks.create_task(self._tick())
            tasks.create_task(self._follow())

    async def _check_position(self) -> None:
        """A position beyond the stream's last id is an incident: re-read from the start."""
        last = await self.reader.pipe.call("XREVRANGE", self.stream, "+", "-", "COUNT", 1)
        end = last[0][0].decode() if last else "0-0"
        if order(self.position) > order(end) or order(self.board.position) > order(end):
            logger.error("position_beyond_stream", shard=self.reader.shard)
            self.position, self.board.position = "0-0", "0-0"
            self.decider = self.reader.make(self.reader.shard, b"")

    async def _catch_up(self) -> None:
        """Re-reads what a predecessor has told the ward already: no output."""
        while order(self.position) < order(self.board.position):
            entries = await read_streams(
                self.reader.pipe, {self.stream: self.position}, count=BATCH, block_ms=None
            )
            known = [
                (entry_id, fields)
                for entry_id, fields in entries.get(self.stream, [])
                if order(entry_id) <= order(self.board.position)
            ]
            if not known:
                break
            self.decider.decide(self._understood(known))
            self.position = known[-1][0]

    async def _show_differences(self) -> None:
        names = set(self.decider.names())
        self.dirty = {name for name in names if self._differs(name)}
        self.dirty |= {name for name in self.board.cells if name not in names}
        await self._publish(self.dirty)

    def _differs(self, name: str) -> bool:
        return self.decider.cell(name) != self.board.cells.get(name)

    async def _follow(self) -> None:
        while True:
            block_s = SHOW_AGAIN_S if self.dirty else TICK_S
            entries = await read_streams(
                self.reader.reading,
                {self.stream: self.position},
                count=BATCH,
                block_ms=max(1, round(block_s * 1000)),
            )
            new = entries.get(self.stream, [])
            decisions = Decisions()
            if new:
                decisions = self.decider.decide(self._understood(new))
                self.position = new[-1][0]
            self.dirty |= decisions.dirty
            self.outputs += decisions.outputs
            await self._publish(self._due(decisions.urgent))
            await self._snapshot()

    def _due(self, urgent: bool) -> set[str]:
        """The first change of a cell at once, further ones at most twice a second."""
        if urgent:
            return self.dirty
        now = self.reader.clock.monotonic_s()
        return {n for n in self.dirty if now - self.shown_at.get(n, 0.0) >= SHOW_AGAIN_S}

    def _understood(self, entries: list[tuple[str, list[bytes]]]) -> list[Stamped]:
        """Decoded entries; a broken one is passed over here and kept by the store reader."""
        stamped = []
        for entry_id, fields in entries:
            try:
                stamped.append(Stamped(at_us(entry_id), wire.decode(fields[1])))
            except wire.DecodeError:
                logger.error("undecodable", shard=self.reader.shard, entry=entry_id)
        return stamped

    async def _publish(self, due: set[str]) -> None:
        if not due and not self.outputs:
            return
        cells: dict[str, bytes] = {}
        removed: list[str] = []
        for name in due:
            cell = self.decider.cell(name)
            if cell is None:
                removed.append(name)
            elif cell != self.board.cells.get(name):
                cells[name] = cell
        outputs = list(self.outputs)
        rev = self.board.rev
        if cells or removed:
            rev += 1
            now = self.reader.clock.now_us()
            outputs.append(wire.Changed(rev=rev, at=now, cells=cells, removed=tuple(removed)))
        await publish(
            self.reader.pipe,
            self.lease,
            position=self.position,
            rev=rev,
            outputs=outputs,
            cells=cells,
            removed=removed,
        )
        self._shown(rev, cells, removed, due)

    def _shown(self, rev: int, cells: dict[str, bytes], removed: list[str], due: set[str]) -> None:
        self.outputs.clear()
        now = self.reader.clock.monotonic_s()
        self.board = Board(rev, position=self.position, cells=self.board.cells)
        self.board.cells.update(cells)
        for name in removed:
            self.board.cells.pop(name, None)
            self.shown_at.pop(name, None)
        for name in cells:
            self.shown_at[name] = now
        self.dirty = self.dirty - due

    async def _snapshot(self) -> None:
        """Once a second, and never ahead of what is published."""
        now = self.reader.clock.monotonic_s()
        if now - self.saved_at < SNAPSHOT_S or self.dirty or self.outputs:
            return
        self.saved_at = now
        await save_snapshot(self.reader.pipe, self.lease, self.position, self.decider.dump())

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            if not await leases.renew(self.reader.pipe, self.lease):
                raise Fenced("the lease has passed on")

    async def _tick(self) -> None:
        while True:
            await self.reader.appender.append(
                self.reader.shard, wire.Tick(at=self.reader.clock.now_us())
            )
            await asyncio.sleep(TICK_S)
