"""The live reader: one owner walks a unit's stream, decides, and publishes with its position.

It needs Redis alone. A successor loads the last snapshot, re-reads from there with its outputs
suppressed up to the published position, shows what differs, and goes on.

Where the rules of a room fail on an entry, or do not come to its end, the walk begins anew from the
snapshot; the entry is passed over, kept as a dead letter, and the rest goes on (streams/trying.py).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from itertools import count
from zlib import crc32

from hospital_ops import log, wire
from hospital_ops.clock import Clock
from hospital_ops.deciding import Decider, Decisions
from hospital_ops.errors import Fenced, NotStored
from hospital_ops.together import together
from streams import lease as leases
from streams.append import Appender
from streams.lease import Lease
from streams.listening import MakeListener, listen
from streams.pipe import Pipe, Portion, ReplyError, read_streams
from streams.publish import Board, load_snapshot, pass_on, publish, read_board, save_snapshot, tick
from streams.shard import START, keys, order
from streams.showing import AGAIN_S, Showing
from streams.trying import PATIENCE_S, RENEW_S, Trying, Undecidable

BATCH = 512  # entries decided at once: bounds the time to the first change
SNAPSHOT_S = 1.0
TICK_S = 1.0
MEMORY_TICKS = 5  # so often the memory in use is asked for
RETRY_S = 0.5
WHOLE_EVERY = 32  # the whole board goes out after so many changes of each of its cells

MakeDecider = Callable[[str, bytes], Decider]  # unit and snapshot (empty: a new unit)

logger = log.get("live")


class LiveReader:
    """Walks one shard for as long as its lease holds, and waits for the lease otherwise."""

    def __init__(
        self,
        url: str,
        shard: str,
        owner: str,
        make: MakeDecider,
        clock: Clock,
        hears: MakeListener = lambda _: None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.shard, self.owner, self.make, self.clock = shard, owner, make, clock
        self.url, self.hears = url, hears
        self.pipe = Pipe(url)  # publishes, ticks, renews
        self.reading = Pipe(url)  # blocks in XREAD
        self.appender = Appender(self.pipe)
        self.trying = Trying(self.appender, shard, patience_s)

    async def run(self) -> None:
        """Takes the lease whenever it is free and works until it is lost; ends by cancellation."""
        while True:
            try:
                lease = await leases.acquire(self.pipe, self.shard, self.owner)
                if lease is not None:
                    await self._own(lease)
            except Fenced:
                logger.warning("fenced", shard=self.shard)
            except Undecidable:
                logger.warning("begins_anew", shard=self.shard)
            except (NotStored, ReplyError, OSError) as error:
                logger.warning("redis_away", shard=self.shard, error=str(error))
            await asyncio.sleep(RETRY_S)

    async def _own(self, lease: Lease) -> None:
        logger.info("owner", shard=self.shard, epoch=lease.epoch)
        try:
            await _Walk(self, lease).run()
        finally:
            await self.reading.close()  # an answer that is still to come belongs to this walk
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
        self.elsewhere: list[tuple[str, wire.Entry]] = []
        self.showing = Showing()
        # Units do neither all at once: each has its own moment within the second.
        self.phase_s = crc32(reader.shard.encode()) / 2**32 * TICK_S
        self.saved_at = reader.clock.monotonic_s() - self.phase_s
        self.portion = Portion(BATCH)
        self.since_whole = math.inf  # cells that changed since the whole board went out

    async def run(self) -> None:
        """Holds the lease, and walks."""
        await together(self._renew(), self._walk())

    async def _walk(self) -> None:
        """Catches up with the published position, then decides and publishes."""
        reader = self.reader
        self.position, state = await load_snapshot(reader.pipe, reader.shard)
        self.decider = reader.make(reader.shard, state)
        self.board = await read_board(reader.pipe, reader.shard)
        await self._check_position()
        await self._catch_up()
        await self._show_differences()
        await together(self._tick(), self._follow(), self._listen())

    async def _check_position(self) -> None:
        """A position beyond the stream's last id is an incident: re-read from the start."""
        last = await self.reader.pipe.call("XREVRANGE", self.stream, "+", "-", "COUNT", 1)
        end = last[0][0].decode() if last else START
        if order(self.position) > order(end) or order(self.board.position) > order(end):
            logger.error("position_beyond_stream", shard=self.reader.shard)
            self.position, self.board.position = START, START
            self.decider = self.reader.make(self.reader.shard, b"")

    async def _catch_up(self) -> None:
        """Re-reads what a predecessor has told the ward already: no output."""
        while order(self.position) < order(self.board.position):
            entries = await read_streams(
                self.reader.pipe,
                {self.stream: self.position},
                count=self.portion.count,
                block_ms=None,
            )
            read = entries.get(self.stream, [])
            self.portion.learn(read)
            known = [item for item in read if order(item[0]) <= order(self.board.position)]
            if not known:
                break
            _, self.position = await self.reader.trying.decide(self.lease, self.decider, known)

    async def _show_differences(self) -> None:
        names = set(self.decider.names())
        self.dirty = {name for name in names if self._differs(name)}
        self.dirty |= {name for name in self.board.cells if name not in names}
        await self._publish(self.dirty)

    def _differs(self, name: str) -> bool:
        return self.decider.cell(name) != self.board.cells.get(name)

    async def _follow(self) -> None:
        while True:
            block_s = AGAIN_S if self.dirty else TICK_S
            entries = await read_streams(
                self.reader.reading,
                {self.stream: self.position},
                count=self.portion.count,
                block_ms=max(1, round(block_s * 1000)),
            )
            new = entries.get(self.stream, [])
            self.portion.learn(new)
            decisions = Decisions()
            if new:
                trying = self.reader.trying
                decisions, self.position = await trying.decide(self.lease, self.decider, new)
            self.dirty |= decisions.dirty
            self.outputs += decisions.outputs
            self.elsewhere += decisions.elsewhere
            await self._publish(self._due(decisions.urgent))
            await self._snapshot()

    def _due(self, urgent: bool) -> set[str]:
        if urgent:
            return self.dirty
        return self.showing.due(self.dirty, self.reader.clock.monotonic_s())

    async def _publish(self, due: set[str]) -> None:
        await self._pass_on()
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
            outputs.append(self._changed(rev, cells, removed))
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

    async def _pass_on(self) -> None:
        """What another unit is to know, before this unit's position says that it was told."""
        while self.elsewhere:
            await pass_on(self.reader.pipe, *self.elsewhere[0])
            del self.elsewhere[0]

    def _changed(self, rev: int, cells: dict[str, bytes], removed: list[str]) -> wire.Changed:
        """The revision; with the whole board as often as enough has changed, and at first."""
        known = self.board.cells
        self.since_whole += len(cells) + len(removed)
        whole = self.since_whole >= WHOLE_EVERY * len(known | cells)
        if whole:
            self.since_whole = 0
        return wire.Changed(
            rev=rev,
            at=self.reader.clock.now_us(),
            cells=cells,
            removed=tuple(removed),
            whole=whole,
            others={n: c for n, c in known.items() if n not in cells and n not in removed}
            if whole
            else {},
        )

    def _shown(self, rev: int, cells: dict[str, bytes], removed: list[str], due: set[str]) -> None:
        self.outputs.clear()
        self.board = Board(rev, position=self.position, cells=self.board.cells)
        self.board.cells.update(cells)
        for name in removed:
            self.board.cells.pop(name, None)
            self.showing.forget(name)
        self.showing.shown(cells, self.reader.clock.monotonic_s())
        self.dirty = self.dirty - due

    async def _snapshot(self) -> None:
        """Once a second, and never ahead of what has gone out.

        Cells may still wait for their turn, and under load some always do: a successor shows what
        differs from the board.
        """
        now = self.reader.clock.monotonic_s()
        if now - self.saved_at < SNAPSHOT_S or self.outputs:
            return
        self.saved_at = now
        await save_snapshot(self.reader.pipe, self.lease, self.position, self.decider.dump())

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            if not await leases.renew(self.reader.pipe, self.lease):
                raise Fenced("the lease has passed on")

    async def _listen(self) -> None:
        reader = self.reader
        await listen(reader.url, self.lease, reader.hears, reader.clock, reader.pipe)

    async def _tick(self) -> None:
        appender = self.reader.appender
        for second in count():
            if second % MEMORY_TICKS == 0:
                await appender.watch_memory()
            now = self.reader.clock.now_us()
            await tick(self.reader.pipe, self.lease, now, round(appender.used, 3))
            await asyncio.sleep(TICK_S if second else self.phase_s)
