"""From the physician's form to the family's phone and back, over HTTP; nobody else gets in."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import time
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from hospital_ops.clock import SystemClock
from hospital_ops.database import Database
from hospital_ops.servers.valkey import Valkey
from notify.desk.acts import Desk
from notify.patients import store as patients
from notify.providers.choose import Providers
from notify.providers.twilio import Twilio
from notify.rules import Hours
from tests.fakes.twilio import ACCOUNT, TOKEN, signature
from tests.fakes.twilio import Twilio as StandIn
from tests.integration import relatives
from tests.integration.relatives import DOCTOR, KEYS, UNIT, Ward
from tests.integration.web_help import BED, Running, web_process

PUBLIC = "https://ops.example"
CONTACTS = f"/api/v1/icu/beds/{BED}/contacts"
DAUGHTER = {
    "number": "+7 916 123-45-67",
    "relation": "daughter",
    "language": "ru",
    "basis": "patient",
    "document": "form 12",
    "named_by": "patient",
}


@dataclass
class House:
    """The web process, the ward and the provider, together."""

    running: Running
    ward: Ward
    twilio: StandIn
    http: httpx2.AsyncClient

    async def call(self, who: str, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and answer of a call by somebody."""
        answer = await self.http.request(
            method, self.running.address + path, json=body, headers=self.running.bearer(who)
        )
        json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.status_code, answer.json() if json else answer.text

    async def callback(self, address: str, form: dict[str, str], token: str = TOKEN) -> int:
        """A callback of the provider to our public address, which a proxy passes on."""
        path = address.removeprefix(PUBLIC)
        signed = {"X-Twilio-Signature": signature(PUBLIC + path, form, token)}
        answer = await self.http.post(self.running.address + path, data=form, headers=signed)
        return answer.status_code


@pytest.fixture
async def house(
    database_url: str, app: Database, two_hospitals: None, fresh_valkey: Valkey
) -> AsyncIterator[House]:
    web = web_process(fresh_valkey.url, app, zone=relatives.ZONE)
    async with web as running, StandIn() as stand_in:
        async for ward in relatives.ward(database_url, app):
            ward.clock = SystemClock()  # type: ignore[assignment]
            ward.planner.clock = ward.sender.clock = ward.clock
            running.web.desk = Desk(app, KEYS, ward.clock)
            running.web.public_url, running.web.twilio_token = PUBLIC, TOKEN
            provider = Twilio(ACCOUNT, TOKEN, sender="HOSPITAL", base_url=stand_in.url,
                              callback_url=f"{PUBLIC}/webhooks/twilio/status")  # fmt: skip
            ward.sender.providers = Providers(provider, provider)
            async with app.transaction(DOCTOR) as connection:
                always = Hours(
                    opens=time(0), closes=time(23, 59, 59), quiet_from=time(0), quiet_until=time(0)
                )
                await patients.set_hours(connection, DOCTOR, UNIT, always, 0)
            await ward.event("A01", BED)
            await ward.measure(BED)
            await ward.archive_is_fresh()
            async with running.client() as http:
                yield House(running, ward, stand_in, http)
            await provider.close()


async def test_enabled_confirmed_sent_delivered_and_stopped_by_the_family(house: House) -> None:
    status, enabled = await house.call("h1-doctor", "POST", CONTACTS, DAUGHTER)
    assert status == 201
    contact = enabled["contact"]
    _, verified = await house.call(
        "h1-doctor", "POST", f"{CONTACTS}/{contact}/verify", {"read_back": True}
    )
    assert verified == {"verified": True}
    _, page = await house.call("h1-doctor", "GET", f"/relatives/{UNIT}?lang=en")
    assert "0 this month · no price set" in page
    assert "Not confirmed" in page  # what would be sent, before anybody lets it go
    assert "Температура 37,1 °C, пульс 82 уд/мин" in page
    await it_has_a_price(house)
    status, done = await house.call(
        "h1-doctor", "POST", f"/api/v1/icu/beds/{BED}/messages", {"severity": "serious"}
    )
    assert (status, done["messages"][0]["state"]) == (200, "due")
    await house.ward.archive_is_fresh()
    assert await house.ward.sender.step("h1")
    (sent,) = house.twilio.accepted
    told = {"MessageSid": sent["Sid"], "MessageStatus": "delivered"}
    forged = await house.callback(sent["StatusCallback"], told, token="x" * 32)
    elsewhere = sent["StatusCallback"].replace("t=0", "t=1")
    assert (forged, await house.callback(elsewhere, told)) == (404, 404)
    assert await house.ward.states() == ["sent"]
    for status_told in ("delivered", "sent", "delivered", "failed"):
        form = {**told, "MessageStatus": status_told}
        assert await house.callback(sent["StatusCallback"], form) == 204
    assert await house.ward.states() == ["delivered"]
    _, listed = await house.call("h1-nurse", "GET", f"/api/v1/relatives/{UNIT}/messages")
    message = listed["messages"][0]
    assert message["text"] == sent["Body"]
    cost = Decimal("2.345") * message["parts"]
    assert message["cost"] == f"{cost.normalize():f} RUB"
    _, page = await house.call("h1-doctor", "GET", f"/relatives/{UNIT}?lang=ru")
    assert f" · {cost.normalize():f}\u00a0RUB".replace(".", ",") in page
    assert f"стоимость: {cost:.2f}".replace(".", ",") in page
    _, proof = await house.call(
        "h1-doctor", "GET", f"/api/v1/relatives/messages/{message['message']}"
    )
    assert [step["state"] for step in proof["steps"]][-1] == "delivered"
    inbound = f"{PUBLIC}/webhooks/twilio/inbound"
    stop = {"From": sent["To"], "Body": "Стоп."}
    assert await house.callback(inbound, stop, token="x" * 32) == 404
    assert await house.callback(inbound, stop) == 200
    _, seen = await house.call("h1-doctor", "GET", CONTACTS)
    assert seen["contacts"][0]["withdrawn"] == "stop_word"


async def it_has_a_price(house: House) -> None:
    """No price but the one that was entered; a nurse enters none."""
    path = f"/api/v1/relatives/{UNIT}/prices"
    good = {"provider": "twilio", "price": "2,345", "currency": "rub"}
    assert (await house.call("h1-nurse", "PUT", path, good))[0] == 404
    for wrong in ({"price": "free"}, {"price": "-1"}, {"price": "nan"}, {"currency": "roubles"},
                  {"provider": "console"}):  # fmt: skip
        assert (await house.call("h1-doctor", "PUT", path, good | wrong))[0] == 400
    assert await house.call("h1-doctor", "PUT", path, good) == (
        200, {"provider": "twilio", "price": "2.345", "currency": "RUB"},
    )  # fmt: skip
    _, page = await house.call("h1-doctor", "GET", f"/relatives/{UNIT}/hours?lang=en")
    assert "2.345\u00a0RUB" in page


async def test_what_one_may_not_do_one_may_not_know_of(house: House) -> None:
    tries: tuple[tuple[str, str, str, Any], ...] = (
        ("h1-nurse", "POST", CONTACTS, DAUGHTER),
        ("h1-nurse", "POST", f"/api/v1/icu/beds/{BED}/messages", {"severity": "serious"}),
        ("h1-nurse", "POST", f"/api/v1/icu/beds/{BED}/stay/end", {"reason": "death"}),
        ("h1-nurse", "POST", f"/api/v1/relatives/{UNIT}/stop", {}),
        ("h1-wall", "GET", CONTACTS, None),
        ("h1-wall", "GET", f"/relatives/{UNIT}", None),
        ("h1-emergency", "GET", f"/api/v1/relatives/{UNIT}/messages", None),
        ("h2-doctor", "GET", CONTACTS, None),
        ("h2-doctor", "POST", CONTACTS, DAUGHTER),
        ("h2-doctor", "GET", f"/api/v1/relatives/{UNIT}/messages", None),
        ("h2-doctor", "GET", f"/relatives/{UNIT}", None),
        ("h2-doctor", "GET", f"/relatives/beds/{BED}", None),
    )
    for who, method, path, body in tries:
        status, answer = await house.call(who, method, path, body)
        assert status == 404, (who, method, path)
        assert "916" not in str(answer), (who, method, path)


async def test_a_consent_without_what_the_law_asks_is_refused(house: House) -> None:
    for missing in ("relation", "basis", "document", "named_by", "language"):
        given = {name: value for name, value in DAUGHTER.items() if name != missing}
        status, answer = await house.call("h1-doctor", "POST", CONTACTS, given)
        assert (status, answer["error"]) == (400, f"no_{missing}")


async def test_the_pages_show_the_message_and_never_the_number(house: House) -> None:
    _, enabled = await house.call("h1-doctor", "POST", CONTACTS, DAUGHTER)
    for language, word in (("ru", "Сообщения родным"), ("en", "Messages to relatives")):
        status, page = await house.call("h1-doctor", "GET", f"/relatives/{UNIT}?lang={language}")
        assert (status, word in page) == (200, True)
        status, page = await house.call(
            "h1-doctor", "GET", f"/relatives/beds/{BED}?lang={language}"
        )
        assert status == 200
        assert enabled["contact"] in page
        assert "1234567" not in page
    row = await house.ward.superuser.fetchrow("select * from contact")
    assert row is not None
    assert b"9161234567" not in bytes(row["number_sealed"])


async def test_a_death_names_what_was_sent_and_what_may_be_in_flight(house: House) -> None:
    _, enabled = await house.call("h1-doctor", "POST", CONTACTS, DAUGHTER)
    await house.call(
        "h1-doctor", "POST", f"{CONTACTS}/{enabled['contact']}/verify", {"read_back": True}
    )
    path = f"/api/v1/icu/beds/{BED}/stay/end"
    status, ended = await house.call("h1-doctor", "POST", path, {"reason": "death"})
    assert (status, ended["kind"]) == (200, "death")
    assert [m["state"] for m in ended["messages"]] == ["cancelled"]
    _, acts = await house.call("h1-doctor", "GET", f"/api/v1/icu/beds/{BED}/stay")
    assert [one["act"] for one in acts["acts"]] == [ended["act"]]  # one act, to be taken back
    assert (await house.call("h1-doctor", "POST", path, {"reason": "transfer"}))[0] == 400
    status, _ = await house.call("h1-doctor", "POST", CONTACTS, DAUGHTER)
    assert status == 404


async def test_the_family_ends_the_messages_by_the_address_on_its_leaflet_once(
    house: House,
) -> None:
    _, enabled = await house.call("h1-doctor", "POST", CONTACTS, DAUGHTER)
    leaflet = f"/relatives/contacts/{enabled['contact']}/leaflet"
    assert (await house.call("h1-nurse", "POST", leaflet))[0] == 404
    addresses = []
    for _ in range(2):
        status, page = await house.call("h1-doctor", "POST", leaflet)
        assert status == 200
        addresses += re.findall(r"https://ops\.example(/stop/[\w-]{20,})", page)
    old, new = addresses
    for wrong in (old, "/stop/" + "x" * 22):
        answer = await house.http.post(house.running.address + wrong)
        assert answer.status_code == 404
    seen = await house.http.get(house.running.address + new)  # looking changes nothing
    assert (seen.status_code, "ICU" in seen.text, "Семёнова" in seen.text) == (200, False, False)
    for _ in range(2):
        done = await house.http.post(house.running.address + new)
        assert done.status_code in (200, 404)
    _, known = await house.call("h1-doctor", "GET", CONTACTS)
    assert [one["withdrawn"] for one in known["contacts"]] == ["stop_link"]


async def test_a_page_that_shows_another_patient_or_older_switches_changes_nothing(
    house: House,
) -> None:
    page = f"/relatives/beds/{BED}"

    async def post(**form: str) -> int:
        headers = house.running.bearer("h1-doctor")
        answer = await house.http.post(house.running.address + page, data=form, headers=headers)
        return answer.status_code

    _, shown = await house.call("h1-doctor", "GET", f"{page}?lang=en")
    (stay,) = set(re.findall(r'name="stay" value="([\w-]+)"', shown))
    (version,) = re.findall(r'name="version" value="(\d+)"', shown)
    switches = {"act": "switch", "hold_reason": "", "automatic": "on", "version": version}
    await house.ward.superuser.execute(  # two persons have limited the treatment meanwhile
        "update stay set treatment_limited = true, version = version + 1"
    )
    assert await post(**switches, stay=stay) == 409
    whose = await house.ward.stay(BED)
    assert (whose.treatment_limited, whose.automatic) == (True, False)
    await house.ward.superuser.execute(
        "insert into care_agreement (agreement, hospital_id, unit, stay, patient_id, kind, state,"
        " mode, proposed_by, proposed_at, confirmed_by) select gen_random_uuid(), hospital_id,"
        " unit, stay, patient_id, 'comfort_care', 'in_force', mode, 'a', now(), 'b' from stay"
    )
    now_seen = switches | {"version": str(whose.version), "stay": stay}
    assert await post(**now_seen) == 409
    assert await post(**now_seen, treatment_limited="on") == 303
    await house.ward.event("A02", "h1-icu-1-05", hours_ago=0.02)
    await house.ward.event("A01", BED, "101", hours_ago=0.01)
    for act in ({"act": "enable", **DAUGHTER}, {"act": "patient_decides"}, switches):
        assert await post(**act, stay=stay) == 409
        assert await post(**act) == 409
    assert (await house.call("h1-doctor", "POST", CONTACTS, DAUGHTER | {"stay": stay}))[0] == 409
    assert await house.ward.superuser.fetchval("select count(*) from contact") == 0


async def test_word_of_the_admission_goes_once_and_only_where_it_was_agreed_to(
    house: House,
) -> None:
    await house.ward.event("A01", BED, "101", hours_ago=1)
    for number, agreed in (("+7 916 123-45-67", True), ("+7 916 123-45-68", False)):
        given = DAUGHTER | {"number": number, "admission": agreed}
        _, enabled = await house.call("h1-doctor", "POST", CONTACTS, given)
        for _ in range(2):
            await house.call(
                "h1-doctor", "POST", f"{CONTACTS}/{enabled['contact']}/verify", {"read_back": True}
            )
    await house.ward.archive_is_fresh()
    assert await house.ward.sender.step("h1")
    assert not await house.ward.sender.step("h1")
    (sent,) = house.twilio.accepted
    assert sent["Body"].startswith("Пациент поступил")
    assert sent["To"] == "+79161234567"


async def test_who_asks_for_a_call_stands_in_the_inbox_until_somebody_called(
    house: House,
) -> None:
    await house.call("h1-doctor", "POST", CONTACTS, DAUGHTER)
    inbound = f"{PUBLIC}/webhooks/twilio/inbound"
    for words in ("Спасибо! <b>x</b>", "Звонок"):
        assert await house.callback(inbound, {"From": "+79161234567", "Body": words}) == 200
    _, page = await house.call("h1-doctor", "GET", f"/relatives/{UNIT}")
    assert page.index("asks for a call") < page.index("&lt;b&gt;x&lt;/b&gt;")
    for message in re.findall(r'name="inbox" value="([^"]+)"', page):
        form = {"act": "answered", "inbox": message}
        answer = await house.http.post(
            house.running.address + f"/relatives/{UNIT}",
            data=form,
            headers=house.running.bearer("h1-doctor"),
        )
        assert answer.status_code == 303
    _, page = await house.call("h1-doctor", "GET", f"/relatives/{UNIT}")
    assert "asks for a call" not in page


async def test_hours_that_cannot_be_kept_are_refused_in_words(house: House) -> None:
    path = f"/api/v1/relatives/{UNIT}/hours"
    good = {
        "opens": "10:00", "closes": "12:00", "quiet_from": "21:00", "quiet_until": "08:00",
        "desk_phone": "+7 495 000-00-00", "desk_hours": "12-14",
    }  # fmt: skip
    assert (await house.call("h1-nurse", "PUT", path, good))[0] == 404
    assert (await house.call("h1-doctor", "PUT", path, good))[0] == 200
    for wrong in ({"closes": "09:00"}, {"opens": "07:00"}, {"opens": "ten"}, {"closes": ""}):
        status, answer = await house.call("h1-doctor", "PUT", path, good | wrong)
        assert (status, answer["error"].startswith("bad_")) == (400, True)
    _, known = await house.call("h1-doctor", "GET", path)
    assert known == good


async def test_when_the_patient_can_decide_what_rests_on_the_law_ends(house: House) -> None:
    for number, basis in (("+7 916 123-45-67", "law"), ("+7 916 123-45-68", "patient")):
        await house.call(
            "h1-doctor", "POST", CONTACTS, DAUGHTER | {"number": number, "basis": basis}
        )
    path = f"/api/v1/icu/beds/{BED}/patient-decides"
    assert (await house.call("h1-nurse", "POST", path))[0] == 404
    assert await house.call("h1-doctor", "POST", path) == (200, {"withdrawn": 1})
    assert await house.call("h1-doctor", "POST", path) == (200, {"withdrawn": 0})
    _, known = await house.call("h1-doctor", "GET", CONTACTS)
    assert [one["withdrawn"] for one in known["contacts"]] == ["patient_decides", None]
