"""Somebody signs on, is called without PostgreSQL, and is known to have read the call."""

from __future__ import annotations

from typing import Any

import httpx2
import msgspec

from hospital_ops.clock import SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from streams.append import Appender
from streams.pipe import Pipe
from streams.relay import Relay
from tests.integration.streams_help import (
    UNIT,
    admitted,
    icu_room,
    living,
    observed,
    storing,
    until,
)
from tests.integration.web_help import BED, OTHER_BED, Running, web_process

NIBP_MEAN = "8478-0"


async def put(running: Running, who: str, url: str, body: Any) -> httpx2.Response:
    async with running.client(who) as client:
        return await client.put(url, json=body)


async def red(running: Running) -> dict[str, Any]:
    """The red of the bed, as the public snapshot has it."""
    async with running.client("h1-wall") as client:
        board = (await client.get(f"{running.address}/api/v1/boards/{UNIT}")).json()
    alarms = [a for bed in board["beds"] if bed["bed"] == BED for a in bed["alarms"]]
    return next((a for a in alarms if a["code"] == "map_low"), {})


async def signed_on(running: Running, duty: str) -> None:
    """A nurse and a physician sign on; nobody else may, and for nothing else."""
    mine = {"post": "nurse", "beds": [BED], "second": [OTHER_BED]}
    for who, body, answers in (
        ("h1-nurse", mine, (200,)),
        ("h1-nurse", mine | {"post": "physician"}, (400,)),
        ("h1-nurse", mine | {"beds": ["h2-icu-1-01"]}, (400,)),
        ("h1-nurse", mine | {"hours": 100}, (400,)),
        ("h1-doctor", {"post": "physician"}, (200,)),
        ("h1-wall", mine, (404,)),
        ("h2-nurse", mine, (404,)),
    ):
        answer = await put(running, who, duty, body)
        assert answer.status_code in answers, (who, body, answer.text)


async def test_a_nurse_signs_on_is_called_and_is_known_to_have_read_it(
    fresh_valkey: Valkey,
    app: Database,
    writer: Database,
    superuser: Connection,
    two_hospitals: None,
) -> None:
    pipe, clock = Pipe(fresh_valkey.url), SystemClock()
    async with (
        web_process(fresh_valkey.url, app) as running,
        living(fresh_valkey.url, "test", icu_room),
    ):
        duty = f"{running.address}/api/v1/icu/units/{UNIT}/duty"
        await signed_on(running, duty)
        settings = f"{running.address}/api/v1/icu/units/{UNIT}/alarm-settings"
        assert (await put(running, "h1-nurse", settings, {})).status_code == 404
        assert await Relay(writer, Appender(pipe), clock, "Test").step() == 2
        now = clock.now_us()
        admission = admitted("m1", now)
        patient = msgspec.structs.replace(admission.patient, birth_date="1960-01-01")
        await running.web.appender.append(UNIT, msgspec.structs.replace(admission, patient=patient))
        await running.web.appender.append(UNIT, observed(45.0, now, code=NIBP_MEAN))

        async def called() -> bool:
            return [c["who"] for c in (await red(running)).get("called", [])] == ["h1-nurse"]

        await until(called, "the nurse of the bed is called")
        assert (await red(running))["next_call"]["posts"] == ["second"]
        async with running.client("h1-nurse") as nurse:
            page = (await nurse.get(f"{running.address}/icu/{UNIT}/duty")).text
            assert "h1-doctor" in page
            assert "MAP 45 &lt; 60" in page
            pressed = await nurse.post(
                f"{running.address}/icu/{UNIT}/duty", data={"post": "charge", "hours": "8"}
            )
            assert pressed.status_code == 303
            assert (await nurse.get(f"{running.address}/icu/beds/{BED}/alarms")).status_code == 200

        async def read() -> bool:
            return all(call["read_at"] for call in (await red(running))["called"])

        await until(read, "the board knows that the call was read")
        async with storing(fresh_valkey.url, writer, shards=(UNIT,)):

            async def archived() -> bool:
                rows = await superuser.fetch(
                    "select read_at from alarm_call where who = 'h1-nurse' order by entry_id"
                )
                return [bool(row["read_at"]) for row in rows] == [False, True]

            await until(archived, "the call and its receipt are in the archive")
    await pipe.close()
