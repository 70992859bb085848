"""Rows of bench `board` about many viewers of one board: cost, memory, a slow one, a herd."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median
from typing import Any, Final

import uvloop

from benchmarks.program import Program, program
from benchmarks.stage import Stage, furnish, memory_kb, stage, wall_token
from simulators.demonstration import free_port

VIEWERS: Final = 100
BEDS: Final = 50
WARM_S: Final = 3.0  # beds that were silent come back: what is shown of that is not a delay
JITTER_S: Final = 8.0  # of a client that reconnects
Row = dict[str, Any]


def rows(*, quick: bool) -> list[Row]:
    """The rows `board.viewer`, `memory_viewer`, `slow` and `herd`."""
    return uvloop.run(_rows(quick=quick))


async def _rows(*, quick: bool) -> list[Row]:
    seconds = 2.0 if quick else 10.0
    async with stage() as on:
        (unit,) = await furnish(on, beds=BEDS)
        token = await wall_token(on)
        for role in ("live", "web"):
            await on.role(role)
        found = [await _herd(on, unit, token, 300 if quick else 1000, 2.0 if quick else JITTER_S)]
        await on.end("web")
        await on.role("web")
        found += await _many(on, unit, token, seconds)
        found.append(await _slow(on, unit, token, seconds, quick=quick))
    return found


@asynccontextmanager
async def _ward(on: Stage, unit: str, seconds: float) -> AsyncIterator[Program]:
    """Fifty beds of one unit, a message a second each, without waves."""
    async with program(
        "clients.beds",
        redis=on.redis_url,
        units={unit: BEDS},
        seconds=seconds,
        waves=False,
        least=False,
    ) as ward:
        yield ward


async def _many(on: Stage, unit: str, token: str, seconds: float) -> list[Row]:
    """What a message to one of 100 viewers costs the web process, and what a viewer occupies."""
    web = on.supervisor.pids["web"]
    shared = {"port": on.http_port, "token": token, "units": [unit]}
    memory = 0.0
    for length in (1.0, seconds):  # the first viewer and the first values bring code and board in
        async with program("clients.viewers", viewers=1, **shared), _ward(on, unit, length) as ward:
            memory = memory_kb(web)
            await ward.tell()
            await ward.result()
    alone_kb = memory_kb(web) - memory  # the last minute of the board, however many look
    memory = memory_kb(web)
    async with (
        program("clients.viewers", viewers=VIEWERS, **shared) as viewers,
        _ward(on, unit, seconds) as ward,
    ):
        each_kb = (memory_kb(web) - memory) / VIEWERS
        await viewers.tell("reset")
        start = on.cpu_s("web")["web"]
        await ward.tell()
        await ward.result()
        used = on.cpu_s("web")["web"] - start
        seen = await viewers.finish()
        grown_kb = memory_kb(web) - memory
    working_kb = (grown_kb - alone_kb) / VIEWERS
    assert seen["updates"] >= 0.9 * BEDS * seconds, f"the ledger: {seen}"
    size, rate = round(seen["bytes"] / seen["messages"]), seen["messages"] / VIEWERS / seconds
    least = await _least(token, size, rate, seconds)
    note = f"us of the web process a message of {size} B, {rate:.0f} a second to each of {VIEWERS}"
    return [
        {
            "id": "board.viewer",
            "value": used / seen["messages"] * 1e6,
            "limit": least,
            "n": seen["messages"],
            "note": note,
        },
        {
            "id": "board.memory_viewer",
            "value": max(each_kb, working_kb),
            "n": VIEWERS,
            "note": f"{each_kb:.0f} kB when connected, {working_kb:.0f} kB after {seconds:.0f} s"
            f" without what they share: {grown_kb / VIEWERS:.0f} kB with the kept changes of the"
            f" board, which grow by {alone_kb:.0f} kB for one viewer as well",
        },
    ]


async def _least(token: str, size: int, rate: float, seconds: float) -> float:
    """Microseconds a message costs the limit at the same size and rate."""
    port = free_port()
    async with (
        program("limits.viewers", port=port, size=size, rate=rate, seconds=seconds) as server,
        program("clients.viewers", port=port, token=token, units=["x"], viewers=VIEWERS, reading=0),
    ):
        await server.tell()
        found = await server.result()
    cost: float = found["cpu_s"] / found["messages"] * 1e6
    return cost


async def _slow(on: Stage, unit: str, token: str, seconds: float, *, quick: bool) -> Row:
    """The delays of 99 viewers before and after one of 100 has stopped reading, on one ward."""
    shared = {"port": on.http_port, "token": token, "units": [unit], "viewers": VIEWERS}
    found = []
    for _ in range(1 if quick else 5):
        async with (
            program("clients.viewers", stop=1, reading=VIEWERS - 1, **shared) as viewers,
            _ward(on, unit, WARM_S + 2 * seconds) as ward,
        ):
            await ward.tell()
            for wait_s, then in ((WARM_S, "reset"), (seconds, "stop")):
                await asyncio.sleep(wait_s)
                await viewers.tell(then)
            await ward.result()
            found.append(await viewers.finish())
    befores = [one["before"] for one in found]
    p50_ms = (median(one["p50_ms"] for one in some) for some in (befores, found))
    return {
        "id": "board.slow",
        "value": median(one["p99_ms"] for one in found),
        "limit": median(one["p99_ms"] for one in befores),
        "n": sum(one["updates"] for one in found),
        "note": f"p99 of {seconds:.0f} s before and after, medians of {len(found)} rounds; ms; "
        f"p50 {next(p50_ms):.1f} and {next(p50_ms):.1f}",
    }


async def _herd(on: Stage, unit: str, token: str, viewers: int, jitter_s: float) -> Row:
    """Everybody comes back at once, while the beds go on."""
    async with _ward(on, unit, jitter_s) as ward:
        await ward.tell()
        async with program(
            "clients.viewers",
            port=on.http_port,
            token=token,
            units=[unit],
            viewers=viewers,
            jitter_s=jitter_s,
            reading=0,
        ) as herd:
            seen = await herd.finish()
        await ward.result()
    assert seen["live"] == viewers, f"the ledger: {seen['live']} of {viewers} are live"
    note = f"{viewers} viewers, jitter up to {jitter_s:.0f} s, each begins with a whole board"
    return {"id": "board.herd", "value": seen["live_s"], "n": viewers, "note": note}


if __name__ == "__main__":
    for row in rows(quick=True):
        print(row)
