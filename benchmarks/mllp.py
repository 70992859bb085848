"""bench mllp: ORU^R01 of 20 OBX over 50 connections, stored before the acknowledgement."""

from __future__ import annotations

from statistics import median
from typing import Any, Final

import uvloop

from benchmarks.messages import oru
from benchmarks.program import program
from benchmarks.stage import Stage, bed_of, furnish, stage
from simulators.demonstration import free_port
from streams.pipe import Pipe

CONNECTIONS: Final = 50
MESSAGES: Final = 400
Row = dict[str, Any]


def rows(*, quick: bool = False) -> list[Row]:
    """The row `mllp.durable`."""
    return [uvloop.run(_durable(quick=quick))]


async def _durable(*, quick: bool) -> Row:
    async with stage() as on:
        (unit,) = await furnish(on, beds=50)
        await on.role("gateway")
        messages = [oru(unit, bed_of(unit, 1 + n % 50), n) for n in range(MESSAGES)]
        limit_port = free_port()
        answered = 0
        found: tuple[list[float], list[float]] = ([], [])
        async with program("limits.mllp", port=limit_port, redis=on.redis_url):
            for _ in range(2 if quick else 5):
                for port, rates in zip((on.mllp_port, limit_port), found, strict=True):
                    result = await _round(port, messages, 1.0 if quick else 2.0)
                    rates.append(result["rate"])
                    answered += result["answered"] if port == on.mllp_port else 0
        await _balance(on, unit, answered)
    return {
        "id": "mllp.durable",
        "value": median(found[0]),
        "limit": median(found[1]),
        "n": answered,
        "note": f"real gateway process, {len(messages[0])} B a message; the limit keeps raw bytes",
    }


async def _round(port: int, messages: list[str], seconds: float) -> dict[str, Any]:
    async with program(
        "clients.mllp", port=port, connections=CONNECTIONS, seconds=seconds, messages=messages
    ) as client:
        await client.tell()
        result = await client.result()
    assert not result["refused"], f"the ledger: {result['refused']} messages were not taken"
    return result


async def _balance(on: Stage, unit: str, answered: int) -> None:
    """What was acknowledged is in the stream; the last of each connection may be on its way."""
    pipe = Pipe(on.redis_url)
    stored = await pipe.call("XLEN", f"{{{unit}}}:in")
    await pipe.close()
    assert stored >= answered, f"acknowledged {answered}, stored {stored}"


if __name__ == "__main__":
    print(rows(quick=True))
