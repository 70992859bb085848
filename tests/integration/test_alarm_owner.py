"""Forty reds at once while the owner of the unit changes: none lost, none doubled."""

from __future__ import annotations

import asyncio
from collections import Counter

import msgspec

from hospital_ops import wire
from hospital_ops.board import decode_bed
from hospital_ops.clock import SystemClock
from hospital_ops.servers.valkey import Valkey
from streams.append import Appender
from streams.pipe import Pipe, read_streams
from streams.publish import read_board
from streams.shard import START, keys
from tests.integration.streams_help import UNIT, admitted, icu_room, living, observed, until

BEDS = [f"{UNIT}-{number:02d}" for number in range(1, 41)]
NIBP_MEAN = "8478-0"


async def reds(pipe: Pipe) -> Counter[str]:
    """How often each bed was told to ring red, in the archive's stream."""
    out = keys(UNIT).out
    entries = (await read_streams(pipe, {out: START}, count=10_000, block_ms=None)).get(out, [])
    told = [wire.decode(fields[1]) for _, fields in entries]
    return Counter(
        event.bed
        for event in told
        if isinstance(event, wire.Alerted) and event.rule == "map_low" and event.state == "active"
    )


async def shown(pipe: Pipe) -> set[str]:
    """The beds that ring red on the board."""
    cells = (await read_board(pipe, UNIT)).cells
    return {
        name
        for name, cell in cells.items()
        if name in BEDS and any(a.code == "map_low" for a in decode_bed(cell).alarms)
    }


async def test_forty_reds_and_owners_that_end_at_any_moment(fresh_valkey: Valkey) -> None:
    pipe = Pipe(fresh_valkey.url)
    appender, now = Appender(pipe), SystemClock().now_us()
    for bed in BEDS:
        admission = admitted(f"m-{bed}", now, bed=bed)
        patient = msgspec.structs.replace(admission.patient, birth_date="1960-01-01")
        await appender.append(UNIT, msgspec.structs.replace(admission, patient=patient))
    sending = asyncio.ensure_future(
        appender.append_many(
            UNIT, [(observed(45.0, now, bed=bed, code=NIBP_MEAN), b"") for bed in BEDS]
        )
    )
    for number in range(5):  # owners that end after a few entries, wherever they are
        async with living(fresh_valkey.url, f"owner-{number}", icu_room):
            await asyncio.sleep(0.05 * number)
    await sending
    async with living(fresh_valkey.url, "last", icu_room):

        async def all_shown() -> bool:
            return await shown(pipe) == set(BEDS)

        await until(all_shown, "every red stands on the board")
    assert await reds(pipe) == Counter(dict.fromkeys(BEDS, 1))
    await pipe.close()
