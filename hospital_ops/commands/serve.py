"""`hospital-ops serve ROLE`: one process of a role, or a whole machine."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import signal
import sys
from contextlib import suppress
from typing import Final

import uvloop

from hospital_ops import log, settings
from hospital_ops.commands.process import Process
from hospital_ops.errors import ConfigurationError

ROLES: Final = ("gateway", "live", "store", "web", "notify")


def main(argv: list[str]) -> int:
    """Runs a role until SIGTERM or SIGINT; exit 2 where the configuration is not fit."""
    parser = argparse.ArgumentParser(prog="hospital-ops serve", description=__doc__)
    parser.add_argument("role", choices=(*ROLES, "all"))
    role = parser.parse_args(argv).role
    try:
        if role == "all":
            from hospital_ops.commands.machine import serve_all

            return serve_all()
        loaded = settings.load()
        log.configure(role, loaded.log_level)
        uvloop.run(_until_told(role, Process(loaded, role)))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    return 0


async def _until_told(role: str, process: Process) -> None:
    """The role's work, cancelled by a signal."""
    module = importlib.import_module(f"hospital_ops.commands.role_{role}")
    work = asyncio.create_task(module.run(process))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    with suppress(asyncio.CancelledError):
        await work
