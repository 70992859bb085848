"""The edge between a room's rules and its ward: no entry stops the unit, nor those beside it.

Entries are decided one by one; in between the lease is renewed and the event loop let go. A large
entry, and one that has held the loop up before, is decided beside the loop: other units of the
process go on meanwhile. Redis counts the owners who began it; where two did not come to its end in
time it is passed over, as is one on which the rules fail, and kept as a dead letter of the hall.
"""

from __future__ import annotations

import asyncio
from traceback import extract_tb

from hospital_ops import log, wire
from hospital_ops.deciding import Decider, Decisions, Stamped
from hospital_ops.errors import Fenced
from streams import lease as leases
from streams.append import Appender
from streams.lease import Lease
from streams.pipe import Fields
from streams.shard import at_us, hall, hospital_of

Entries = list[tuple[str, Fields]]

LARGE = 64 * 1024  # bytes: the usual entry has a hundredth of it
HOLD_S = 0.05  # so long one unit has the event loop for itself
SLOW_S = 0.5  # an entry that held it longer is decided beside it when it comes again
TURN_S = 0.5  # then what was decided so far goes out
RENEW_S = 0.5
PATIENCE_S = 4.0  # a value is amber after 5 s
TRIES = 2  # owners who began an entry and did not come to its end: once may be a paused machine

logger = log.get("live")


class Undecidable(Exception):
    """The rules failed: the state may be half changed, so the walk begins anew."""


class Trying:
    """Decides the entries of one shard, and remembers which are to be passed over."""

    def __init__(self, appender: Appender, shard: str, patience_s: float = PATIENCE_S) -> None:
        self.appender, self.shard, self.patience_s = appender, shard, patience_s
        self.passed_over: set[str] = set()
        self.slow: set[str] = set()

    async def decide(
        self, lease: Lease, decider: Decider, entries: Entries
    ) -> tuple[Decisions, str]:
        """What the room decides, and the last entry of its turn, which may be over before all.

        Undecidable where its rules fail, Fenced where an entry outlives the lease or our patience.
        """
        loop = asyncio.get_running_loop()
        whole, began = Decisions(), loop.time()
        let_go = renewed = began
        for entry_id, fields in entries:
            stamped = self._understood(entry_id, fields)
            if stamped is not None:
                await self._one(lease, decider, entry_id, stamped, fields[1], whole)
            now = loop.time()
            if now - renewed > RENEW_S:
                if not await leases.renew(self.appender.pipe, lease):
                    raise Fenced("the lease has passed on")
                let_go = renewed = loop.time()
            elif now - let_go > HOLD_S:
                await asyncio.sleep(0)
                let_go = loop.time()
            if now - began > TURN_S:
                break
        return whole, entry_id

    async def _one(
        self,
        lease: Lease,
        decider: Decider,
        entry_id: str,
        stamped: Stamped,
        encoded: bytes,
        whole: Decisions,
    ) -> None:
        loop, pipe = asyncio.get_running_loop(), self.appender.pipe
        is_heavy = len(encoded) >= LARGE or entry_id in self.slow
        if is_heavy and await leases.begin(pipe, lease, entry_id) > TRIES:
            await self._pass_over(entry_id, encoded, f"outlived the lease {TRIES} times")
            return
        began = loop.time()
        try:
            if is_heavy:
                async with asyncio.timeout(self.patience_s):
                    decided = await asyncio.to_thread(decider.decide, [stamped])
            else:
                decided = decider.decide([stamped])
        except TimeoutError as error:
            logger.error("outlived", shard=self.shard, entry=entry_id)
            raise Fenced("an entry takes longer than our patience") from error
        except Exception as error:
            # One message must not stop the unit.
            where = extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} in {where.name}:{where.lineno}"
            await self._pass_over(entry_id, encoded, place)
            raise Undecidable from error
        if is_heavy:
            await leases.ended(pipe, lease)
        elif loop.time() - began > SLOW_S:
            self.slow.add(entry_id)
        whole.dirty |= decided.dirty
        whole.outputs += decided.outputs
        whole.elsewhere += decided.elsewhere
        whole.urgent |= decided.urgent

    async def _pass_over(self, entry_id: str, encoded: bytes, why: str) -> None:
        """From now on the entry is passed over, with a note in the hall."""
        logger.error("undecidable", shard=self.shard, entry=entry_id, error=why)
        shard = hall(hospital_of(self.shard))
        if self.shard != shard:
            reason = f"the rules of {self.shard} failed on entry {entry_id}: {why}"
            kept = wire.Kept(shard, "live", at_us(entry_id), "undecidable", reason)
            await self.appender.append(shard, kept, encoded)
        self.passed_over.add(entry_id)

    def _understood(self, entry_id: str, fields: Fields) -> Stamped | None:
        """The entry decoded; a broken one is passed over here and kept by the store reader."""
        if entry_id in self.passed_over:
            return None
        try:
            return Stamped(at_us(entry_id), wire.decode(fields[1]))
        except wire.DecodeError:
            logger.error("undecodable", shard=self.shard, entry=entry_id)
            return None
