"""The roles of one machine share its processors: boards and alarms come before the archive."""

import os
import subprocess
import sys

# The role begins, and its database is away for good.
BEGUN = """
import asyncio, os
from types import SimpleNamespace
from hospital_ops.commands import role_store

async def away(*given, **named):
    raise SystemExit(os.getpriority(os.PRIO_PROCESS, 0))

role_store.database.connect = away
asyncio.run(role_store.run(SimpleNamespace(settings=SimpleNamespace(database_url="away"))))
"""


def test_the_archive_lets_boards_and_alarms_go_first() -> None:
    begun = subprocess.run([sys.executable, "-c", BEGUN], check=False)
    assert begun.returncode > os.getpriority(os.PRIO_PROCESS, 0)
