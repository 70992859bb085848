"""bench alarms: from a sample to an alarm on the board, with and without PostgreSQL; the ledger.

A heart rate below the lowest limit rings without delay (rule `brady_extreme`), so what is measured
is the way and not a rule's waiting.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any, Final

import uvloop

from benchmarks.messages import admission
from benchmarks.program import program
from benchmarks.stage import Stage, bed_of, furnish, stage, wall_token
from hospital_ops.clock import SystemClock
from streams.append import Appender
from streams.pipe import Pipe

UNITS: Final = 20
BEDS: Final = 50
SETTLED_S: Final = 8.0  # after the last sample: what is later than this is lost
# The rows of rhythms are found on recorded patients by the bench of the ECG.
RHYTHMS: Final = "benchmarks.rhythm_alarms"
Row = dict[str, Any]


def way(*, quick: bool = False) -> list[Row]:
    """The rows `alarms.p99` and `alarms.stall`."""
    return uvloop.run(_way(quick=quick))


def ledger(*, long: bool = False) -> list[Row]:
    """The rows `alarms.missed` and `alarms.extra`: an hour, or a day with --long."""
    return _ledger(hours=24 if long else 1)


def rhythms(*, quick: bool = False) -> list[Row]:
    """The rows of rhythms, where the bench of the ECG has them."""
    try:
        module = importlib.import_module(RHYTHMS)
    except ModuleNotFoundError:
        return []
    return list(module.rows(quick=quick))


PARTS: Final = (way, ledger, rhythms)


def rows(*, quick: bool = False, long: bool = False) -> list[Row]:
    """The rows of bench `alarms` that are measured so far."""
    return way(quick=quick) + ledger(long=long) + rhythms(quick=quick)


async def _way(*, quick: bool) -> list[Row]:
    seconds = 5.0 if quick else 20.0
    async with stage() as on:
        units = await furnish(on, icus=UNITS, beds=BEDS)
        token = await wall_token(on)
        for role in ("live", "store", "web"):
            await on.role(role)
        await _admit(on, units)
        running = await _alarms(on, units, token, seconds, (0, 500))
        await on.end("postgres")
        stopped = await _alarms(on, units, token, seconds, (500, 1000))
    words = "1,000 beds, one message of ten values a second each, no waves; p50"
    return [
        {
            "id": "alarms.p99",
            "value": running["alarm_p99_ms"],
            "n": running["alarms"],
            "note": f"{words} {running['alarm_p50_ms']:.0f} ms",
        },
        {
            "id": "alarms.stall",
            "value": stopped["alarm_p99_ms"],
            "limit": running["alarm_p99_ms"],
            "n": stopped["alarms"],
            "note": f"ms; {words} {stopped['alarm_p50_ms']:.0f} ms while PostgreSQL is stopped",
        },
    ]


async def _admit(on: Stage, units: list[str]) -> None:
    """A grown-up in every bed."""
    pipe, now = Pipe(on.redis_url), SystemClock().now_us()
    appender = Appender(pipe)
    for unit in units:
        beds = [bed_of(unit, number) for number in range(1, BEDS + 1)]
        await appender.append_many(unit, [(admission(unit, bed, now), b"") for bed in beds])
    await pipe.close()


async def _alarms(
    on: Stage, units: list[str], token: str, seconds: float, slow: tuple[int, int]
) -> dict[str, Any]:
    """The hearts of the beds `slow` beat slowly once: when was each alarm on the board?"""
    async with (
        program(
            "clients.viewers", port=on.http_port, token=token, units=units, viewers=UNITS
        ) as viewers,
        program(
            "clients.beds",
            redis=on.redis_url,
            units=dict.fromkeys(units, BEDS),
            seconds=seconds,
            waves=False,
            least=False,
            slow_hearts=slow,
        ) as ward,
    ):
        await ward.tell()
        await ward.result()
        await asyncio.sleep(SETTLED_S)
        seen = await viewers.finish()
    expected = slow[1] - slow[0]
    assert seen["alarms"] == expected, f"the ledger: {seen['alarms']} alarms of {expected}"
    return seen


def _ledger(hours: int) -> list[Row]:
    """A ward over a line that fails, held against the independent scorer of the tests."""
    from tests.simulation.faulty_ward import messages
    from tests.simulation.test_alarms import BORN, HOUR_S, Run, expected

    missed = extra = count = 0
    for seed in range(7, 7 + hours):
        sent = messages(seed, len(BORN), HOUR_S)
        run = Run(seed, sent, HOUR_S)
        engine, oracle = run.episodes(), expected(run, sent)
        missed, extra = missed + len(oracle - engine), extra + len(engine - oracle)
        count += len(oracle)
    note = f"{hours} h of {len(BORN)} beds, messages dropped, repeated, late; seeds from 7"
    return [
        {"id": "alarms.missed", "value": missed, "n": count, "note": note},
        {"id": "alarms.extra", "value": extra, "n": count, "note": note},
    ]


if __name__ == "__main__":
    for row in rows(quick=True):
        print(row)
