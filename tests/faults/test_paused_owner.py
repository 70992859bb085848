"""A live owner that slept and wakes up tells the ward nothing old."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from websockets.asyncio.client import connect

from hospital_ops import wire
from streams.pipe import Pipe
from streams.shard import keys
from tests.faults.load_help import loaded
from tests.faults.oracle_help import everything_stored, judge
from tests.faults.program_help import LONG, ROOT, Figures, Program, until

PAUSE_S = 10.0
UNIT, PULSE = "h1-icu-1", "8867-4"


@dataclass(slots=True)
class Screen:
    """What a board has been told."""

    revisions: list[int] = field(default_factory=list)
    times: dict[str, list[str]] = field(default_factory=dict)  # of the pulse, by bed

    def take(self, message: dict[str, Any]) -> None:
        """One message of the socket."""
        if message["type"] == "beat":
            return
        self.revisions.append(message["rev"])
        for bed in message["beds"]:
            pulse = bed["values"].get(PULSE)
            if pulse is not None:
                self.times.setdefault(bed["bed"], []).append(pulse["determined_at"])


@asynccontextmanager
async def watching(program: Program) -> AsyncIterator[Screen]:
    """A board over its JSON socket, for as long as the block lasts."""
    token = await signed_in(program)
    url = f"{program.run['http'].replace('http', 'ws', 1)}/ws/v1/boards/{UNIT}?format=json"
    screen = Screen()

    async def follow() -> None:
        async with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
            async for text in socket:
                screen.take(json.loads(text))

    task = asyncio.create_task(follow())
    try:
        yield screen
        assert not task.done(), "the board's socket was closed"
    finally:
        task.cancel()


async def signed_in(program: Program) -> str:
    """A token of the unit's physician."""
    user = next(u for u in program.run["users"] if u["name"] == "icu.h1")
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.post(
            f"{program.run['http']}/api/v1/session",
            json={"name": user["name"], "password": user["password"]},
        )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])


@contextmanager
def second_reader(program: Program) -> Iterator[None]:
    """A second `serve live`, as on another machine."""
    environment = {
        **os.environ,
        "HOSPITAL_OPS_REDIS_URL": program.run["redis_url"],
        "HOSPITAL_OPS_DATABASE_URL": program.run["database_url"],
        "HOSPITAL_OPS_DEMO": "true",
    }
    with (program.data.parent / "second.log").open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "hospital_ops", "serve", "live"],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=out,
        )
    try:
        yield
        assert process.poll() is None, "the second reader ended"
    finally:
        process.terminate()
        process.wait(30)


async def owner_of(pipe: Pipe) -> tuple[int, int] | None:
    """Process id and epoch of the unit's present owner; None while there is none."""
    held = await pipe.call("GET", keys(UNIT).lease)
    if held is None:
        return None
    name, _, epoch = held.decode().rpartition(":")
    return int(name.rpartition("-")[2]), int(epoch)


async def test_an_owner_that_slept_publishes_nothing_old(
    program: Program, figures: Figures
) -> None:
    await program.wait_ready()
    pipe = Pipe(program.run["redis_url"])
    gaps: list[float] = []
    with second_reader(program):
        async with watching(program) as screen, loaded(program) as load:
            await until(lambda: seen(screen, 20), "the board moves")
            for _ in range(5 if LONG else 2):
                gaps.append(await put_to_sleep(pipe, screen))
    await everything_stored(program, load)
    verdict = await judge(program, load)
    out = [wire.decode(f[1]) for _, f in await pipe.call("XRANGE", keys(UNIT).out, "-", "+")]
    await pipe.close()
    published = [entry.rev for entry in out if isinstance(entry, wire.Changed)]
    figures.add(
        "live owner paused",
        fired=len(gaps),
        pause_s=PAUSE_S,
        board_gap_s=[round(gap, 2) for gap in gaps],
        changes=len(screen.revisions),
        n=verdict.n,
        lost=verdict.lost,
        doubled=verdict.doubled,
    )
    assert screen.revisions == without_gaps(screen.revisions)
    assert published == without_gaps(published)
    for bed, times in screen.times.items():
        assert times == sorted(times), f"{bed} went back in time"
    assert verdict.good, verdict


async def put_to_sleep(pipe: Pipe, screen: Screen) -> float:
    """Stops the owner for 10 s and lets it go on; answers how long the board stood still."""
    owner, epoch = await until(lambda: owner_of(pipe), "somebody owns the unit")
    os.kill(owner, signal.SIGSTOP)
    begin = time.monotonic()
    try:
        await until(lambda: another(pipe, owner), "the other reader owns the unit")
        told = len(screen.revisions)
        await until(lambda: seen(screen, told + 1), "the board moves")
        gap = time.monotonic() - begin
        await asyncio.sleep(max(0.0, begin + PAUSE_S - time.monotonic()))
    finally:
        os.kill(owner, signal.SIGCONT)
    told = len(screen.revisions)
    await until(lambda: seen(screen, told + 10), "the board moves on")
    after, after_epoch = await until(lambda: owner_of(pipe), "somebody owns the unit")
    assert after != owner
    assert after_epoch > epoch
    return gap


def without_gaps(revisions: list[int]) -> list[int]:
    """As many revisions from the first on, each one more than that before."""
    return list(range(revisions[0], revisions[0] + len(revisions)))


async def seen(screen: Screen, number: int) -> bool:
    """Whether the board was told so many times."""
    return len(screen.revisions) >= number


async def another(pipe: Pipe, owner: int) -> bool:
    """Whether somebody else owns the unit."""
    found = await owner_of(pipe)
    return found is not None and found[0] != owner
