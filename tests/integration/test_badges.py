"""A badge at a wall: one act by name, within seconds, and only of somebody who is known."""

from __future__ import annotations

from hospital_ops import wire
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from notify.sealing import Keys
from streams.badge_acts import WRONG_MOST
from streams.pipe import read_streams
from streams.shard import START, keys
from tests.integration.streams_help import until
from tests.integration.test_alarm_acts import board, post, ward
from tests.integration.test_limits import get
from tests.integration.web_help import BED, UNIT

BADGE, UNKNOWN = "0004217731", "0009999999"
PEOPLE = """
insert into account (account, hospital_id, name, role, password_hash)
values (gen_random_uuid(), 'h1', 'h1-nurse', 'nurse', 'x'),
       (gen_random_uuid(), 'h1', 'h1-crew', 'crew', 'x')
"""


async def test_a_badge_takes_an_alarm_on_by_name_at_a_wall_once(
    fresh_valkey: Valkey, app: Database, superuser: Connection, two_hospitals: None
) -> None:
    await superuser.execute(PEOPLE)
    async with ward(fresh_valkey.url, app) as (running, red):
        running.web.keys = Keys({"test": bytes(32)})
        at = running.address
        read = f"{at}/api/v1/icu/units/{UNIT}/badge"
        act = f"{at}/api/v1/icu/beds/{BED}/badge-acknowledge"
        mine = {"name": "h1-nurse", "badge": BADGE}
        assert (await post(running, "h1-nurse", f"{at}/api/v1/badges", mine)).status_code == 404
        made = await post(running, "h1-admin", f"{at}/api/v1/badges", mine)
        assert made.status_code == 200, made.text
        again = mine | {"name": "h1-crew"}
        assert (await post(running, "h1-admin", f"{at}/api/v1/badges", again)).status_code == 409
        crew = {"name": "h1-crew", "badge": "CREW01"}
        assert (await post(running, "h1-admin", f"{at}/api/v1/badges", crew)).status_code == 200
        stored = await superuser.fetch("select badge_hash from badge")
        assert not any(BADGE.encode() in bytes(row["badge_hash"]) for row in stored)
        for language in ("en", "ru"):
            page = await get(running, "h1-admin", "/badges", lang=language)
            assert "h1-nurse" in page.text
            assert BADGE not in page.text

        assert (await post(running, "h1-wall", act)).status_code == 404, "nobody's badge was read"
        elsewhere = await post(running, "h1-nurse", read, {"badge": BADGE})
        assert elsewhere.status_code == 404, "a badge is read at a wall and nowhere else"
        answer = await post(running, "h1-wall", read, {"badge": BADGE})
        assert answer.json() == {"name": "h1-nurse", "seconds": 15}
        done = await post(running, "h1-wall", act)
        assert done.json()["by"] == "h1-nurse"
        assert red.rpartition("/")[2] in done.json()["alarms"]
        assert (await post(running, "h1-wall", act)).status_code == 404, "one act"

        async def taken_on() -> bool:
            return {a["state"] for a in await board(running)} == {"acknowledged"}

        await until(taken_on, "the board shows that it is taken on")
        streams = await read_streams(
            running.web.appender.pipe, {keys(UNIT).incoming: START}, count=1000, block_ms=None
        )
        told = [wire.decode(fields[1]) for _, fields in streams[keys(UNIT).incoming]]
        by = {(e.by, e.role) for e in told if isinstance(e, wire.AlarmAct)}
        assert by == {("h1-nurse", "nurse")}
        noted = [e for e in told if isinstance(e, wire.Audited)]
        assert ("h1-nurse", "acknowledge_by_badge") in {(e.actor, e.action) for e in noted}
        assert BADGE not in str(told)

        address = f"{at}/api/v1/badges/{made.json()['badge']}"
        async with running.client("h1-admin") as client:
            assert (await client.delete(address)).status_code == 200
            assert (await client.delete(address)).status_code == 404
        refused = [("a revoked badge", BADGE), ("one who may not", "CREW01")]
        refused += [("unknown", UNKNOWN)] * (WRONG_MOST - len(refused))
        for why, number in refused:
            answer = await post(running, "h1-wall", read, {"badge": number})
            assert (answer.status_code, number in answer.text) == (404, False), why
        assert (await post(running, "h1-wall", read, {"badge": UNKNOWN})).status_code == 429
