"""`serve all`: every role on one machine, and a run file that says where."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hospital_ops import log, settings
from hospital_ops.commands.machine import machine, until_told
from hospital_ops.commands.run_file import RunFile
from hospital_ops.settings import Settings


def serve_all() -> int:
    """Runs until SIGTERM or Ctrl-C."""
    wanted = settings.load()
    log.configure("main", wanted.log_level)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(wanted))
    return 0


async def _serve(wanted: Settings) -> None:
    async def nothing(_: Settings) -> None:
        return

    run_file = RunFile(wanted)
    async with machine(wanted, nothing, run_file.pids_changed) as running:
        run_file.begin(running)
        await until_told()
        run_file.end()
