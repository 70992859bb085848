"""The planner: every minute, each day's rows, the automatic ones, and what time has decided.

Any number may run: rows are unique by day and number, and every step may be done again.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from hospital_ops import log
from hospital_ops.clock import Clock
from hospital_ops.database import Connection, Database, DatabaseGone
from hospital_ops.errors import Conflict, HospitalOpsError
from notify import due
from notify.desk import store as desk
from notify.outbox import store as outbox
from notify.patients import store as patients
from notify.sender import scope_of

EVERY_S: Final = 60.0
TIDY_S: Final = 2.0

logger = log.get("notify")


class Planner:
    """Plans for the units it is told of: (hospital, unit, zone)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock
        self.units: list[tuple[str, str, str]] = []

    async def run(self) -> None:
        """Works until cancelled; a new unit is planned within seconds."""
        planned_at, known = -EVERY_S, 0
        while True:
            try:
                now_s = self.clock.monotonic_s()
                if now_s - planned_at >= EVERY_S or len(self.units) != known:
                    await self.plan()
                    planned_at, known = now_s, len(self.units)
                await self.tidy()
            except DatabaseGone as error:
                logger.warning("not_planned", error=type(error).__name__)
            await asyncio.sleep(TIDY_S)

    async def plan(self) -> int:
        """Makes today's rows of every unit whose window is not over; answers how many are new."""
        made = 0
        for hospital, unit, zone in self.units:
            now = self.clock.now_us()

            async def work(
                connection: Connection,
                hospital: str = hospital,
                unit: str = unit,
                zone: str = zone,
                now: int = now,
            ) -> int:
                hours = await patients.hours_of(connection, unit)
                window = due.window(due.local_date(now, zone), zone, hours)
                if window.is_over(now):
                    return 0
                return await outbox.plan(connection, scope_of(hospital), unit, window, now)

            made += await self.database.retrying(work, scope_of(hospital))
        return made

    async def tidy(self) -> None:
        """Unknown, expired, late; and what is sent without a confirmation is composed."""
        for hospital in sorted({unit[0] for unit in self.units}):
            scope, now = scope_of(hospital), self.clock.now_us()

            async def work(connection: Connection, now: int = now) -> list[Any]:
                lost, over, late = await outbox.tidy(connection, now)
                if lost or over or late:
                    logger.info("tidied", unknown=lost, expired=over, escalated=late)
                return await desk.automatic_ready(connection, now)

            for stay in await self.database.retrying(work, scope):
                await self._compose(hospital, stay, now)

    async def _compose(self, hospital: str, stay: Any, now: int) -> None:
        scope = scope_of(hospital)
        try:
            async with self.database.transaction(scope) as connection:
                whose = await patients.stay(connection, stay)
                await desk.confirm(
                    connection, scope, whose, now, severity=whose.severity, automatic=True
                )
        except Conflict:
            return  # it ended, or somebody confirmed it meanwhile
        except HospitalOpsError as error:
            if isinstance(error, DatabaseGone):
                raise
            logger.error("not_composed", stay=str(stay), error=type(error).__name__)
