"""Orders over HTTP on a real database: checked, signed as a whole, carried out; one winner."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from hospital_ops import wire
from hospital_ops.clock import SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from icu import order_sets
from tests.integration.streams_help import admitted, icu_room, living, until
from tests.integration.web_help import BED, FOREIGN_BED, UNIT, Running, web_process

ORDERS = f"/api/v1/icu/beds/{BED}/orders"
SETS = f"/api/v1/icu/beds/{BED}/order-sets"
ALLERGIES = f"/api/v1/icu/beds/{BED}/allergies"
APPROVAL = "/api/v1/icu/order-sets/sepsis/approval"


class Ward:
    """A web process that answers people of the house."""

    def __init__(self, running: Running) -> None:
        self._running = running

    async def call(self, who: str, method: str, path: str, body: Any = None) -> httpx2.Response:
        headers = self._running.bearer(who)
        async with httpx2.AsyncClient(headers=headers, timeout=20) as client:
            return await client.request(method, f"{self._running.address}{path}", json=body)

    async def post(self, path: str, body: Any, who: str = "h1-doctor") -> tuple[int, Any]:
        answer = await self.call(who, "POST", path, body)
        return answer.status_code, answer.json()

    async def get(self, path: str, who: str = "h1-nurse") -> Any:
        answer = await self.call(who, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def lying(self) -> None:
        """Somebody is admitted to the bed."""
        web = self._running.web
        await web.appender.append(UNIT, admitted("m1", SystemClock().now_us()))

        async def shown() -> bool:
            feed = web.feed(UNIT)
            return bool(feed and BED in feed.cells and getattr(feed.cells[BED], "patient", None))

        await until(shown, "the board shows who lies in the bed")


async def approved(ward: Ward) -> str:
    version = order_sets.version("sepsis")
    status, answer = await ward.post(APPROVAL, {"version": version})
    assert status == 200, answer
    return version


async def checked_and_carried_out(ward: Ward) -> None:
    drug = {"drug": "penicillin G", "dose": 2, "dose_unit": "g", "route": "iv"}
    asked: dict[str, Any] = {"kind": "medication", "details": drug}
    status, answer = await ward.post(ORDERS, asked)
    assert status == 409
    assert [c["state"] for c in answer["current"]["checks"]] == ["unknown", "clear"]
    assert (await ward.post(ALLERGIES, {"none_known": True}, "h1-nurse"))[0] == 200
    assert (await ward.post(ALLERGIES, {"substance": "Penicillin"}, "h1-nurse"))[0] == 200
    assert (await ward.post(ALLERGIES, {"none_known": True}, "h1-nurse"))[0] == 409
    status, answer = await ward.post(ORDERS, asked)
    assert (status, answer["current"]["checks"][0]["found"]) == (409, ["Penicillin"])
    assert await ward.get(ORDERS) == []
    status, order = await ward.post(ORDERS, asked | {"override": "tolerated last year"})
    assert (status, order["request"], order["signed_by"]) == (200, "active", "h1-doctor")
    path = f"{ORDERS}/{order['id']}"
    assert (await ward.post(f"{path}/hold", {"version": 1}, "h1-nurse"))[0] == 404
    assert (await ward.post(f"{path}/reject", {"version": 1}, "h1-nurse"))[0] == 400
    assert (await ward.post(f"{path}/accept", {"version": 1}, "h1-nurse"))[0] == 200
    status, lost = await ward.post(f"{path}/complete", {"version": 1}, "h1-nurse")
    assert (status, lost["current"]["task"]) == (409, "accepted")
    assert (await ward.post(f"{path}/complete", {"version": 2}, "h1-nurse"))[0] == 200
    assert (await ward.post(f"{path}/start", {"version": 3}, "h1-nurse"))[0] == 409
    history = (await ward.get(path))["history"]
    assert [(step["act"], step["by"]) for step in history] == [
        ("place", "h1-doctor"), ("accept", "h1-nurse"), ("complete", "h1-nurse"),
    ]  # fmt: skip
    assert history[0]["reason"] == "tolerated last year"


async def two_at_once(ward: Ward) -> None:
    """Of two physicians who sign the same set at the same moment one wins, and wins whole."""
    sent = {"version": order_sets.version("sepsis"), "items": [{"item": 0}, {"item": 2}]}
    status, _ = await ward.post(f"{SETS}/sepsis", sent)
    assert status == 409  # nobody has approved it
    assert (await ward.post(APPROVAL, {"version": "other"}))[0] == 409
    assert (await ward.post(APPROVAL, {"version": sent["version"]}, "h1-nurse"))[0] == 404
    await approved(ward)
    both = await asyncio.gather(*(ward.post(f"{SETS}/sepsis", sent) for _ in range(2)))
    assert sorted(status for status, _ in both) == [200, 409]
    listed = [order for order in await ward.get(ORDERS) if order["set"] == "sepsis"]
    assert len(listed) == 2
    assert len({order["signing"] for order in listed}) == 1
    first = listed[0]
    acts = [
        ward.post(f"{ORDERS}/{first['id']}/{act}", {"version": 1, "reason": "x"})
        for act in ("revoke", "hold", "start")
    ]
    answers = await asyncio.gather(*acts)
    assert sorted(status for status, _ in answers) == [200, 409, 409]


async def the_panel_of_the_bed(ward: Ward) -> None:
    """The same in words, in both languages; a set is open in one press, and every form is there."""
    for language, title in (("en", "Allergies"), ("ru", "Аллергии")):
        for path, word in (
            (f"/icu/beds/{BED}/orders?lang={language}", title),
            (f"/icu/beds/{BED}/orders/fields?kind=infusion&lang={language}", "field-rate"),
            (f"/icu/beds/{BED}/order-sets/sepsis?lang={language}", "item-10"),
        ):
            answer = await ward.call("h1-doctor", "GET", path)
            assert answer.status_code == 200, answer.text
            assert word in answer.text, (path, answer.text)
    panel = (await ward.call("h1-nurse", "GET", f"/icu/beds/{BED}/orders")).text
    have = panel.partition("list?have=")[2].partition('"')[0]
    again = f"/icu/beds/{BED}/orders/list?have="
    assert (await ward.call("h1-nurse", "GET", f"{again}{have}")).status_code == 204
    assert (await ward.call("h1-nurse", "GET", f"{again}other")).status_code == 200


async def drafts_and_recurring(ward: Ward) -> None:
    lab = {"kind": "laboratory", "text": "glucose", "repeat": {"every_min": 60, "times": 3}}
    assert (await ward.post(ORDERS, lab, "h1-nurse"))[0] == 404
    status, draft = await ward.post(ORDERS, lab | {"draft": True}, "h1-nurse")
    assert (status, draft["request"], draft["signed_by"]) == (200, "draft", None)
    path = f"{ORDERS}/{draft['id']}"
    assert (await ward.post(f"{path}/complete", {"version": 1}, "h1-nurse"))[0] == 409
    assert (await ward.post(f"{path}/sign", {"version": 1}, "h1-nurse"))[0] == 404
    status, signed = await ward.post(f"{path}/sign", {"version": 1})
    assert (status, signed["signed_by"], signed["occurrence"]) == (200, "h1-doctor", 1)
    status, again = await ward.post(f"{path}/complete", {"version": 2}, "h1-nurse")
    assert (again["task"], again["occurrence"]) == ("requested", 2)
    assert again["due_at"] > signed["due_at"]


async def test_orders_are_checked_signed_carried_out_and_seen_by_the_house_alone(
    fresh_valkey: Valkey, app: Database, superuser: Connection, two_hospitals: None
) -> None:
    async with (
        web_process(fresh_valkey.url, app) as running,
        living(fresh_valkey.url, "test", icu_room),
    ):
        ward = Ward(running)
        status, answer = await ward.post(ORDERS, {"kind": "diet", "text": "fasting"})
        assert (status, answer["error"]) == (409, "conflict")
        await ward.lying()
        await checked_and_carried_out(ward)
        await two_at_once(ward)
        await drafts_and_recurring(ward)
        await the_panel_of_the_bed(ward)
        for who in ("h2-doctor", "h1-emergency", "h1-crew", "h1-wall"):
            for path in (ORDERS, ALLERGIES):
                assert (await ward.call(who, "GET", path)).status_code == 404, who
        foreign = f"/api/v1/icu/beds/{FOREIGN_BED}/orders"
        assert (await ward.call("h1-doctor", "GET", foreign)).status_code == 404
        assert await ward.get("/api/v1/icu/order-sets", "h2-nurse") != []
        told = await superuser.fetch("select entry from outbox order by number")
        entries = [wire.decode(row["entry"]) for row in told]
        rows = await superuser.fetch("select order_id, version from native_order")
        newest: dict[str, int] = {}
        for entry in entries:
            assert isinstance(entry, wire.OrderChanged)
            assert entry.version == newest.get(entry.order, 0) + 1
            newest[entry.order] = entry.version
        assert newest == {str(row["order_id"]): row["version"] for row in rows}
        audited = await superuser.fetchval("select count(*) from audit where action ~ '^order_'")
        assert audited == len(entries)


@pytest.mark.parametrize("path", ["not-a-number", "00000000-0000-7000-8000-000000000000"])
async def test_an_order_that_does_not_exist_is_not_found(
    fresh_valkey: Valkey, app: Database, two_hospitals: None, path: str
) -> None:
    async with web_process(fresh_valkey.url, app) as running:
        ward = Ward(running)
        answer = await ward.call("h1-doctor", "GET", f"{ORDERS}/{path}")
        assert answer.status_code == 404
        assert (await ward.post(f"{ORDERS}/{path}/accept", {"version": 1}))[0] == 404
