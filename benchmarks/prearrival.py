"""bench prearrival: a case opened by a crew, on the board while 100 ambulances are at work."""

from __future__ import annotations

from typing import Any, Final

import uvloop

from benchmarks.program import program
from benchmarks.stage import furnish, stage, wall_token

AMBULANCES: Final = 100
Row = dict[str, Any]


def rows(*, quick: bool = False) -> list[Row]:
    """The row `prearrival.case`."""
    return [uvloop.run(_case(quick=quick))]


async def _case(*, quick: bool) -> Row:
    seconds, opens = (4, 80) if quick else (20, 400)
    async with stage() as on:
        await furnish(on, beds=2, tablets=1)
        wall = await wall_token(on)
        for role in ("live", "store", "web"):
            await on.role(role)
        async with program(
            "clients.ambulances",
            port=on.http_port,
            tablet=on.tablets["h1-tablet-1"],
            wall=wall,
            unit="h1-ed",
            ambulances=AMBULANCES,
            seconds=seconds,
            opens=opens,
        ) as ambulances:
            await ambulances.tell()
            found = await ambulances.result()
    assert found["opened"] == opens, f"the ledger: {found['opened']} of {opens} on the board"
    assert found["batches"] == AMBULANCES * seconds, f"the ledger: {found}"
    assert not found["bad"], f"the ledger: {found['bad']}"
    note = f"p50 {found['p50_ms']:.1f} ms; {found['batches'] / seconds:.0f} batches of ten a second"
    return {"id": "prearrival.case", "value": found["p99_ms"], "n": opens, "note": note}


if __name__ == "__main__":
    print(rows(quick=True))
