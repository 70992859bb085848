"""ingest.backlog: what live beds feel while a device brings the last 24 hours beside them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import uvloop

from benchmarks.messages import admission, oru
from benchmarks.program import program
from benchmarks.stage import Stage, bed_of, furnish, stage, wall_token
from hospital_ops import database
from hospital_ops.clock import SystemClock
from streams.append import Appender
from streams.pipe import Pipe

BEDS: Final = 50
VALUES: Final = 10  # of a message, every ten seconds: 86,400 values a day
LATE: Final = "select count(*) from measurement where determined_at < now() - interval '1 hour'"
SETTLED_S: Final = 3.0  # what a ward raises when its values begin has been raised
CHECK_S: Final = 0.25
CHECKS: Final = 400  # so long the archive may take to catch up
Row = dict[str, Any]


def rows(*, quick: bool) -> list[Row]:
    """The row `ingest.backlog`."""
    return [uvloop.run(_backlog(quick=quick))]


async def _backlog(*, quick: bool) -> Row:
    count = 1440 if quick else 8640
    async with stage() as on:
        (unit,) = await furnish(on, beds=BEDS + 1)
        token = await wall_token(on)
        for role in ("gateway", "live", "store", "web"):
            await on.role(role)
        since = datetime.now(UTC) - timedelta(seconds=10 * count + 3600)
        messages = [
            oru(unit, bed_of(unit, BEDS + 1), n, VALUES, since + timedelta(seconds=10 * n))
            for n in range(count)
        ]
        await _admit(on, unit)
        async with program(
            "clients.beds",
            redis=on.redis_url,
            units={unit: BEDS},
            seconds=600.0,
            waves=False,
            least=False,
        ) as ward:
            await ward.tell()
            await asyncio.sleep(SETTLED_S)
            calm = await _live(on, unit, token, 4.0 if quick else 20.0, [])
            busy = await _live(on, unit, token, 0.0, messages)
        await _stored(on, count * VALUES)
    note = (
        f"ms; {count * VALUES} values in {count} messages over MLLP, each sent when the last one "
        f"is acknowledged; p50 {calm['p50_ms']:.1f} and {busy['p50_ms']:.1f}"
    )
    return {
        "id": "ingest.backlog",
        "value": busy["p99_ms"],
        "limit": calm["p99_ms"],
        "n": busy["updates"],
        "note": note,
    }


async def _admit(on: Stage, unit: str) -> None:
    """Somebody lies in each bed: else each device of the ward raises that it is nobody's."""
    pipe, now = Pipe(on.redis_url), SystemClock().now_us()
    beds = [bed_of(unit, number) for number in range(1, BEDS + 2)]
    await Appender(pipe).append_many(unit, [(admission(unit, bed, now), b"") for bed in beds])
    await pipe.close()


async def _live(
    on: Stage, unit: str, token: str, seconds: float, messages: list[str]
) -> dict[str, Any]:
    """The delays of fifty live beds, for `seconds` or until all messages are acknowledged."""
    async with (
        program(
            "clients.viewers", port=on.http_port, token=token, units=[unit], viewers=1
        ) as viewer,
        program(
            "clients.mllp",
            port=on.mllp_port,
            connections=1,
            messages=messages or [""],
            count=len(messages),
        ) as device,
    ):
        await asyncio.sleep(1.0)
        await viewer.tell("reset")
        await asyncio.sleep(seconds)
        if messages:
            await device.tell()
            sent = await device.result()
            assert sent["answered"] == len(messages), f"the ledger: {sent}"
            assert not sent["refused"], f"the ledger: {sent}"
        return await viewer.finish()


async def _stored(on: Stage, expected: int) -> None:
    """The ledger: every late value is in the archive once."""
    stored = 0
    async with database.single(on.database_url, name="bench") as connection:
        for _ in range(CHECKS):
            stored = await connection.fetchval(LATE)
            if stored >= expected:
                break
            await asyncio.sleep(CHECK_S)
    assert stored == expected, f"the ledger: {stored} values of {expected}"


if __name__ == "__main__":
    print(rows(quick=True))
