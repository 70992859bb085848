"""The relay: appends what PostgreSQL has committed to the units' streams, and keeps projections.

At most one relay works at a time (an advisory lock of the transaction). A crash between append and
commit appends again; the version that each entry carries makes the repeat do nothing.
"""

from __future__ import annotations

import asyncio

from hospital_ops import log, wire
from hospital_ops.case_steps import ENDS, follows
from hospital_ops.clock import Clock
from hospital_ops.database import Database, DatabaseGone
from hospital_ops.errors import NotStored
from hospital_ops.installation import store as installation
from streams.append import Appender
from streams.pipe import ReplyError
from streams.projections import Projections
from streams.shard import hospital_of

PAUSE_S = 0.1  # a committed decision reaches the board within this
ROWS = 500  # a turn: bounds the transaction
PROJECTIONS_S = 2.0  # a revoked session or device is out within 5 s (SAFETY.md F19)
LOCK = 0x52454C4159  # "RELAY"
_ANY = "select exists (select from outbox where appended_at is null)"

logger = log.get("relay")


class Relay:
    """Carries the outbox into the streams and the accounts into the projections."""

    def __init__(self, database: Database, appender: Appender, clock: Clock, mode: str) -> None:
        """`database` has the role writer; what people enter has `mode` Real, Test or Demo."""
        self.database, self.appender = database, appender
        self.clock, self.mode = clock, mode
        self.projections = Projections(appender.pipe)
        self._kept_at = 0.0

    async def run(self) -> None:
        """Works until cancelled; what fails is tried again."""
        while True:
            try:
                moved = await self.step()
                if self.clock.monotonic_s() - self._kept_at >= PROJECTIONS_S:
                    await self.keep_projections()
                    self._kept_at = self.clock.monotonic_s()
                await asyncio.sleep(0 if moved == ROWS else PAUSE_S)
            except (DatabaseGone, NotStored, ReplyError, OSError) as error:
                logger.warning("begins_anew", error=type(error).__name__)
                await asyncio.sleep(1.0)

    async def step(self) -> int:
        """Appends what waits, in order; answers how many. Mostly nothing does: one question."""
        async with self.database.raw() as connection:
            if not await connection.fetchval(_ANY):
                return 0
        async with self.database.transaction() as connection:
            if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", LOCK):
                return 0
            waiting = await connection.fetch(
                "select number, shard, entry from outbox where appended_at is null"
                " order by number limit $1",
                ROWS,
            )
            for row in waiting:
                entry_id = await self._append(row["shard"], row["entry"])
                await connection.execute(
                    "update outbox set appended_at = now(), appended_as = $2 where number = $1",
                    row["number"],
                    entry_id,
                )
        return len(waiting)

    async def _append(self, shard: str, encoded: bytes) -> str:
        """The stream id; a row that cannot be read must not hold up the decisions behind it."""
        try:
            entry = wire.decode(encoded)
            if isinstance(entry, wire.CaseFacts):  # a case that a command opened, not a crew
                hospital, now = hospital_of(shard), self.clock.now_us()
                await self.projections.claim_case(hospital, entry.case, shard, entry.source, now)
            entry_id = await self.appender.append(shard, entry)
            if isinstance(entry, wire.CaseStep):
                await self._note(shard, entry)
            return entry_id
        except wire.DecodeError:
            logger.error("undecodable", shard=shard)
            return "undecodable"

    async def _note(self, shard: str, entry: wire.CaseStep) -> None:
        """The way in hears of a step that was committed in PostgreSQL."""
        state = follows(
            entry.step, await self.projections.case_state(hospital_of(shard), entry.case)
        )
        await self.projections.case_became(
            hospital_of(shard), entry.case, state, self.clock.now_us(), ended=state in ENDS
        )

    async def keep_projections(self) -> None:
        """Brings places, sessions and devices in Redis to what PostgreSQL says."""
        await installation.adopt_beds(self.database)
        read_at = self.clock.now_us()
        rows = await installation.projection_rows(self.database, read_at)
        await self.projections.keep(rows, read_at, self.mode)
