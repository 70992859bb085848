"""Whatever is killed while everybody sends: what was acknowledged is stored, once."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator

import asyncpg
import httpx2

from hospital_ops.clock import SystemClock, to_datetime
from streams.pipe import Pipe, ReplyError
from streams.publish import read_board
from tests.faults.load_help import MONITORS, TABLETS, Load, acked, loaded
from tests.faults.oracle_help import everything_stored, judge
from tests.faults.program_help import LONG, SEED, Figures, Program, until

ROUNDS = 100 if LONG else 10
PARTS = ("valkey", "postgres", "gateway", "live", "store", "web")
UNIT = "h1-icu-1"


async def board_rev(program: Program) -> int:
    """The revision of the unit's board, or 0 while Redis is away."""
    pipe = Pipe(program.run["redis_url"], timeout_s=1.0)
    try:
        return (await read_board(pipe, UNIT)).rev
    except (OSError, ReplyError):
        return 0
    finally:
        await pipe.close()


async def stored_since(program: Program, moment: int) -> bool:
    """Whether PostgreSQL has a message that came after `moment`."""
    try:
        connection = await asyncpg.connect(program.run["database_url"], timeout=2)
    except (OSError, asyncpg.PostgresError):
        return False
    try:
        return bool(
            await connection.fetchval(
                "select exists (select from message where received_at > $1)", to_datetime(moment)
            )
        )
    except (OSError, asyncpg.PostgresError):
        return False
    finally:
        connection.terminate()


async def web_answers(program: Program) -> bool:
    """Whether the pages are served."""
    async with httpx2.AsyncClient(trust_env=False, timeout=1.0) as client:
        try:
            return (await client.get(f"{program.run['http']}/healthz")).status_code == 200
        except httpx2.TransportError:
            return False


def works_again(program: Program, load: Load, name: str, rev: int) -> Callable[[], Awaitable[bool]]:
    """What must be true before a part counts as back, asked after its kill."""
    since, moment = time.monotonic(), SystemClock().now_us()

    async def acknowledged() -> bool:
        return load.acked_at > since

    async def moved() -> bool:
        return await board_rev(program) > rev

    async def stored() -> bool:
        return await stored_since(program, moment)

    async def served() -> bool:
        return await web_answers(program)

    checks = {"live": moved, "store": stored, "postgres": stored, "web": served}
    return checks.get(name, acknowledged)


async def strike(program: Program, load: Load, name: str, rev: int) -> float:
    """Kills one part under load; answers the seconds until it works again."""
    killed = await program.kill(name)
    begin = time.monotonic()
    again = works_again(program, load, name, rev)
    await program.back(name, killed)
    await until(again, f"{name} works again")
    return time.monotonic() - begin


async def strike_some(program: Program, load: Load, names: list[str]) -> list[float]:
    """Kills several parts at once: what one needs for its return may be down, too."""
    rev = await board_rev(program)
    return await asyncio.gather(*(strike(program, load, name, rev) for name in names))


def groups(chance: random.Random) -> Iterator[list[str]]:
    """All parts in any order, one to three of them at a time."""
    left = chance.sample(PARTS, len(PARTS))
    while left:
        size = chance.randint(1, 3)
        yield left[:size]
        del left[:size]


async def strike_all(program: Program, load: Load) -> float:
    """Kills the program itself and starts it on the same data."""
    begin = time.monotonic()
    await program.kill_all()
    again = works_again(program, load, "main", 0)
    await program.wait_ready()
    await until(again, "senders are acknowledged again")
    return time.monotonic() - begin


async def test_nothing_acknowledged_is_lost_or_doubled_when_parts_and_all_are_killed(
    program: Program, figures: Figures
) -> None:
    await program.wait_ready()
    chance = random.Random(SEED)
    recovery: dict[str, list[float]] = {name: [] for name in (*PARTS, "main")}
    async with loaded(program) as load:
        await until(lambda: acked(load, 50), "the load runs")
        for done in range(1, ROUNDS + 1):
            for names in groups(chance):
                for name, took_s in zip(
                    names, await strike_some(program, load, names), strict=True
                ):
                    recovery[name].append(took_s)
                await asyncio.sleep(chance.uniform(0, 0.2))
            recovery["main"].append(await strike_all(program, load))
            if done % 10 == 0:
                figures.add("rounds of kills", done=done, acknowledged=load.acked)
    await everything_stored(program, load)
    verdict = await judge(program, load)
    for name, seconds in recovery.items():
        figures.add(
            f"kill {name}",
            fired=len(seconds),
            recovery_s_max=round(max(seconds), 2),
            recovery_s=[round(s, 2) for s in seconds],
        )
    figures.add(
        "ledger",
        senders=MONITORS + TABLETS,
        repeats=load.repeats,
        timeless=sum(sent.timeless for sent in load.messages.values()),
        **{name: getattr(verdict, name) for name in verdict.__dataclass_fields__},
    )
    figures.add("connections after all", **await left_open(program))
    assert all(len(seconds) == ROUNDS for seconds in recovery.values())
    assert load.refused == []
    assert verdict.n > 50 * ROUNDS
    assert verdict.good, verdict
    assert program.unforeseen_ends() == []


async def left_open(program: Program) -> dict[str, int]:
    """Connections to the servers; none may grow with the faults or stay in a transaction."""
    pipe = Pipe(program.run["redis_url"])
    clients = len((await pipe.call("CLIENT", "LIST")).decode().splitlines())
    await pipe.close()
    connection = await asyncpg.connect(program.run["database_url"], timeout=5)
    try:
        row = await connection.fetchrow(
            "select count(*), count(*) filter (where state like 'idle in transaction%'"
            " and state_change < now() - interval '5 seconds') from pg_stat_activity"
            " where backend_type = 'client backend'"
        )
    finally:
        await connection.close()
    assert row is not None
    backends, stuck = row
    # Two a live reader, one a board, some for each role; pools of 2, 4, 4, 10 and 10.
    assert clients < 60
    assert backends < 40
    assert stuck == 0
    return {"redis": clients, "postgres": backends, "idle_in_transaction": stuck}
