"""`hospital-ops migrate`: brings the database to this version, once, under a lock."""

from __future__ import annotations

import argparse
import asyncio
import sys

from hospital_ops import database, settings
from hospital_ops.clock import SystemClock
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import ConfigurationError
from hospital_ops.migrations.keeper import keep_partitions
from hospital_ops.migrations.roles import roles_script
from hospital_ops.migrations.runner import migrate


def main(argv: list[str]) -> int:
    """Applies what is missing and says what; 2 where the configuration is not fit."""
    parser = argparse.ArgumentParser(prog="hospital-ops migrate", description=__doc__)
    parser.add_argument("--roles", action="store_true", help="print the script for the roles")
    if parser.parse_args(argv).roles:
        print(roles_script())
        return 0
    try:
        url = settings.load().database_url
        if not url:
            raise ConfigurationError("Set HOSPITAL_OPS_DATABASE_URL: the embedded server migrates.")
        for name in asyncio.run(_migrate(url)):
            print(name)
    except (ConfigurationError, DatabaseGone) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


async def _migrate(url: str) -> list[str]:
    await database.refuse_unfit(url)
    applied = await migrate(url)
    owner = await database.connect(url, "owner", name="migrate")
    try:
        return applied + await keep_partitions(owner, SystemClock().now_us())
    finally:
        await owner.close()
