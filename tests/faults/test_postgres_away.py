"""With PostgreSQL stopped the ward goes on: values, ages, answers; what needs it says why."""

import asyncio
import os
import signal
import time
from typing import Any

import asyncpg
import httpx2
import pytest

from hospital_ops.clock import from_iso
from tests.faults.load_help import Load, acked, loaded
from tests.faults.oracle_help import everything_stored, judge
from tests.faults.program_help import LONG, Figures, Program, until
from tests.faults.test_paused_owner import PULSE, UNIT, signed_in

AWAY_S = 60.0 if LONG else 6.0


async def board(program: Program, token: str) -> dict[str, Any]:
    """The public snapshot."""
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.get(
            f"{program.run['http']}/api/v1/boards/{UNIT}",
            headers={"Authorization": f"Bearer {token}"},
        )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def newest(snapshot: dict[str, Any]) -> int:
    """The event time of the newest live pulse on the board."""
    values = [bed["values"].get(PULSE) for bed in snapshot["beds"]]
    return max(
        (from_iso(v["determined_at"]) for v in values if v and v["state"] == "live"), default=0
    )


async def stop_postgres(program: Program) -> list[int]:
    """The server and its backends stand still; nobody notices but by waiting."""
    stopped = program.postgres_processes()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    return stopped


async def keep_killing(program: Program) -> int:
    """Kills PostgreSQL as soon as it is back, again and again; answers how often."""
    kills, end = 0, time.monotonic() + AWAY_S
    while time.monotonic() < end:
        killed = await program.kill("postgres")
        kills += 1
        await program.back("postgres", killed)
    return kills


async def keep_cutting(program: Program) -> int:
    """Ends every connection of the roles, again and again; answers how many were ended."""
    ended, end = 0, time.monotonic() + AWAY_S
    connection = await asyncpg.connect(program.run["database_url"], timeout=10)
    try:
        while time.monotonic() < end:
            ended += await connection.fetchval(
                "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity"
                " where backend_type = 'client backend' and pid <> pg_backend_pid()"
            )
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
    return ended


async def test_connections_that_are_cut_again_and_again_lose_nothing(
    program: Program, figures: Figures
) -> None:
    await program.wait_ready()
    async with loaded(program) as load:
        await until(lambda: acked(load, 50), "the load runs")
        ended = await keep_cutting(program)
        healed = time.monotonic()
        await until(lambda: can_sign_in(program), "people can sign in again")
    await everything_stored(program, load)
    verdict = await judge(program, load)
    figures.add(
        "PostgreSQL cuts connections",
        fired=ended,
        away_s=AWAY_S,
        drained_s=round(time.monotonic() - healed, 2),
        n=verdict.n,
        lost=verdict.lost,
        doubled=verdict.doubled,
    )
    assert ended > 10
    assert verdict.good, verdict
    assert program.unforeseen_ends() == []


@pytest.mark.parametrize("way", ["stands still", "is killed again and again"])
async def test_the_ward_goes_on_without_postgres(
    program: Program, figures: Figures, way: str
) -> None:
    await program.wait_ready()
    token = await signed_in(program)
    async with loaded(program) as load:
        await until(lambda: acked(load, 50), "the load runs")
        begin_newest, begin_acked = newest(await board(program, token)), load.acked
        if way == "stands still":
            stopped = await stop_postgres(program)
            try:
                kills = len(stopped)
                refusal = await refused_sign_in(program)
                await asyncio.sleep(AWAY_S)
                went_on = await still_works(program, token, load, begin_newest, begin_acked)
            finally:
                for pid in stopped:
                    os.kill(pid, signal.SIGCONT)
        else:
            killing = asyncio.create_task(keep_killing(program))
            refusal = await refused_sign_in(program)
            kills = await killing
            went_on = await still_works(program, token, load, begin_newest, begin_acked)
        healed = time.monotonic()
        await until(lambda: can_sign_in(program), "people can sign in again")
        sign_in_s = time.monotonic() - healed
    await everything_stored(program, load)
    drained_s = time.monotonic() - healed
    verdict = await judge(program, load)
    figures.add(
        f"PostgreSQL {way}",
        fired=kills,
        away_s=AWAY_S,
        acknowledged_meanwhile=went_on,
        sign_in_again_s=round(sign_in_s, 2),
        drained_s=round(drained_s, 2),
        n=verdict.n,
        lost=verdict.lost,
        doubled=verdict.doubled,
    )
    assert "PostgreSQL does not serve at the moment" in refusal["detail"]
    assert verdict.good, verdict
    assert program.unforeseen_ends() == []


async def still_works(
    program: Program, token: str, load: Load, newest_before: int, acked_before: int
) -> int:
    """The board shows newer values, and senders were answered; how many messages were."""
    snapshot = await board(program, token)
    assert newest(snapshot) > newest_before + 1_000_000
    assert load.acked > acked_before + 50
    return load.acked - acked_before


async def refused_sign_in(program: Program) -> dict[str, Any]:
    """The answer to somebody who wants to sign in now: 503 with a sentence."""

    async def answer() -> dict[str, Any] | None:
        response = await sign_in(program)
        if response.status_code != 503:
            return None
        assert response.headers["retry-after"]
        found: dict[str, Any] = response.json()
        return found

    refusal: dict[str, Any] = await until(answer, "signing in is refused with a sentence")
    return refusal


async def can_sign_in(program: Program) -> bool:
    """Whether signing in works."""
    return (await sign_in(program)).status_code == 200


async def sign_in(program: Program) -> httpx2.Response:
    """One attempt."""
    user = next(u for u in program.run["users"] if u["name"] == "nurse.h1")
    async with httpx2.AsyncClient(trust_env=False, timeout=40) as client:
        return await client.post(
            f"{program.run['http']}/api/v1/session",
            json={"name": user["name"], "password": user["password"]},
        )
