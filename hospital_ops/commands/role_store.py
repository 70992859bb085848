"""The role store: archive, relay, the keeper of the days, and the canary."""

from __future__ import annotations

import asyncio

from hospital_ops import database, log
from hospital_ops.clock import SECOND, Clock, from_datetime
from hospital_ops.commands.process import Process, give_way
from hospital_ops.curves import store as curves
from hospital_ops.database import (
    Database,
    DatabaseGone,
    LockNotAvailable,
    SerializationConflict,
)
from hospital_ops.feeds import store as feeds
from hospital_ops.installation import store as installation
from hospital_ops.migrations.keeper import forget_days, keep_partitions
from hospital_ops.migrations.trends import build_trends
from icu.waits import store as waits
from streams.append import Appender
from streams.archive import freeze_incidents
from streams.canary import Canary
from streams.evidence.store import EvidenceKeeper
from streams.heard import Hearing, told
from streams.projections import Places, Projections
from streams.relay import Relay
from streams.shard import hall
from streams.store import StoreReader

KEEPER_S = 600.0
FREEZE_S = 30.0
FEEDS_S = 3.0
FORGET_EVERY = 1000  # turns: feeds that fell silent two weeks ago
WAITS_S = 5.0  # the first time that a record which stayed behind is tried again
LONG_US = 600 * SECOND  # so long behind is for a person to look at (icu/own_rules.json)
TRENDS_S = 60.0
RETRY_S = 1.0
PACK_AGAIN_S = 5.0

logger = log.get("store")


async def run(process: Process) -> None:
    """Carries every unit and hall of the installation; boards and alarms go first."""
    give_way()
    settings = process.settings
    writer = await database.connect(settings.database_url, "writer", name="store")
    owner = await database.connect(settings.database_url, "owner", name="keeper")
    places = Places()
    shards = await _shards(process, writer)
    reader = StoreReader(settings.redis_url, writer, shards, process.name, process.clock)
    relay = Relay(writer, Appender(process.pipe), process.clock, process.mode)
    evidence = EvidenceKeeper(writer, shards, process.clock)
    canary = Canary("127.0.0.1", settings.mllp_port, places, process.clock)

    async def watch(found: Places) -> None:
        places.become(found)
        reader.shards = [*places.units, *(hall(h) for h in places.hospitals)] or shards
        evidence.shards = reader.shards

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(process.beat_in_database(writer))
        tasks.create_task(reader.run())
        tasks.create_task(relay.run())
        tasks.create_task(_tell_feeds(reader.hearing, writer, process.clock))
        tasks.create_task(_keep_days(process, owner))
        tasks.create_task(_freeze(writer))
        tasks.create_task(_keep_waits(process, writer))
        tasks.create_task(_keep_trends(process, owner))
        tasks.create_task(canary.run())
        tasks.create_task(_pack_curves(process, owner))
        tasks.create_task(evidence.run())
        await process.follow_places(Projections(process.pipe), watch)


async def _shards(process: Process, writer: Database) -> list[str]:
    while True:
        try:
            rows = await installation.projection_rows(writer, process.clock.now_us())
            return [u.unit for u in rows.units] + sorted({hall(u.hospital) for u in rows.units})
        except DatabaseGone as error:
            logger.warning("database_away", error=type(error).__name__)
            await asyncio.sleep(RETRY_S)


async def _freeze(writer: Database) -> None:
    """Every half minute: incidents whose minutes are over."""
    while True:
        await asyncio.sleep(FREEZE_S)
        try:
            async with writer.transaction() as connection:
                await freeze_incidents(connection)
        except (DatabaseGone, *SerializationConflict) as error:
            logger.warning("incidents_not_frozen", error=type(error).__name__)


async def _tell_feeds(hearing: Hearing, writer: Database, clock: Clock) -> None:
    """Every few seconds: who has sent what last and is to be told of, for the page of feeds."""
    turn = 0
    while True:
        await asyncio.sleep(FEEDS_S)
        try:
            async with writer.transaction() as connection:
                await feeds.tell(connection, told(hearing.taken(clock.now_us())))
                if turn % FORGET_EVERY == 0:
                    await feeds.forget(connection)
            turn += 1
        except (DatabaseGone, *SerializationConflict) as error:
            logger.warning("feeds_not_told", error=type(error).__name__)


async def _keep_waits(process: Process, writer: Database) -> None:
    """Records that could not follow their patient, tried again; beds are told what waits."""
    while True:
        await asyncio.sleep(WAITS_S)
        try:
            now = process.clock.now_us()
            for one in await waits.follow(writer, now):
                if not one.failed:
                    logger.info("record_came_along", number=one.number)
                elif now - from_datetime(one.since) > LONG_US:
                    logger.error("record_left_behind", number=one.number, code=one.failed)
            await waits.tell(writer, now)
        except (DatabaseGone, *SerializationConflict) as error:
            logger.warning("waits_not_told", error=type(error).__name__)


async def _pack_curves(process: Process, owner: Database) -> None:
    """Packs what is old enough, bed by bed, ten minutes at a time; each piece is compared first."""
    age_us = round(process.settings.pack_after_h * 3600 * SECOND)
    while True:
        try:
            moved = 0
            for bed in await curves.beds(owner):
                moved += await curves.pack_oldest(owner, bed, process.clock.now_us() - age_us)
                await asyncio.sleep(0)
            await asyncio.sleep(PACK_AGAIN_S if moved else KEEPER_S)
        except (DatabaseGone, LockNotAvailable, *SerializationConflict) as error:
            logger.warning("curves_not_packed", error=type(error).__name__)
            await asyncio.sleep(KEEPER_S)


async def _keep_days(process: Process, owner: Database) -> None:
    while True:
        try:
            made = await keep_partitions(owner, process.clock.now_us())
            if made:
                logger.info("days_made", count=len(made))
            days = process.settings.board_days
            gone = await forget_days(owner, process.clock.now_us(), "board_frame", days)
            if gone:
                logger.info("days_forgotten", count=len(gone))
            await asyncio.sleep(KEEPER_S)
        except (DatabaseGone, LockNotAvailable, *SerializationConflict) as error:
            logger.warning("days_not_made", error=type(error).__name__)
            await asyncio.sleep(RETRY_S)


async def _keep_trends(process: Process, owner: Database) -> None:
    while True:
        try:
            if not await build_trends(owner, process.clock.now_us()):
                await asyncio.sleep(TRENDS_S)
            await asyncio.sleep(RETRY_S)
        except (DatabaseGone, LockNotAvailable, *SerializationConflict) as error:
            logger.warning("trends_not_made", error=type(error).__name__)
            await asyncio.sleep(TRENDS_S)
