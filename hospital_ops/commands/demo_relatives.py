"""The demonstration's relatives: a daughter of the first bed's patient, enabled and confirmed.

The unit of the demonstration sends at any hour, so that whoever looks at night sees it too; and a
nurse's round is entered, because half an hour of monitor values is not there yet.
"""

from __future__ import annotations

import asyncio
from datetime import time
from typing import Final

from hospital_ops import database, wire
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.database import Database
from hospital_ops.errors import NotFound
from hospital_ops.identity import derived
from hospital_ops.settings import Settings
from notify.desk.acts import Desk
from notify.patients import store as patients
from notify.rules import Hours
from notify.sealing import load
from streams.append import Appender
from streams.pipe import Pipe
from streams.shard import hospital_of

WAIT_S: Final = 60.0
POLL_S: Final = 0.2
# What a nurse writes down on a round: (code, value, unit).
ROUND: Final[tuple[tuple[str, float | str, str], ...]] = (
    ("8310-5", 37.1, "Cel"),
    ("8867-4", 82.0, "/min"),
    ("8480-6", 118.0, "mm[Hg]"),
    ("8462-4", 61.0, "mm[Hg]"),
    ("59408-5", 97.0, "%"),
    ("9279-1", 16.0, "/min"),
    ("80288-4", "A", ""),
    ("107117-4", "air", ""),
)
DAUGHTER: Final = {
    "number": "+7 916 123-45-67",
    "relation": "daughter",
    "language": "ru",
    "tells": "full",
    "basis": "patient",
    "document": "form 12",
    "named_by": "patient",
}


async def seed(settings: Settings, bed: str) -> None:
    """Enables the daughter of whoever lies in `bed`, once; waits until somebody does.

    The physician's confirmation is left to whoever looks at the page.
    """
    unit, clock = bed.rpartition("-")[0], SystemClock()
    by = Scope(hospital_of(unit), ("*",), "icu_physician", f"icu.{hospital_of(unit)}")
    app = await database.connect(settings.database_url, "app", name="demo")
    try:
        keys = load(settings.number_keys.get_secret_value(), settings.data_dir)
        desk = Desk(app, keys, clock)
        await _admitted(app, by, bed)
        found = await desk.bed(by, bed)
        if any(one.withdrawn_at is None for one in found.contacts):
            return
        async with app.transaction(by) as connection:
            always = Hours(
                opens=time(0), closes=time(23, 59, 59), quiet_from=time(0), quiet_until=time(0)
            )
            await patients.set_hours(connection, by, unit, always, clock.now_us())
        await _enter_round(Appender(Pipe(settings.redis_url)), unit, bed, clock.now_us())
        contact = await desk.enable(by, bed, DAUGHTER)
        await desk.confirm_number(by, contact, None)
    finally:
        await app.close()


async def _admitted(app: Database, by: Scope, bed: str) -> None:
    """Waits until the archive has the bed's patient."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                async with app.transaction(by) as connection:
                    await patients.open_stay_of_bed(connection, bed)
                    return
            except NotFound:
                await asyncio.sleep(POLL_S)


async def _enter_round(appender: Appender, unit: str, bed: str, now: int) -> None:
    message = str(derived("demo round", bed, str(now)))
    await appender.append(
        unit,
        wire.Observed(
            unit=unit,
            source="demo-nurse",
            message_id=message,
            identity=derived(message).bytes,
            received_at=now,
            mode="Demo",
            bed=bed,
            device="demo-nurse",
            observations=tuple(
                wire.Observation(
                    code=code,
                    value=value,
                    unit=physical,
                    determined_at=now - SECOND,
                    event_id=str(derived(message, code)),
                    origin="typed",
                )
                for code, value, physical in ROUND
            ),
        ),
    )
