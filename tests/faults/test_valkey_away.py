"""With the stream server standing still nobody hears a yes; afterwards the senders catch up."""

import asyncio
import os
import signal
import time

from simulators.clients import TRY_AGAIN, MllpClient
from simulators.messages import Reading, Sender, observations
from tests.faults.load_help import acked, loaded
from tests.faults.oracle_help import everything_stored, judge
from tests.faults.program_help import LONG, Figures, Program, until

STILL_S = 60.0 if LONG else 5.0
IN_FLIGHT_S = 0.5  # an answer that was written before the stop is heard after it


async def test_while_the_stream_server_stands_still_nobody_hears_a_yes(
    program: Program, figures: Figures
) -> None:
    await program.wait_ready()
    async with loaded(program) as load:
        await until(lambda: acked(load, 50), "the load runs")
        server = program.pid("valkey")
        os.kill(server, signal.SIGSTOP)
        try:
            await asyncio.sleep(IN_FLIGHT_S)
            before = load.acked
            asking = asyncio.create_task(first_answer(program))
            await asyncio.sleep(STILL_S)
            during = load.acked - before
        finally:
            os.kill(server, signal.SIGCONT)
        healed = time.monotonic()
        await until(lambda: acked(load, before + 1), "senders are acknowledged again")
        acknowledged_s = time.monotonic() - healed
        said = await asking
    await everything_stored(program, load)
    drained_s = time.monotonic() - healed
    verdict = await judge(program, load)
    figures.add(
        "Valkey stands still",
        fired=1,
        still_s=STILL_S,
        acknowledged_meanwhile=during,
        said=said,
        acknowledged_again_s=round(acknowledged_s, 2),
        drained_s=round(drained_s, 2),
        n=verdict.n,
        lost=verdict.lost,
        doubled=verdict.doubled,
    )
    assert during == 0
    assert program.pid("valkey") == server, "it was slow, not dead: nobody killed it"
    assert verdict.good, verdict
    assert program.unforeseen_ends() == []


async def first_answer(program: Program) -> str:
    """What a monitor hears that sends now: a refusal, or nothing until the server goes on."""
    bed = next(bed["bed"] for bed in program.run["beds"] if bed["unit"] == "h1-icu-1")
    client = MllpClient("127.0.0.1", program.mllp_port, timeout_s=STILL_S + 30)
    sender = Sender(f"{bed}-asking", "h1-icu-1", bed, "")
    try:
        at = time.time_ns() // 1000
        answer = await client.send(observations("asking", sender, at, [Reading("hr", 70.0)]))
    except TRY_AGAIN as error:
        return type(error).__name__
    finally:
        await client.close()
    return answer.text or answer.code
