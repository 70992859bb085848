"""Orders over HTTP on a real database: checked, signed as a whole, carried out; one winner."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from uuid import uuid4

import httpx2

from hospital_ops import identity, wire
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, SystemClock, from_iso, iso, to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from icu import order_sets
from tests.integration.streams_help import admitted, carry, icu_room, living, until
from tests.integration.web_help import BED, FOREIGN_BED, UNIT, Running, web_process

ORDERS = f"/api/v1/icu/beds/{BED}/orders"
SETS = f"/api/v1/icu/beds/{BED}/order-sets"
ALLERGIES = f"/api/v1/icu/beds/{BED}/allergies"
MINUTE = 60 * SECOND
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

    async def fill(
        self, path: str, fields: dict[str, str], who: str = "h1-doctor", panel: bool = False
    ) -> httpx2.Response:
        """Sends a form, from a panel of a page or as a page of its own."""
        headers = self._running.bearer(who) | ({"HX-Request": "true"} if panel else {})
        async with httpx2.AsyncClient(headers=headers, timeout=20) as client:
            return await client.post(f"{self._running.address}{path}", data=fields)

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


def seen(refused: Any) -> Any:
    """The digests of the findings with which an order was answered."""
    return [each["digest"] for each in refused["current"]["checks"]]


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
    why = {"override": "tolerated last year"}
    assert (await ward.post(ORDERS, asked | why))[0] == 409  # for which finding is not said
    why["seen"] = seen(answer)
    status, order = await ward.post(ORDERS, asked | why)
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


async def forms_of_another(ward: Ward) -> None:
    """What was filled in for one patient is not done for whoever lies in the bed by now."""
    other, lying = str(uuid4()), str(identity.patient_id("h1", "m1"))
    page, order = f"/icu/beds/{BED}", (await ward.get(ORDERS))[0]["id"]
    sent = {"kind": "diet", "words": "fasting", "urine": "40", "reason": "x", "sure": "yes",
            "substance": "Penicillin", "version": "1", "hour": "2026-01-01T00:00Z"}  # fmt: skip
    before = await ward.get(ORDERS), await ward.get(ALLERGIES)
    for path in (
        "/orders", f"/orders/{order}/revoke", "/order-sets/sepsis", "/allergies",
        f"/allergies/{other}/end", "/flowsheet", "/flowsheet/corrections", "/flowsheet/hours",
        "/limits", f"/limits/{other}/undo", "/quiet/close",
    ):  # fmt: skip
        for named, status in (({"patient": other}, 409), ({"patient": ""}, 409), ({}, 400)):
            answer = await ward.fill(f"{page}{path}", sent | named)
            assert answer.status_code == status, (path, named, answer.text)
        said = await ward.fill(f"{page}{path}?lang=ru", sent | {"patient": other}, panel=True)
        assert (said.status_code, said.headers["hx-retarget"]) == (409, "#refused"), path
        assert "Посмотрите, кто здесь" in said.text, path
        machine = f"/api/v1{page}{path}" if "flowsheet" not in path else f"/api/v1{page}/chart"
        if "/quiet" not in path and "/undo" not in path:
            assert (await ward.post(machine, sent | {"patient_id": other}))[0] == 409, machine
        assert (await ward.fill(f"{page}{path}", sent, who="h2-doctor")).status_code == 404, path
    assert before == (await ward.get(ORDERS), await ward.get(ALLERGIES))
    for path in ("/orders", "/order-sets/sepsis", "/flowsheet", "/limits", "/quiet"):
        text = (await ward.call("h1-doctor", "GET", f"{page}{path}")).text
        forms = len(re.findall("<form ", text)) - text.count('action="/sign-out"')
        assert forms, path
        naming = text.count(f'name="patient" value="{lying}"')
        assert naming == (1 if path == "/quiet" else forms), path  # there one for the whole panel
    answer = await ward.fill(f"{page}/orders", sent | {"patient": lying})
    assert answer.status_code == 200
    assert "fasting" in answer.text


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
    assert (again["done_by"], again["done_at"] is not None) == ("h1-nurse", True)
    status, back = await ward.post(f"{path}/undo", {"version": 3}, "h1-nurse")
    assert (status, back["occurrence"], back["due_at"]) == (200, 1, signed["due_at"]), back
    assert (await ward.post(f"{path}/undo", {"version": 4}, "h1-nurse"))[0] == 409


async def a_dose_with_its_time_a_wrong_done_and_another_rate(ward: Ward) -> None:
    """Given some minutes ago, taken back, ordered anew; a rate that keeps what it was."""
    status, order = await ward.post(ORDERS, {"kind": "nursing", "text": "turn to the left"})
    path, placed = f"{ORDERS}/{order['id']}", from_iso(order["placed_at"])
    for wrong, code in ((placed + 3600 * SECOND, "in_future"), (placed - 1, "before_order")):
        sent = {"version": 1, "done_at": iso(wrong)}
        status, answer = await ward.post(f"{path}/complete", sent, "h1-nurse")
        assert (status, answer["error"]) == (400, code)
    sent = {"version": 1, "done_at": order["placed_at"], "reason": "by two"}
    status, done = await ward.post(f"{path}/complete", sent)
    assert (status, done["request"]) == (200, "completed"), done
    assert (await ward.post(f"{path}/undo", {"version": 2}, "h1-nurse"))[0] == 409  # not hers
    status, back = await ward.post(f"{path}/undo", {"version": 2})
    assert (status, back["request"]) == (200, "entered-in-error")
    again = [each for each in await ward.get(ORDERS) if each["request"] == "active"
             and each["text"] == "turn to the left"]  # fmt: skip
    assert [each["task"] for each in again] == ["requested"]
    history = (await ward.get(path))["history"]
    assert [step["undoes"] for step in history] == [None, None, 2]
    sent = {"kind": "infusion",
            "details": {"drug": "vasopressin", "rate": 1, "rate_unit": "U/h"}}  # fmt: skip
    status, infusion = await ward.post(ORDERS, sent)
    assert status == 200, infusion
    path = f"{ORDERS}/{infusion['id']}"
    assert (await ward.post(f"{path}/adjust", {"version": 1, "rate": 2}, "h1-nurse"))[0] == 404
    status, more = await ward.post(f"{path}/adjust", {"version": 1, "rate": 2})
    assert (status, more["details"]["rate"]) == (200, 2), more
    [changed] = [step["changed"] for step in (await ward.get(path))["history"][1:]]
    assert (changed["before"]["rate"], changed["after"]["rate"]) == (1, 2)


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
        await a_dose_with_its_time_a_wrong_done_and_another_rate(ward)
        await the_panel_of_the_bed(ward)
        await forms_of_another(ward)
        for who in ("h2-doctor", "h1-emergency", "h1-crew", "h1-wall"):
            for path in (ORDERS, ALLERGIES):
                assert (await ward.call(who, "GET", path)).status_code == 404, who
        foreign = f"/api/v1/icu/beds/{FOREIGN_BED}/orders"
        assert (await ward.call("h1-doctor", "GET", foreign)).status_code == 404
        assert await ward.get("/api/v1/icu/order-sets", "h2-nurse") != []
        told = await superuser.fetch("select entry from outbox order by number")
        decoded = [wire.decode(row["entry"]) for row in told]
        entries = [entry for entry in decoded if isinstance(entry, wire.OrderChanged)]
        flags = [entry for entry in decoded if isinstance(entry, wire.Flagged)]  # of the allergies
        assert len(entries) + len(flags) == len(decoded)
        rows = await superuser.fetch("select order_id, version from native_order")
        newest: dict[str, int] = {}
        for entry in entries:
            assert entry.version == newest.get(entry.order, 0) + 1
            newest[entry.order] = entry.version
        assert newest == {str(row["order_id"]): row["version"] for row in rows}
        audited = await superuser.fetchval("select count(*) from audit where action ~ '^order_'")
        assert audited == len(entries)


_SERIES = """
insert into measurement
    (hospital_id, unit, place, patient_id, device, source, source_message_id, event_id, code,
     channel, value, value_text, physical_unit, determined_at, device_time, received_at, stored_at,
     validity, mode, origin, remark, entry_id)
select 'h1', $1, $2, $3, 'd', 's', 'm', gen_random_uuid(), $4, '', value, null, $5, at, at, at, at,
       'Vld', 'Test', 'monitor', '', ''
  from unnest($6::timestamptz[], $7::float8[]) as series(at, value)
"""


async def measured(superuser: Connection, code: str, unit: str, series: list[Any]) -> None:
    """Values of the patient in the bed, as the archive keeps them."""
    patient = identity.patient_id("h1", "m1")
    times, values = zip(*series, strict=True)
    arguments = UNIT, BED, patient, code, unit, [to_datetime(at) for at in times], list(values)
    await superuser.execute(_SERIES, *arguments)


async def test_what_followed_a_dose_stands_on_the_order_and_for_the_trends(
    fresh_valkey: Valkey, app: Database, superuser: Connection, two_hospitals: None
) -> None:
    """Twice the dose went up and the pressure with it; the third time PEEP was changed as well."""
    now = SystemClock().now_us()
    rises = [now - hours * 3600 * SECOND for hours in (6, 4, 2)]
    doses = [(rise + n * MINUTE, 0.1 + 0.04 * step + (0.04 if n >= 0 else 0))
             for step, rise in enumerate(rises) for n in range(-40, 40)]  # fmt: skip
    pressure = []
    for rise in rises:
        for n in range(-40, 130):
            share = min(1.0, max(0.0, n / 54))  # nine minutes
            pressure.append((rise + n * 10 * SECOND, 60 + 14 * share + n % 3 * 0.5))
    peep = [(rises[2] + n * MINUTE, 8.0 if n < 4 else 10.0) for n in range(-20, 20)]
    async with (
        web_process(fresh_valkey.url, app) as running,
        living(fresh_valkey.url, "test", icu_room),
    ):
        ward = Ward(running)
        await ward.lying()
        await measured(superuser, "norepinephrine", "ug/kg/min", doses)
        await measured(superuser, "76214-6", "mm[Hg]", pressure)
        await measured(superuser, "76248-4", "cm[H2O]", peep)
        infusion = {"kind": "infusion", "text": "Noradrenaline", "target": "MAP 65 to 75"}
        why = {"override": "shock", "seen": seen((await ward.post(ORDERS, infusion))[1])}
        order = (await ward.post(ORDERS, infusion | why))[1]
        found = await ward.get(f"/api/v1/icu/beds/{BED}/responses")
        states = [
            each["state"]
            for change in found["changes"]
            if change["what"] == "norepinephrine"
            for each in change["responses"]
            if each["signal"] == "abp_mean"
        ]
        assert states == ["followed", "followed", "silent"], found
        [summary] = [
            each for each in found["summaries"]
            if (each["what"], each["signal"]) == ("norepinephrine", "abp_mean")
        ]  # fmt: skip
        assert (summary["times"], round(summary["delta"])) == (2, 14)
        more = await ward.call("h1-nurse", "GET", f"/icu/beds/{BED}/orders/{order['id']}")
        assert "noradrenaline ↑: followed by MAP +14 in" in more.text, more.text
        assert "setting of PEEP" in more.text
        assert "caused by" in more.text  # only to say that it is not
        offers = (await ward.get(f"{ORDERS}/{order['id']}"))["offers"]
        assert {(each["rule"], each["offered"]) for each in offers} == {
            ("map_low", 65.0), ("map_high", 75.0),
        }  # fmt: skip
        assert (await ward.call("h2-doctor", "GET", f"/api/v1/icu/beds/{BED}/responses")
                ).status_code == 404  # fmt: skip


NOT_THERE = ("not-a-number", "00000000-0000-7000-8000-000000000000")


LIES_THERE = """
insert into stay (stay, hospital_id, unit, bed, patient_id, mode, admitted_at, moved_at)
values (gen_random_uuid(), 'h1', 'h1-ed', 'h1-ed-01', $1, 'Test', now(), now())
"""


async def test_what_is_no_order_is_not_found_and_the_hospitals_own_is_not_ours_to_change(
    fresh_valkey: Valkey,
    app: Database,
    writer: Database,
    superuser: Connection,
    two_hospitals: None,
) -> None:
    theirs = identity.hospital_order("h1", "his", "4711^HIS", "")
    now = SystemClock().now_us()
    saying = wire.OrderChanged(
        unit=UNIT, order=theirs, version=now, bed=BED, patient_id=identity.patient_id("h1", "m1"),
        kind="laboratory", text="lactate", request="active", task="requested", due_at=0, by="his",
        at=now, mode="Test", owner="hospital", source="his", placer="4711^HIS", said="NW SC",
        message_id="1", identity=b"1", received_at=now,
    )  # fmt: skip
    async with web_process(fresh_valkey.url, app) as running:
        ward, pipe = Ward(running), running.web.appender.pipe
        for path in NOT_THERE:
            assert (await ward.call("h1-doctor", "GET", f"{ORDERS}/{path}")).status_code == 404
            assert (await ward.post(f"{ORDERS}/{path}/accept", {"version": 1}))[0] == 404
        await carry(pipe, writer, superuser, saying, saying)
        assert await superuser.fetchval("select count(*) from hospital_order_event") == 1
        for act in ("accept", "complete", "revoke"):
            sent = {"version": now, "reason": "x"}
            status, answer = await ward.post(f"{ORDERS}/{theirs}/{act}", sent)
            assert (status, "change it there" in str(answer)) == (409, True), answer
        foreign = f"/api/v1/icu/beds/{FOREIGN_BED}/orders/{theirs}/accept"
        assert (await ward.post(foreign, {"version": now}, "h2-doctor"))[0] == 404
        assert await superuser.fetchval("select count(*) from native_order") == 0
    seen = "select count(*) from hospital_order_event"
    for lies_there, hospital in ((0, "h1"), (1, "h1"), (0, "h2")):  # read where the patient lies
        if lies_there:
            await superuser.execute(LIES_THERE, saying.patient_id)
        async with app.transaction(Scope(hospital, ("h1-ed",), "nurse", "n")) as connection:
            assert await connection.fetchval(seen) == lies_there
