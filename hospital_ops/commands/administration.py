"""What `user`, `device` and `unit` have in common: the installation's address, scope and clock."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from hospital_ops import database, settings
from hospital_ops.access import ALL_UNITS, Role, Scope
from hospital_ops.clock import SystemClock
from hospital_ops.database import Connection, DatabaseGone, Record
from hospital_ops.errors import ConfigurationError, HospitalOpsError
from hospital_ops.settings import Settings

OPERATOR: Final = "operator"  # who the audit names: somebody with a shell on this machine

Work = Callable[[Connection, Scope, int], Awaitable[str]]


class Commands(Protocol):
    """What argparse gives for the commands of a command; it has no public name for it."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:
        """The parser of one more command."""
        ...


def parser(name: str, description: str) -> tuple[argparse.ArgumentParser, Commands]:
    """A parser whose commands all ask for the hospital."""
    made = argparse.ArgumentParser(prog=f"hospital-ops {name}", description=description)
    return made, made.add_subparsers(dest="act", required=True)


def add(commands: Commands, name: str, what: str, about: str = "") -> argparse.ArgumentParser:
    """A command of `user`, `device` or `unit`; `about` is the one thing it is done to."""
    command = commands.add_parser(name, help=what)
    command.add_argument("--hospital", required=True, help="its id, for example h1")
    if about:
        command.add_argument(about)
    return command


def listed(rows: Iterable[Record | Mapping[str, Any]], line: str, ended: str) -> str:
    """Each row as a line of its columns; one whose column `ended` is true says so."""
    return "\n".join(
        line.format_map(dict(row)) + (f"  {ended}" if row[ended] else "") for row in rows
    )


def run(hospital: str, work: Work) -> int:
    """Does `work` in one transaction of the hospital and prints what it answers; 2 on refusal."""
    try:
        print(asyncio.run(_run(hospital, work)))
    except (HospitalOpsError, DatabaseGone) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _run(hospital: str, work: Work) -> str:
    scope = Scope(hospital, ALL_UNITS, Role.ADMINISTRATOR.value, OPERATOR)
    db = await database.connect(address(settings.load()), "app", name=OPERATOR)
    try:
        async with db.transaction(scope) as connection:
            return await work(connection, scope, SystemClock().now_us())
    finally:
        await db.close()


def address(loaded: Settings) -> str:
    """The database that is named, or the one of the program that runs on this data directory."""
    if loaded.database_url:
        return loaded.database_url
    run_file = loaded.data_dir / "run.json"
    if not run_file.exists():
        raise ConfigurationError(
            "Set HOSPITAL_OPS_DATABASE_URL, or HOSPITAL_OPS_DATA_DIR where a program runs."
        )
    address: str = json.loads(run_file.read_text("utf-8"))["database_url"]
    return address
