"""Benches in their short form: they work, and their ledgers balance. No figure is judged here.

In CI those that take seconds; HOSPITAL_OPS_LONG runs them all.
"""

import asyncio
import json
import os
import sys

import pytest

from benchmarks import table

# What needs something else than servers of our own runs in the tests of its room.
QUICK = ("parse", "triage", "ingest", "mllp", "archive")
SLOW = ("prearrival", "board", "alarms", "start")
BENCHES = (*QUICK, *SLOW) if os.environ.get("HOSPITAL_OPS_LONG") else QUICK
WITHIN_S = 300.0


@pytest.mark.parametrize("name", BENCHES)
async def test_the_short_form_runs_and_nothing_is_lost_or_doubled(name: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hospital_ops",
        "bench",
        name,
        "--quick",
        "--json",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        limit=1 << 24,
    )
    async with asyncio.timeout(WITHIN_S):
        printed, said = await process.communicate()
    assert process.returncode == 0, said.decode()[-2000:]
    answer = json.loads(printed)
    assert [row["id"] for row in answer["rows"]] == [goal.id for goal in table.goals(name)]
    # A ledger that does not balance ends the bench, and every row says so.
    failed = [row["note"] for row in answer["rows"] if "the bench failed" in row["note"]]
    assert not failed, f"{failed}\n{said.decode()[-2000:]}"
    assert any(row["value"] is not None for row in answer["rows"])
    assert all(row["note"] for row in answer["rows"] if row["value"] is None)
