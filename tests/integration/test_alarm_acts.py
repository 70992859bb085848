"""Acknowledge, pause and explain over HTTP; acknowledging needs no PostgreSQL at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import msgspec

from hospital_ops import wire
from hospital_ops.clock import SystemClock
from hospital_ops.database import Database
from hospital_ops.servers.valkey import Valkey
from streams.pipe import read_streams
from streams.shard import START, keys
from tests.integration.streams_help import admitted, icu_room, living, observed, until
from tests.integration.web_help import BED, UNIT, Running, web_process

NIBP_MEAN = "8478-0"

TECHNICAL = ("board_lost", "no_data", "silent_sensor")


@asynccontextmanager
async def ward(url: str, app: Database | None = None) -> AsyncIterator[tuple[Running, str]]:
    """A ward with one ringing red: the web process and the address of the alarm."""
    async with web_process(url, app) as running, living(url, "test", icu_room):
        now = SystemClock().now_us()
        admission = admitted("m1", now)
        patient = msgspec.structs.replace(admission.patient, birth_date="1960-01-01")
        admission = msgspec.structs.replace(admission, patient=patient)
        await running.web.appender.append(UNIT, admission)
        await running.web.appender.append(UNIT, observed(45.0, now, code=NIBP_MEAN))

        async def ringing() -> str:
            alarms = await board(running)
            return str(next((a["id"] for a in alarms if a["code"] == "map_low"), ""))

        alarm = await until(ringing, "the red rings on the board")
        yield running, f"{running.address}/api/v1/icu/beds/{BED}/alarms/{alarm}"


async def board(running: Running) -> list[dict[str, Any]]:
    """The alarms of the bed as the public snapshot has them."""
    async with running.client("h1-nurse") as client:
        answer = await client.get(f"{running.address}/api/v1/boards/{UNIT}")
    beds = answer.json()["beds"]
    alarms = [alarm for bed in beds if bed["bed"] == BED for alarm in bed["alarms"]]
    # No screen looks here, and nothing more is measured: that is alarmed, too, after a while.
    return [alarm for alarm in alarms if alarm["code"] not in TECHNICAL]


async def post(running: Running, who: str, url: str, body: Any = None) -> httpx2.Response:
    async with running.client(who) as client:
        return await client.post(url, json=body)


async def test_a_nurse_takes_an_alarm_on_while_postgresql_is_away(fresh_valkey: Valkey) -> None:
    async with ward(fresh_valkey.url) as (running, url):
        answer = await post(running, "h1-nurse", f"{url}/acknowledge")
        assert answer.status_code == 200
        assert "bedside" in answer.json()["bedside"]

        async def taken_on() -> bool:
            return {a["state"] for a in await board(running)} == {"acknowledged"}

        await until(taken_on, "the board shows it as acknowledged")
        streams = await read_streams(
            running.web.appender.pipe, {keys(UNIT).incoming: START}, count=100, block_ms=None
        )
        entries = [wire.decode(fields[1]) for _, fields in streams[keys(UNIT).incoming]]
        audited = [e for e in entries if isinstance(e, wire.Audited)]
        assert [(e.actor, e.action) for e in audited] == [("h1-nurse", "acknowledge_alarm")]


async def test_a_wall_may_pause_without_a_name_and_the_pause_has_an_end(
    fresh_valkey: Valkey,
) -> None:
    async with ward(fresh_valkey.url) as (running, url):
        assert (await post(running, "h1-wall", f"{url}/pause")).status_code == 200

        async def paused() -> bool:
            return all(a["paused_until"] for a in await board(running))

        await until(paused, "the board shows the pause and its end")
        assert [a["state"] for a in await board(running)] == ["active"]
        assert (await post(running, "h1-wall", f"{url}/acknowledge")).status_code in (403, 404)
        longer = await post(running, "h1-wall", f"{url}/pause", {"seconds": 120})
        assert longer.status_code in (403, 404)


async def test_a_pause_without_a_length_in_seconds_is_refused(fresh_valkey: Valkey) -> None:
    bodies: tuple[dict[str, Any], ...] = ({"seconds": -1}, {"seconds": "long"}, {"seconds": True})
    async with ward(fresh_valkey.url) as (running, url):
        for body in bodies:
            answer = await post(running, "h1-nurse", f"{url}/pause", body)
            assert answer.status_code == 400, body


async def test_nobody_of_another_house_or_unit_touches_an_alarm(fresh_valkey: Valkey) -> None:
    async with ward(fresh_valkey.url) as (running, url):
        for who in ("h2-nurse", "h1-emergency", "h1-crew"):
            for act in ("acknowledge", "pause"):
                answer = await post(running, who, f"{url}/{act}")
                assert answer.status_code in (403, 404), who
        assert (await post(running, "h1-nurse", f"{url}x/acknowledge")).status_code == 404
        assert [a["state"] for a in await board(running)] == ["active"]


async def test_an_alarm_says_why_it_rings(fresh_valkey: Valkey, app: Database) -> None:
    async with ward(fresh_valkey.url, app) as (running, url):
        async with running.client("h1-nurse") as client:
            told = (await client.get(url)).json()
        assert (told["value"], told["comparator"], told["limit"]) == (45.0, "<", 60.0)
        assert told["rule"]["id"] == "map_low"
        assert "Mindray" in told["rule"]["limit_source"]
        assert told["rule"]["age_band"] == "adult"
        assert told["duration_s"] >= 0
        assert told["now"]["value"] == 45.0
        assert told["recent"] == []


async def test_the_panel_of_a_bed_names_rule_and_source_and_is_sent_only_when_it_changes(
    fresh_valkey: Valkey,
) -> None:
    async with ward(fresh_valkey.url) as (running, url):
        panel = f"{running.address}/icu/beds/{BED}/alarms"
        async with running.client("h1-nurse") as client:
            first = (await client.get(panel)).text
            assert "MAP 45 &lt; 60" in first
            assert "Mindray" in first
            have = first.partition("?have=")[2].partition('"')[0]
            assert (await client.get(panel, params={"have": have})).status_code == 204
            alarm = url.rpartition("/")[2]
            pressed = await client.post(f"{panel}/{alarm}/acknowledge")
            assert pressed.status_code == 200

            async def seen() -> bool:
                answer = await client.get(panel, params={"have": have})
                return "seen by h1-nurse" in answer.text

            await until(seen, "the panel names who has seen it")
            assert (await client.post(f"{panel}/{alarm}/silence")).status_code == 404
        async with running.client("h1-wall") as client:
            assert (await client.get(panel)).status_code in (403, 404)


async def test_an_act_for_one_patient_is_refused_once_another_lies_in_the_bed(
    fresh_valkey: Valkey,
) -> None:
    async with ward(fresh_valkey.url) as (running, _):
        bed = f"{running.address}/api/v1/icu/beds/{BED}/acts"
        page = f"{running.address}/icu/beds/{BED}/quiet"
        other = "00000000-0000-4000-8000-000000000000"
        for act in ("close", "comfort"):
            refused = await post(running, "h1-doctor", f"{bed}/{act}", {"patient_id": other})
            assert refused.status_code == 409, act
        async with running.client("h1-doctor") as client:
            panel = (await client.get(page)).text
            meant = panel.partition('name="patient" value="')[2].partition('"')[0]
            assert meant not in ("", other)
            sent = {"sure": "yes", "patient": other}
            pressed = await client.post(f"{page}/close", data=sent)
            assert "Another patient lies in this bed now" in pressed.text
        assert [a["state"] for a in await board(running)] == ["active"]
        done = await post(running, "h1-doctor", f"{bed}/close", {"patient_id": meant})
        assert done.status_code == 200

        async def silent() -> bool:
            return not await board(running)

        await until(silent, "what rang is over for whom it was meant")


async def test_a_pause_longer_than_any_number_is_the_longest_there_is(
    fresh_valkey: Valkey,
) -> None:
    async with ward(fresh_valkey.url) as (running, url):
        answer = await post(running, "h1-nurse", f"{url}/pause", {"seconds": 10**25})
        assert answer.status_code == 200
        stand_by = f"{running.address}/api/v1/icu/beds/{BED}/acts/standby"
        sent = {"reason": "ct", "minutes": 10**25}
        assert (await post(running, "h1-nurse", stand_by, sent)).status_code == 200
        duty = f"{running.address}/api/v1/icu/units/{UNIT}/duty"
        async with running.client("h1-nurse") as client:
            odd = await client.put(duty, json={"post": "nurse", "beds": [{}]})
        assert odd.status_code == 400
