"""The alarm load of a unit, from its archive, for those who may see its patients."""

from __future__ import annotations

from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from tests.integration.streams_help import storing, until
from tests.integration.test_alarm_acts import post, ward
from tests.integration.web_help import BED, UNIT


async def test_an_alarm_that_was_taken_on_is_counted_with_its_answer_and_without_a_name(
    fresh_valkey: Valkey, app: Database, writer: Database, superuser: Connection
) -> None:
    async with ward(fresh_valkey.url, app) as (running, url):
        await post(running, "h1-nurse", f"{url}/acknowledge")
        async with storing(running.web.redis_url, writer):

            async def answered() -> bool:
                found = await superuser.fetchval(
                    "select count(*) from alert_event where state = 'acknowledged'"
                )
                return bool(found)

            await until(answered, "the acknowledgement is archived")
        api = f"{running.address}/api/v1/icu/units/{UNIT}/alarm-load"
        async with running.client("h1-nurse") as client:
            told = (await client.get(api)).json()
            page = await client.get(f"{running.address}/icu/{UNIT}/alarm-load")
            assert (await client.get(api, params={"days": 99})).status_code in (400, 422)
        row = next(row for row in told["beds"] if row["rule"] == "map_low")
        assert (row["bed"], row["count"], row["answered"]) == (BED, 1, 1)
        assert row["answer_s"] is not None
        assert row["too_few"] is True
        assert "h1-nurse" not in str(told)
        assert page.status_code == 200
        assert "too few" in page.text
        asked = f"{running.address}/api/v1/icu/units/{UNIT}/alarm-replay"
        question = {"rule": "map_high", "code": "8478-0", "limit": "40", "days": "1"}
        async with running.client("h1-nurse") as client:
            answer = (await client.get(asked, params=question)).json()
            assert (answer["rang"], answer["would_ring"], answer["too_few"]) == (0, 1, True)
            assert answer["new_list"][0]["bed"] == BED
            red = await client.get(asked, params=question | {"rule": "map_low"})
            assert (red.status_code, red.json()["error"]) == (400, "red")
            form = {"what": "map_high|8478-0", "limit": "40,0", "delay_s": "", "days": "1"}
            told = await client.get(f"{running.address}/icu/{UNIT}/alarm-replay", params=form)
            assert "Nothing was changed" in told.text
        async with running.client("h2-nurse") as client:
            assert (await client.get(asked, params=question)).status_code in (403, 404)
        for who in ("h2-nurse", "h1-emergency", "h1-wall"):
            async with running.client(who) as client:
                assert (await client.get(api)).status_code in (403, 404)
