"""`hospital-ops serve ROLE`: one process of a role, a whole machine, or the box of a unit."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import signal
import sys
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from traceback import extract_tb
from typing import Any, Final

import uvloop

from hospital_ops import log, settings
from hospital_ops.commands.process import Process
from hospital_ops.errors import ConfigurationError

ROLES: Final = ("gateway", "live", "store", "web", "notify")
SETTLED_S: Final = 5.0  # by then a role has built what it keeps for as long as it runs


def main(argv: list[str]) -> int:
    """Runs a role until SIGTERM or SIGINT; exit 2 where the configuration is not fit."""
    parser = argparse.ArgumentParser(prog="hospital-ops serve", description=__doc__)
    parser.add_argument("role", choices=(*ROLES, "all", "edge"))
    parser.add_argument("--upstream", help="edge: the hospital's address, https://...")
    given = parser.parse_args(argv)
    role = given.role
    if (role == "edge") != bool(given.upstream):
        parser.error("edge, and only edge, needs --upstream URL")
    try:
        if role == "all":
            from hospital_ops.commands.whole_machine import serve_all

            return serve_all()
        loaded = settings.load()
        log.configure(role, loaded.log_level)
        if role == "edge":
            from hospital_ops.commands.edge import run

            uvloop.run(_until_told(run(loaded, given.upstream)))
            return 0
        module = importlib.import_module(f"hospital_ops.commands.role_{role}")
        uvloop.run(_until_told(module.run(Process(loaded, role))))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0
    except Exception as error:
        # The outermost edge of a role: it says where it failed and ends, to be started anew.
        return _failed(role, error)
    return 0


def _failed(role: str, error: Exception) -> int:
    """Exit 2 for a configuration that is not fit, 1 for anything else.

    Of an error its kind and place are logged and not its text, which may quote a patient's data.
    """
    causes = list(_single(error))
    unfit = [cause for cause in causes if isinstance(cause, ConfigurationError)]
    if unfit:
        print("\n".join(map(str, unfit)), file=sys.stderr)
        return 2
    for cause in causes:
        way = [f"{Path(at.filename).name}:{at.lineno}" for at in extract_tb(cause.__traceback__)]
        log.get(role).error("role_failed", error=type(cause).__name__, where=" ".join(way[-6:]))
    return 1


def _single(error: BaseException) -> Iterator[BaseException]:
    """The errors of a group of groups, one by one."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _single(inner)
    else:
        yield error


async def _until_told(running: Coroutine[Any, Any, None]) -> None:
    """The role's work, cancelled by a signal.

    What it has built at its start is not garbage: walking through it again and again would halt
    every bed and screen for as long (a tenth of a second in a web process).
    """
    work = asyncio.create_task(running)
    loop = asyncio.get_running_loop()
    loop.call_later(SETTLED_S, gc.freeze)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, work.cancel)
    with suppress(asyncio.CancelledError):
        await work
