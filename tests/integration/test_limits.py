"""A physician applies a limit after its replay; the unit rings by it until it is taken back."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx2

from hospital_ops import identity
from hospital_ops.clock import SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from streams.append import Appender
from streams.pipe import Pipe
from streams.relay import Relay
from tests.integration.streams_help import observed, storing, until
from tests.integration.test_alarm_acts import board, post, ward
from tests.integration.web_help import BED, UNIT, Running

CUFF = "8478-0"
# A cuff that alternates between 115 and 90 once a minute: thirty-one alarms of MAP above 110.
DAY = """
insert into measurement (hospital_id, unit, place, patient_id, device, source, source_message_id,
  event_id, code, channel, value, physical_unit, determined_at, received_at, stored_at, validity,
  mode, origin, remark, entry_id)
select 'h1', $1, $2, $3, 'm', 's', n::text, gen_random_uuid(), $4, '',
  case when n % 2 = 0 then 115 else 90 end, 'mm[Hg]', now() - interval '2 hours' + n * interval
  '1 minute', now(), now(), 'Vld', $5, 'monitor', '', n::text from generate_series(0, 61) n
"""


async def get(running: Running, who: str, url: str, **params: Any) -> httpx2.Response:
    async with running.client(who) as client:
        return await client.get(f"{running.address}{url}", params=params)


async def ringing(running: Running) -> dict[str, Any]:
    """The alarm of a high mean pressure, explained; empty while there is none."""
    found = [alarm for alarm in await board(running) if alarm["code"] == "map_high"]
    if not found:
        return {}
    url = f"/api/v1/icu/beds/{BED}/alarms/{found[0]['id']}"
    return dict((await get(running, "h1-nurse", url)).json())


async def replayed(running: Running, superuser: Connection) -> dict[str, Any]:
    """A day of alarms, replayed by a nurse and by a physician: what the physician may sign."""
    patient, mode = identity.patient_id("h1", "m1"), running.web.mode
    await superuser.execute(DAY, UNIT, BED, patient, CUFF, mode)
    asked = {"rule": "map_high", "code": CUFF, "limit": "118"}
    replay = f"/api/v1/icu/units/{UNIT}/alarm-replay"
    assert (await get(running, "h1-nurse", replay, **asked)).json()["replay"] is None
    found = (await get(running, "h1-doctor", replay, **asked)).json()
    assert "rang" in found, found
    assert (found["rang"], found["missed"], found["too_few"]) == (31, 31, False)
    unsafe = await get(running, "h1-doctor", replay, **(asked | {"limit": "150"}))
    assert unsafe.json()["replay"] is None
    return {"replay": found["replay"], "reason": "the ward's own week"}


async def signed_for(running: Running, signed: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Applies it, once and by a physician only; the address and the change."""
    nobody = str(uuid4())
    limits = f"{running.address}/api/v1/icu/units/{UNIT}/alarm-limits"
    for who, body, answers in (
        ("h1-nurse", signed, 404),
        ("h1-doctor", signed | {"reason": " "}, 400),
        ("h1-doctor", signed | {"replay": nobody}, 404),
        ("h1-doctor", signed, 200),
        ("h1-doctor", signed, 409),
    ):
        answer = await post(running, who, limits, body)
        assert answer.status_code == answers, (who, body, answer.text)
    change = (await get(running, "h1-nurse", f"/api/v1/icu/units/{UNIT}/alarm-limits")).json()
    (applied,) = change["changes"]
    assert (applied["approved_by"], applied["in_force"]) == ("h1-doctor", True)
    return limits, applied


async def own_limit(running: Running) -> None:
    """A stricter red for one patient; a looser one is refused."""
    own = f"{running.address}/api/v1/icu/beds/{BED}/limits"
    mine = {"rule": "map_low", "code": CUFF, "limit": 65, "reason": "a goal of 65"}
    assert (await post(running, "h1-nurse", own, mine)).status_code == 404
    looser = await post(running, "h1-doctor", own, mine | {"limit": 55})
    assert looser.json()["error"] == "not_safe"
    assert (await post(running, "h1-doctor", own, mine)).status_code == 200
    assert (await post(running, "h1-doctor", own, mine | {"limit": 62})).status_code == 409


async def listed(running: Running) -> None:
    """The bed lists both with who approved them, and both pages say why."""
    held = (await get(running, "h1-nurse", f"/api/v1/icu/beds/{BED}/limits")).json()["limits"]
    assert {
        (row["rule"], row["limit"], row["of"], row["approved_by"])
        for row in held
        if row["of"] != "table"
    } == {("map_high", 118.0, "unit", "h1-doctor"), ("map_low", 65.0, "patient", "h1-doctor")}
    for url, word in (
        (f"/icu/{UNIT}/alarm-limits", "own week"),
        (f"/icu/beds/{BED}/limits", "a goal of 65"),
    ):
        page = await get(running, "h1-doctor", url)
        assert page.status_code == 200
        assert word in page.text


async def test_a_limit_is_replayed_applied_rung_by_and_taken_back(
    fresh_valkey: Valkey,
    app: Database,
    writer: Database,
    superuser: Connection,
    two_hospitals: None,
) -> None:
    pipe, clock = Pipe(fresh_valkey.url), SystemClock()
    relay = Relay(writer, Appender(pipe), clock, "Test")
    async with (
        ward(fresh_valkey.url, app) as (running, _),
        storing(fresh_valkey.url, writer, shards=(UNIT,)),
    ):

        async def known() -> bool:
            return bool(await superuser.fetchval("select count(*) from patient_event"))

        await until(known, "the admission is archived")
        signed = await replayed(running, superuser)
        limits, applied = await signed_for(running, signed)
        await own_limit(running)
        assert await relay.step() == 2
        await listed(running)
        for value in (115.0, 119.0):
            await running.web.appender.append(UNIT, observed(value, clock.now_us(), code=CUFF))

        async def by_the_unit() -> bool:
            told = await ringing(running)
            return bool(told) and (told["value"], told["limit"]) == (119.0, 118.0)

        await until(by_the_unit, "115 rings nothing, 119 rings by the limit of the unit")
        assert (await ringing(running))["rule"]["approved_by"] == "h1-doctor"

        undo = f"{limits}/{applied['change']}/undo"
        assert (await post(running, "h1-nurse", undo, {"reason": "no"})).status_code == 404
        assert (await post(running, "h1-doctor", undo, {"reason": "rings late"})).status_code == 200
        assert (await post(running, "h1-doctor", undo, {"reason": "again"})).status_code == 409
        assert await relay.step() == 1
        await running.web.appender.append(UNIT, observed(115.0, clock.now_us(), code=CUFF))

        async def by_the_table() -> bool:
            told = await ringing(running)
            return bool(told) and (told["limit"], told["rule"]["approved_by"]) == (110.0, None)

        await until(by_the_table, "the table's limit holds again")
        acts = await superuser.fetch(
            "select action from audit where action in ('set_limit', 'undo_limit') order by at"
        )
        assert [row["action"] for row in acts] == ["set_limit", "set_limit", "undo_limit"]
    await pipe.close()
