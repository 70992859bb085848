"""`hospital-ops doctor [--upstream URL]`: says in plain words what is wrong, or that nothing is."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from hospital_ops import database, settings
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.commands import doctor_edge
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import ConfigurationError
from hospital_ops.settings import Settings
from streams import check
from streams.pipe import ConnectionLost, Pipe

DISK_FREE_MIN = 2 * 1024**3
CLOCK_OFF_MAX_US = 1 * SECOND


Check = Callable[[Settings], Awaitable[list[str]]]


def main(argv: list[str]) -> int:
    """Five checks of the house, or three of a unit's box. 1 where something is wrong."""
    parser = argparse.ArgumentParser(
        prog="hospital-ops doctor",
        description="It reads HOSPITAL_OPS_* and D/run.json, and changes nothing.",
    )
    parser.add_argument("--upstream", default="", help="on a unit's box: as for `serve edge`")
    upstream = parser.parse_args(argv).upstream
    try:
        loaded = settings.load()
        loaded = loaded if upstream else _with_running(loaded)
    except ConfigurationError as error:
        print(f"wrong   configuration: {error}")
        return 1
    print("right   configuration")
    return asyncio.run(_examine(loaded, _of_a_box(upstream) if upstream else _of_the_house()))


def _of_the_house() -> dict[str, Check]:
    return {"Redis": _redis, "PostgreSQL": _postgres, "clock": _clock, "disk": _disk}


def _of_a_box(url: str) -> dict[str, Check]:
    return {
        "upstream": lambda loaded: doctor_edge.upstream(loaded, url),
        "queue": doctor_edge.queue,
    }


def _with_running(loaded: Settings) -> Settings:
    """The addresses of the embedded servers, where a program runs on this data directory."""
    run_file = loaded.data_dir / "run.json"
    if loaded.redis_url or not run_file.exists():
        return loaded
    run = json.loads(run_file.read_text("utf-8"))
    addresses = {"redis_url": run["redis_url"], "database_url": run["database_url"]}
    return loaded.model_copy(update=addresses)


async def _examine(loaded: Settings, checks: Mapping[str, Check]) -> int:
    wrong = 0
    for name, examine in checks.items():
        problems = await examine(loaded)
        wrong += bool(problems)
        for problem in problems:
            print(f"wrong   {name}: {problem}")
        if not problems:
            print(f"right   {name}")
    return 1 if wrong else 0


async def _redis(loaded: Settings) -> list[str]:
    if not loaded.redis_url:
        return ["no address, and no program runs on this data directory: start it, or set "
                "HOSPITAL_OPS_REDIS_URL."]  # fmt: skip
    try:
        return await check.check_server(loaded.redis_url)
    except ConnectionLost as error:
        return [f"{error}. Start it, or correct HOSPITAL_OPS_REDIS_URL."]


async def _postgres(loaded: Settings) -> list[str]:
    if not loaded.database_url:
        return ["no address, and no program runs on this data directory: start it, or set "
                "HOSPITAL_OPS_DATABASE_URL."]  # fmt: skip
    try:
        return await database.check_server(loaded.database_url)
    except (DatabaseGone, ConfigurationError) as error:
        return [str(error)]


async def _clock(loaded: Settings) -> list[str]:
    """This machine's clock against that of the stream server, by which ages are told."""
    if not loaded.redis_url:
        return []
    pipe, clock = Pipe(loaded.redis_url), SystemClock()
    try:
        before = clock.now_us()
        seconds, microseconds = await pipe.call("TIME")
        middle = (before + clock.now_us()) // 2
    except ConnectionLost:
        return ["it cannot be compared while Redis is away."]
    finally:
        await pipe.close()
    off = abs(int(seconds) * SECOND + int(microseconds) - middle)
    if off <= CLOCK_OFF_MAX_US:
        return []
    return [f"it differs by {off / SECOND:.1f} s from the stream server's: synchronise both."]


async def _disk(loaded: Settings) -> list[str]:
    free = await asyncio.to_thread(_free, loaded.data_dir)
    if free >= DISK_FREE_MIN:
        return []
    return [f"{free / 1024**3:.1f} GiB are free under {loaded.data_dir}: make room for 2 GiB."]


def _free(folder: Path) -> int:
    """Free bytes where `folder` is, or will be."""
    there = next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())
    return shutil.disk_usage(there).free
