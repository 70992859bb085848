"""Silencing is enabled by name on a unit's own reviewed count, and a wrong verdict ends it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from hospital_ops import wire
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from tests.integration.test_alarm_acts import post
from tests.integration.test_limits import get
from tests.integration.web_help import BED, UNIT, Running, web_process

# Forty standstills that two good pulses spoke against, and one that a single pulse did.
ALARMS = """
insert into alert_event (hospital_id, unit, alarm_id, bed, patient_id, rule, priority, state, at,
  since, words, mode, entry_id, verdict)
select 'h1', $1, gen_random_uuid(), $2, 'p', 'asystole', 'high', 'active',
  now() - n * interval '1 minute', now(), 'Asystole', $3, n::text,
  jsonb_build_object('word', 'probably_false', 'reasons', '[]'::jsonb,
                     'sources', case when n = 0 then 1 else 2 end)
  from generate_series(0, 40) n
"""
REVIEWS, RULE = f"/api/v1/icu/units/{UNIT}/alarm-reviews", f"/api/v1/icu/units/{UNIT}/silencing"


async def put(running: Running, who: str, url: str, body: dict[str, Any]) -> int:
    async with running.client(who) as client:
        return (await client.put(f"{running.address}{url}", json=body)).status_code


async def asystole(running: Running) -> dict[str, Any]:
    """What the page says of the rule."""
    found = (await get(running, "h1-doctor", REVIEWS)).json()["rules"]
    return next(dict(rule) for rule in found if rule["rule"] == "asystole")


async def reviewed(running: Running, alarms: list[str], was_false: bool = True) -> dict[str, Any]:
    """A physician looks at each."""
    answer: dict[str, Any] = {}
    async with running.client("h1-doctor") as client:
        for alarm in alarms:
            url = f"{running.address}{REVIEWS}/{alarm}"
            told = await client.post(url, json={"was_false": was_false})
            assert told.status_code == 200, told.text
            answer = told.json()
    return answer


async def acts(superuser: Connection) -> list[tuple[int, bool]]:
    """What the relay has to tell the unit."""
    rows = await superuser.fetch("select entry from outbox where shard = $1 order by number", UNIT)
    entries = [wire.decode(row["entry"]) for row in rows]
    return [(e.version, e.enabled) for e in entries if isinstance(e, wire.SilencingSet)]


async def test_a_unit_enables_silencing_on_its_own_reviews_and_one_wrong_verdict_takes_it_back(
    fresh_valkey: Valkey, app: Database, superuser: Connection, two_hospitals: None
) -> None:
    async with web_process(fresh_valkey.url, app) as running:
        await superuser.execute(ALARMS, UNIT, BED, running.web.mode)
        enable, undo = (f"{running.address}{RULE}/asystole/{act}" for act in ("enable", "undo"))
        waiting = (await get(running, "h1-doctor", REVIEWS)).json()["waiting"]
        alarms = [each["alarm"] for each in waiting]
        assert len(alarms) == 40, "one witness would never have been enough"
        await reviewed(running, alarms[:38])
        why = {"reason": "forty looked at"}
        assert (await post(running, "h1-doctor", enable, why)).status_code == 409, "no site figures"
        settings = f"/api/v1/icu/units/{UNIT}/silencing-settings"
        wanted = {"least": 30, "most_share": 0.1, "version": 0}
        assert await put(running, "h1-doctor", settings, wanted) == 404, "not who enables"
        assert await put(running, "h1-admin", settings, wanted | {"least": 29}) == 400
        assert await put(running, "h1-admin", settings, wanted) == 200
        assert (await post(running, "h1-nurse", enable, why)).status_code == 404
        assert (await post(running, "h1-doctor", enable, {"reason": " "})).status_code == 400
        assert (await post(running, "h1-doctor", enable, why)).status_code == 200
        rule = await asystole(running)
        assert (rule["reviewed"], rule["wrong"], rule["upper_share"]) == (38, 0, 0.0758)
        assert rule["enabled"]["enabled_by"] == "h1-doctor"
        again = f"{running.address}{REVIEWS}/{alarms[0]}"
        twice = await post(running, "h1-doctor", again, {"was_false": False})
        assert twice.status_code == 409, "a person reviews an alarm once"
        nobody = await post(
            running, "h1-doctor", f"{running.address}{REVIEWS}/{uuid4()}", {"was_false": True}
        )
        assert nobody.status_code == 404
        for language, words in (("en", "Clopper"), ("ru", "Клоппер")):
            page = await get(running, "h1-doctor", f"/icu/{UNIT}/alarm-reviews", lang=language)
            assert page.status_code == 200
            assert words in page.text
        assert (await post(running, "h1-doctor", undo, {"reason": "a doubt"})).status_code == 200
        assert (await post(running, "h1-doctor", enable, why)).status_code == 200
        assert (await reviewed(running, alarms[38:39], was_false=False))["taken_back"]
        rule = await asystole(running)
        assert (rule["enabled"], rule["history"][0]["undone_by"]) == (None, "review")
        assert await acts(superuser) == [(1, True), (2, False), (3, True), (4, False)]
        foreign = REVIEWS.replace("h1-", "h2-")
        assert (await get(running, "h1-doctor", foreign)).status_code == 404
    kinds = await superuser.fetch("select distinct action from audit where shard = $1", UNIT)
    assert {row["action"] for row in kinds} >= {
        "review_verdict", "enable_silencing", "undo_silencing", "set_silencing_site",
    }  # fmt: skip
