"""Boards that confirm what they paint, a web process that dies, and what is decided for a bed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from hospital_ops import wire
from hospital_ops.board import decode_bed
from hospital_ops.clock import SystemClock
from hospital_ops.servers.valkey import Valkey
from streams.append import Appender
from streams.pipe import Pipe
from streams.publish import read_board
from tests.integration.streams_help import UNIT, admitted, icu_room, living, observed, until
from tests.integration.test_alarm_acts import board, post, ward
from tests.integration.web_help import BED, Running, web_process

BEDS = [f"{UNIT}-{number:02d}" for number in range(1, 41)]
NIBP_MEAN = "8478-0"


@asynccontextmanager
async def wall(running: Running) -> AsyncIterator[ClientConnection]:
    """A wall's screen."""
    address = f"{running.sockets}/ws/v1/boards/{UNIT}?format=json"
    async with connect(address, additional_headers=running.bearer("h1-wall")) as socket:
        yield socket


async def painting(socket: ClientConnection) -> None:
    """Confirms every revision, as a board does that is looked at."""
    async for text in socket:
        message = json.loads(text)
        if message["type"] != "beat":
            await socket.send(json.dumps({"type": "painted", "rev": message["rev"]}))


def lying(bed: str, now: int) -> wire.Admission:
    """An adult in a bed."""
    admission = admitted(f"m-{bed}", now, bed=bed)
    patient = msgspec.structs.replace(admission.patient, birth_date="1960-01-01")
    return msgspec.structs.replace(admission, patient=patient)


async def alarms(pipe: Pipe, code: str) -> dict[str, int]:
    """Bed -> when a board confirmed the alarm (0: none has), for the beds where it stands."""
    cells = (await read_board(pipe, UNIT)).cells
    return {
        bed: alarm.painted_at
        for bed in BEDS
        if bed in cells
        for alarm in decode_bed(cells[bed]).alarms
        if alarm.code == code
    }


async def test_forty_reds_at_once_while_no_web_process_runs_are_all_on_the_boards_after_it(
    fresh_valkey: Valkey,
) -> None:
    pipe, now = Pipe(fresh_valkey.url), SystemClock().now_us()
    appender = Appender(pipe)
    async with living(fresh_valkey.url, "test", icu_room):
        async with web_process(fresh_valkey.url) as running, wall(running):
            await appender.append_many(UNIT, [(lying(bed, now), b"") for bed in BEDS])
        now = SystemClock().now_us()  # the web process and its boards are gone
        await appender.append_many(
            UNIT, [(observed(45.0, now, bed=bed, code=NIBP_MEAN), b"") for bed in BEDS]
        )

        async def all_say_that_no_board_shows_them() -> bool:
            return set(await alarms(pipe, "board_lost")) == set(BEDS)

        await until(all_say_that_no_board_shows_them, "every hidden red says so")
        async with web_process(fresh_valkey.url) as running, wall(running) as screen:
            confirming = asyncio.create_task(painting(screen))

            async def all_painted() -> bool:
                reds = await alarms(pipe, "map_low")
                return set(reds) == set(BEDS) and all(reds.values())

            await until(all_painted, "every red was confirmed by the board")

            async def none_lost() -> bool:
                return not await alarms(pipe, "board_lost")

            await until(none_lost, "nothing is hidden any more")
            confirming.cancel()
    await pipe.close()


async def quiets(running: Running) -> list[dict[str, Any]]:
    """The silences of the bed, as the public snapshot has them."""
    async with running.client("h1-nurse") as client:
        answer = await client.get(f"{running.address}/api/v1/boards/{UNIT}")
    return [q for bed in answer.json()["beds"] if bed["bed"] == BED for q in bed["quiet"]]


async def test_a_bed_is_silenced_with_a_reason_by_those_who_may_and_a_wall_only_taps_seen(
    fresh_valkey: Valkey,
) -> None:
    async with ward(fresh_valkey.url) as (running, _):
        bed = f"{running.address}/api/v1/icu/beds/{BED}"
        assert (await post(running, "h1-wall", f"{bed}/seen")).json()["paused_until"]

        async def paused() -> bool:
            return any(a["code"] == "map_low" and a["paused_until"] for a in await board(running))

        await until(paused, "one tap pauses what rings")
        for who, act, body, answers in (
            ("h1-wall", "standby", {"reason": "ct"}, (404,)),
            ("h2-nurse", "standby", {"reason": "ct"}, (404,)),
            ("h1-nurse", "standby", {"reason": "noise"}, (400,)),
            ("h1-nurse", "sleep", {}, (404,)),
            ("h1-nurse", "comfort", {}, (404,)),
            ("h1-nurse", "close", {}, (404,)),
            ("h1-nurse", "confirm_comfort", {}, (409,)),
            ("h1-nurse", "standby", {"reason": "ct", "minutes": 20}, (200,)),
            ("h1-doctor", "comfort", {}, (200,)),
        ):
            answer = await post(running, who, f"{bed}/acts/{act}", body)
            assert answer.status_code in answers, (who, act, answer.text)

        async def asked() -> bool:
            return {q["kind"] for q in await quiets(running)} == {"standby", "comfort_asked"}

        await until(asked, "the stand-by holds and comfort care waits for another person")
        same = await post(running, "h1-doctor", f"{bed}/acts/confirm_comfort")
        assert same.status_code == 409
        panel = f"{running.address}/icu/beds/{BED}/quiet"
        async with running.client("h1-nurse") as nurse:
            assert "Confirm comfort care" in (await nurse.get(panel)).text
            pressed = await nurse.post(f"{panel}/confirm_comfort")
            assert pressed.status_code == 200

        async def confirmed() -> bool:
            return {q["kind"] for q in await quiets(running)} == {"standby", "comfort"}

        await until(confirmed, "two people have decided")
        async with running.client("h1-doctor") as doctor:
            assert "Tick the box" in (await doctor.post(f"{panel}/close")).text
            assert (await doctor.post(f"{panel}/resume")).status_code == 200

        async def over() -> bool:
            return not await quiets(running)

        await until(over, "anybody may end a silence")
