"""The role live: a reader for every unit and hall, as soon as the unit is known."""

from __future__ import annotations

import asyncio

from hospital_ops.clock import Clock
from hospital_ops.commands.process import Process
from hospital_ops.deciding import Decider, Listener
from hospital_ops.ecg.ward import WardRhythm
from icu.unit import IcuUnit
from streams.hall import Hall
from streams.live import LiveReader
from streams.projections import Places, Projections
from streams.shard import hall, hospital_of
from triage.unit import EdUnit


def decider_of(
    places: Places, shard: str, snapshot: bytes, *, ecg_analysis: bool = True
) -> Decider:
    """The room that decides for a shard."""
    unit = places.units.get(shard)
    if unit is None:
        return Hall(shard, snapshot)
    if unit.kind == "ed":
        return EdUnit(shard, snapshot)
    room = IcuUnit(shard, hospital_of(shard), snapshot)
    room.ecg_analysis = ecg_analysis
    return room


def listener_of(places: Places, shard: str) -> Listener | None:
    """Who looks at the live curves of a shard: intensive care has its own look at the ECG."""
    unit = places.units.get(shard)
    return WardRhythm(shard) if unit is not None and unit.kind == "icu" else None


async def run(process: Process) -> None:
    """Follows places and keeps one reader for each shard."""
    readers: dict[str, asyncio.Task[None]] = {}
    places, clock = Places(), process.clock

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(process.beat("live"))

        async def watch(found: Places) -> None:
            places.become(found)
            for shard in (*places.units, *(hall(h) for h in places.hospitals)):
                if shard not in readers:
                    reader = _reader(process, places, shard, clock)
                    readers[shard] = tasks.create_task(reader.run())

        await process.follow_places(Projections(process.pipe), watch)


def _reader(process: Process, places: Places, shard: str, clock: Clock) -> LiveReader:
    looks = process.settings.ecg_analysis
    return LiveReader(
        process.settings.redis_url,
        shard,
        process.name,
        lambda unit, snapshot: decider_of(places, unit, snapshot, ecg_analysis=looks),
        clock,
        lambda unit: listener_of(places, unit) if looks else None,
    )
