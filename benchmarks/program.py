"""Programs of a bench that run as processes of their own: limits and clients.

A program gets its settings as one JSON line on standard input, prints `ready`, runs until another
line comes (or until it is done), and prints one JSON object as its last line.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import uvloop

ROOT: Final = Path(__file__).resolve().parents[1]
WITHIN_S: Final = 120.0
LINE_MAX: Final = 1 << 24


class Program:
    """A running program."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.pid = process.pid

    async def finish(self) -> dict[str, Any]:
        """Tells it to end and answers what it found."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await self.result()

    async def tell(self, line: str = "") -> None:
        """Sends it a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())
        await self.process.stdin.drain()

    async def line(self) -> str:
        """Its next line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            text = (await self.process.stdout.readline()).decode().strip()
        if not text:
            raise RuntimeError(f"a program of the bench ended: {await self.process.wait()}")
        return text

    async def result(self) -> dict[str, Any]:
        """What it found, once it is done."""
        found: dict[str, Any] = json.loads(await self.line())
        return found


@asynccontextmanager
async def program(module: str, **settings: Any) -> AsyncIterator[Program]:
    """Runs `python -m benchmarks.MODULE`; when the block is entered it has said `ready`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"benchmarks.{module}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        limit=LINE_MAX,
    )
    running = Program(process)
    try:
        await running.tell(json.dumps(settings))
        if await running.line() != "ready":
            raise RuntimeError(f"{module} did not say that it is ready")
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def settings() -> dict[str, Any]:
    """What the program was started with."""
    given: dict[str, Any] = json.loads(sys.stdin.readline())
    return given


def ready() -> None:
    """Says that the program listens, or may begin."""
    print("ready", flush=True)


async def told() -> str:
    """Waits for a line, or the end, of standard input."""
    return await asyncio.to_thread(sys.stdin.readline)


def answer(**found: Any) -> None:
    """The last line."""
    print(json.dumps(found), flush=True)


def main(work: Callable[[dict[str, Any]], Coroutine[Any, Any, None]]) -> None:
    """Runs `work` on uvloop."""
    uvloop.run(work(settings()))


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of the sorted `values` lie; 0 of none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
