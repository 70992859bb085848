"""The past of the demonstration's wards: given once, in the background, after they are live."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from hospital_ops import log
from hospital_ops.commands.machine import Machine
from hospital_ops.commands.run_file import RunFile
from hospital_ops.servers.process import Child, collect, ended, spawn
from simulators.history import Kept
from simulators.past import FULL_HOURS

AGAIN_S: Final = 30.0  # until one that ended early goes on where it was
_log = log.get("demo")


async def give(running: Machine, run_file: RunFile, seed: int, until_us: int) -> None:
    """Sends what is left of the past up to `until_us`, and says when it is in; 0: there is none."""
    path = running.data / "past.json"
    while until_us and not Kept.read(path, until_us).whole:
        child = Child(
            name="past",
            argv=(
                *(sys.executable, "-m", "hospital_ops", "simulate", "past"),
                *("--run", str(run_file.path), "--seed", str(seed)),
                *("--until", str(until_us), "--kept", str(path)),
            ),
            env=running.environment,
        )
        process = spawn(child, running.data / "log")
        try:
            await ended(process)
        finally:
            process.terminate()
            status = collect(process)
        if Kept.read(path, until_us).whole:
            print(f"The past {FULL_HOURS} hours of the wards are in: trends, flowsheets, reports.")
            sys.stdout.flush()
            return
        _log.warning("past_not_in", status=status)
        await asyncio.sleep(AGAIN_S)
