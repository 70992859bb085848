"""Calls by Web Push: once each, to whoever was called, whatever the service outside does."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

from hospital_ops.clock import SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from notify.push.sender import PushSender
from notify.sealing import Keys
from tests.fakes.push_service import Browser, PushService
from tests.integration.streams_help import until
from tests.integration.test_alarm_acts import post
from tests.integration.test_limits import get
from tests.integration.web_help import BED, UNIT, Running, web_process

CALLED = """
insert into alarm_call (hospital_id, unit, alarm_id, bed, post, who, at, read_at, mode, entry_id)
values ('h1', $1, $2, $3, 'nurse', $4, now(), $5, 'Test', $6)
"""
BEHAVIOURS = ("well", "slow", "gone", "busy", "broken", "reset")


OUTCOMES = """
select s.endpoint, p.outcome, s.ended_at is not null as ended,
       coalesce(s.not_before > now() + interval '9 minutes', false) as rests
  from push_sent p join push_subscription s using (subscription_id)
"""


def subscription(service: PushService, path: str, browser: Browser) -> dict[str, Any]:
    """What a browser tells of itself."""
    return {"endpoint": f"http://{service.host}/{path}", "keys": browser.keys()}


async def subscribed(running: Running, service: PushService, browsers: dict[str, Browser]) -> None:
    """Browsers of two people, each at a push service that behaves in its own way."""
    address = f"{running.address}/api/v1/push"
    running.web.keys = Keys({"test": bytes(32)})
    assert (await get(running, "h1-nurse", "/api/v1/push")).json() == {"key": None}
    running.web.push_hosts = (service.host,)
    assert (await get(running, "h1-wall", "/api/v1/push")).status_code == 404
    assert len((await get(running, "h1-nurse", "/api/v1/push")).json()["key"]) == 87
    elsewhere = {"endpoint": "https://10.0.0.1/x", "keys": Browser().keys()}
    assert (await post(running, "h1-nurse", address, elsewhere)).status_code == 400
    for how, browser in browsers.items():
        who = "h1-nurse" if how in ("well", "slow") else "h1-doctor"
        service.how[f"/{how}"] = how
        answer = await post(running, who, address, subscription(service, how, browser))
        assert answer.status_code == 200, answer.text


async def call(superuser: Connection, alarm: UUID, who: str, *, read: bool = False) -> None:
    """The archive has that somebody was called."""
    read_at = await superuser.fetchval("select now()") if read else None
    await superuser.execute(CALLED, UNIT, alarm, BED, who, read_at, str(uuid4()))


async def outcomes(superuser: Connection) -> dict[str, tuple[str, bool, bool]]:
    """What came of each, whether the subscription has ended, whether its service has a rest."""
    rows = await superuser.fetch(OUTCOMES)
    return {
        row["endpoint"].rpartition("/")[2]: (row["outcome"], row["ended"], row["rests"])
        for row in rows
    }


async def test_a_call_reaches_every_browser_once_and_a_bad_push_service_holds_nobody_up(
    fresh_valkey: Valkey, app: Database, superuser: Connection, two_hospitals: None
) -> None:
    browsers = {how: Browser() for how in BEHAVIOURS}
    async with PushService() as service, web_process(fresh_valkey.url, app) as running:
        await subscribed(running, service, browsers)
        seed = Keys({"test": bytes(32)}).push_seed
        sender = PushSender(app, seed, (service.host,), "", SystemClock(), "Test")
        first, seen, later = (uuid4() for _ in range(3))
        await call(superuser, first, "h1-nurse")
        await call(superuser, first, "h1-doctor")
        await call(superuser, seen, "h1-nurse", read=True)
        sending = asyncio.create_task(sender.step("h1"))

        async def all_asked() -> bool:
            return {path.strip("/") for path in service.asked} == set(BEHAVIOURS)

        await until(all_asked, "every browser's service was asked, beside a slow one")
        assert not sending.done(), "the slow one is waited for, and nobody waits for that"
        service.go.set()
        assert await sending == len(BEHAVIOURS)
        assert sorted(service.asked) == sorted(f"/{how}" for how in BEHAVIOURS), "once each"
        for path, headers, body in service.taken:
            said = browsers[path.strip("/")].opened(body)
            assert said["url"] == f"/icu/beds/{BED}"
            assert set(said) == {"title", "body", "url", "tag"}
            assert (headers["ttl"], headers["urgency"]) == ("60", "high")
            assert headers["authorization"].startswith("vapid t=")
        assert await outcomes(superuser) == {
            "well": ("taken", False, False),
            "slow": ("taken", False, False),
            "gone": ("gone", True, False),
            "busy": ("later", False, True),
            "broken": ("later", False, False),
            "reset": ("unknown", False, False),
        }
        assert await sender.step("h1") == 0, "nothing is sent twice"
        await call(superuser, later, "h1-doctor")
        assert await sender.step("h1") == 0, "the gone one is gone, the tired ones rest"
        again = subscription(service, "well", browsers["well"])
        await post(running, "h1-nurse", f"{running.address}/api/v1/push", again)
        await call(superuser, later, "h1-nurse")
        assert await sender.step("h1") == 2, "a browser that subscribes again is one browser"
