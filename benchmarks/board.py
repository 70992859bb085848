"""bench board: from the device to the JSON board, what it costs, and many viewers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import uvloop

from benchmarks import screens, wall
from benchmarks.program import program
from benchmarks.stage import Stage, cpu_s, furnish, memory_kb, stage, wall_token
from hospital_ops import database
from simulators.demonstration import free_port

ROLES: Final = ("valkey", "postgres", "gateway", "live", "store", "web")
UNITS: Final = 20
WARM_S: Final = 1.5
CHECK_S: Final = 0.25
CHECKS: Final = 200  # so long the archive may take to catch up
STORED: Final = "select count(*) from measurement"
Row = dict[str, Any]


@dataclass(slots=True)
class Load:
    """What a ward of `beds` beds cost, in microseconds of processor time per bed and second."""

    beds: int
    us: dict[str, float]
    p50_ms: float
    p99_ms: float
    sent: int  # messages of ten values
    updates: int
    live_kb: float  # growth of the live process
    late_ms: float  # the worst delay of the generator itself

    @property
    def sum_us(self) -> float:
        """All processes but the generator and the screens."""
        return sum(self.us.values())

    def words(self) -> str:
        """Where it went."""
        parts = " ".join(f"{name} {us:.0f}" for name, us in self.us.items())
        return f"{self.beds} beds {self.sum_us:.0f} us ({parts})"


def pipeline(*, quick: bool = False, long: bool = False) -> list[Row]:
    """The rows about the way from the device to the board."""
    return uvloop.run(_pipeline(quick=quick, long=long))


PARTS: Final = (pipeline, screens.rows, wall.rows)


def rows(*, quick: bool = False, long: bool = False) -> list[Row]:
    """The rows of bench `board` that are measured so far."""
    return pipeline(quick=quick, long=long) + screens.rows(quick=quick) + wall.rows(quick=quick)


async def _pipeline(*, quick: bool, long: bool) -> list[Row]:
    seconds = 4.0 if quick else 30.0 if long else 10.0
    async with stage() as on:
        units = await furnish(on, icus=UNITS)
        token = await wall_token(on)
        least = await _least(on, 1000, seconds)
        for role in ("gateway", "store", "web"):
            await on.role(role)
        await on.role("live", HOSPITAL_OPS_ECG_ANALYSIS="off")
        small = [10] if not quick else []
        loads = [await _house(on, units, token, beds, seconds) for beds in (*small, 100, 1000)]
        by_mllp = await _house(on, units, token, 1000, seconds, mllp=True)
        await on.end("live")
        await on.role("live")
        analysed = await _house(on, units, token, 1000, seconds, reported=True)
        await on.end("web", "gateway", "live", "store")
    full, hundred = loads[-1], loads[-2]
    costs = "; ".join(load.words() for load in loads)
    took = f"{seconds:.0f} s, limit {least.words()}"
    note = (
        f"fsync always, generator at most {full.late_ms:.0f} ms late (limit's {least.late_ms:.0f})"
    )
    n = full.updates
    return [
        {"id": "board.p50", "value": full.p50_ms, "limit": least.p50_ms, "n": n, "note": note},
        {"id": "board.p99", "value": full.p99_ms, "limit": least.p99_ms, "n": n, "note": note},
        {"id": "board.p99_ms", "value": full.p99_ms, "n": n, "note": note},
        {
            "id": "board.cpu_1000",
            "value": full.sum_us,
            "limit": least.sum_us,
            "n": n,
            "note": f"us per bed-second; entries appended as by a gateway; {costs}; {took}; with "
            f"the analysis of noise for ECG: {analysed.words()}, p99 {analysed.p99_ms:.0f} ms",
        },
        {
            "id": "board.cpu_mllp",
            "value": by_mllp.sum_us,
            "limit": full.sum_us,
            "n": by_mllp.sent,
            "note": f"us per bed-second; {by_mllp.words()}; waves as in the row before",
        },
        {
            "id": "board.growth",
            "value": full.sum_us,
            "limit": hundred.sum_us,
            "n": n,
            "note": f"us per bed-second: {costs}",
        },
        {
            "id": "board.memory_bed",
            "value": full.live_kb / (full.beds - hundred.beds),
            "n": full.beds - hundred.beds,
            "note": "growth of the live process from 100 to 1,000 beds of ten values each",
        },
    ]


async def _house(
    on: Stage,
    units: list[str],
    token: str,
    beds: int,
    seconds: float,
    *,
    mllp: bool = False,
    reported: bool = False,
) -> Load:
    """The product under a ward of `beds` beds, a viewer on each unit's board.

    `reported`: no row is judged by it, so pictures of a bed may be joined where it is too much.
    """
    port = on.mllp_port if mllp else 0
    each = {unit: beds // UNITS or 1 for unit in units[: min(UNITS, beds)]}
    before = await _stored(on)
    memory = memory_kb(on.supervisor.pids["live"])
    async with (
        program(
            "clients.viewers", port=on.http_port, token=token, units=units, viewers=UNITS
        ) as screens_,
        program(
            "clients.beds", redis=on.redis_url, units=each, seconds=seconds, waves=True,
            least=False, mllp=port,
        ) as ward,
    ):  # fmt: skip
        await asyncio.sleep(WARM_S)
        start = on.cpu_s(*ROLES)
        await ward.tell()
        await asyncio.sleep(seconds / 5)
        await screens_.tell("reset")
        sent = await ward.result()
        await _caught_up(on, before + sent["sent"] * 10)
        end = on.cpu_s(*ROLES)
        seen = await screens_.finish()
    assert not seen["lost"], f"the ledger: {seen['lost']} viewers were cut off"
    # What comes over MLLP bears no stamp: its way is not timed.
    enough = mllp or reported or seen["updates"] >= 0.7 * sent["sent"]
    assert enough, f"the ledger: {seen} of {sent}"
    return Load(
        beds=beds,
        us={name: (end[name] - start[name]) / (seconds * beds) * 1e6 for name in ROLES},
        p50_ms=seen["p50_ms"],
        p99_ms=seen["p99_ms"],
        sent=sent["sent"],
        updates=seen["updates"],
        live_kb=memory_kb(on.supervisor.pids["live"]) - memory,
        late_ms=sent["late_ms"],
    )


async def _stored(on: Stage) -> int:
    async with database.single(on.database_url, name="bench") as connection:
        count: int = await connection.fetchval(STORED)
    return count


async def _caught_up(on: Stage, expected: int) -> None:
    """The ledger: every value that was sent is in the archive once."""
    stored = 0
    for _ in range(CHECKS):
        stored = await _stored(on)
        if stored >= expected:
            break
        await asyncio.sleep(CHECK_S)
    assert stored == expected, f"the ledger: {stored} values stored of {expected}"


async def _least(on: Stage, beds: int, seconds: float) -> Load:
    """The limit under the same ward, on the same servers."""
    each = {f"u{number}": beds // UNITS for number in range(UNITS)}
    port, shared = free_port(), {"redis": on.redis_url, "units": UNITS}
    async with (
        program("limits.pipeline", role="store", database=on.database_url, **shared) as store,
        program("limits.pipeline", role="live", port=port, **shared) as live,
        program("limits.boards", port=port, units=UNITS) as boards,
        program(
            "clients.beds", redis=on.redis_url, units=each, seconds=seconds, waves=True, least=True
        ) as ward,
    ):
        await asyncio.sleep(WARM_S / 3)
        pids = {"live": live.pid, "store": store.pid} | {
            name: on.supervisor.pids[name] for name in ("valkey", "postgres")
        }
        start = {name: cpu_s(pid) for name, pid in pids.items()}
        await ward.tell()
        await asyncio.sleep(seconds / 5)
        await boards.tell("reset")
        sent = await ward.result()
        await asyncio.sleep(1.0)
        end = {name: cpu_s(pid) for name, pid in pids.items()}
        seen, kept = await boards.finish(), await store.finish()
    assert kept["rows"] == sent["sent"] * 10, f"the limit's ledger: {kept} of {sent}"
    return Load(
        beds=beds,
        us={name: (end[name] - start[name]) / (seconds * beds) * 1e6 for name in pids},
        p50_ms=seen["p50_ms"],
        p99_ms=seen["p99_ms"],
        sent=sent["sent"],
        updates=seen["updates"],
        live_kb=0.0,
        late_ms=sent["late_ms"],
    )


if __name__ == "__main__":
    for row in uvloop.run(_pipeline(quick=True, long=False)):
        print(row)
