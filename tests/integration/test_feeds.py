"""An administrator sees whose clock is off and who never sent, and mends what was of no use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND, SystemClock, to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.errors import Conflict
from hospital_ops.feeds import store
from hospital_ops.hl7.bounds import MAX_OBX
from hospital_ops.hl7.understand import Source
from hospital_ops.installation import store as installation
from hospital_ops.letters import shape
from hospital_ops.letters import store as letters_store
from hospital_ops.letters.store import Key
from hospital_ops.servers.valkey import Valkey
from streams import sources
from streams.append import Appender
from streams.care_intake import CareIntake, of_source
from streams.codebooks import Codebooks
from streams.heard import told
from streams.hl7_intake import Intake as Decided
from streams.hl7_intake import take
from streams.intake import Intake
from streams.pipe import Pipe
from streams.projections import Bed, Places, Projections, Unit
from streams.retrying import Outcome, Retrying, again
from streams.routing import Announced
from tests.integration.streams_help import (
    BED,
    HALL,
    UNIT,
    observed,
    stored_up_to_the_end,
    storing,
)
from tests.integration.two_hospitals import ADMIN
from web.render import Renderer
from web.views import feeds as views

NOW = SystemClock().now_us()
BEHIND = 3600 * SECOND


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


async def heard(
    pipe: Pipe,
    writer: Database,
    superuser: Connection,
    *sent: wire.Entry,
    shard: str = UNIT,
    raw: bytes = b"raw",
) -> None:
    """Carries the entries into the archive and tells who has sent them."""
    if sent:
        await Appender(pipe).append_many(shard, [(one, raw) for one in sent])
    async with storing(pipe.url, writer) as reader:
        await stored_up_to_the_end(pipe, superuser, shard)
        async with writer.transaction() as connection:
            await store.tell(connection, told(reader.hearing.taken(NOW)))


@pytest.mark.usefixtures("two_hospitals")
async def test_each_device_has_its_own_clock_and_gap_and_one_that_never_sent_says_never(
    pipe: Pipe, writer: Database, app: Database, superuser: Connection
) -> None:
    async with app.transaction(ADMIN["h1"]) as connection:
        for device, bed in (("m-1", BED), ("m-2", BED), ("m-3", None)):
            await installation.ensure_device(
                connection, ADMIN["h1"], device, "monitor", "Test", NOW, UNIT, bed
            )
    sent = [
        wire.replaced(
            observed(80.0, NOW + second * SECOND - off, received_at=NOW + second * SECOND),
            device=device,
        )
        for second in (0, 1, 2, 9)
        for device, off in (("m-1", BEHIND), ("OWN", 0))
    ]
    await heard(pipe, writer, superuser, *sent[:4])
    await heard(pipe, writer, superuser, *sent[4:])
    letter = wire.Kept(HALL, "loopback", NOW, "unknown_trigger", "see the manual", "MSG-1")
    await heard(pipe, writer, superuser, letter, letter, shard=HALL)
    async with app.transaction(ADMIN["h1"]) as connection:
        feeds, registry = await store.feeds(connection), await store.registered(connection)
        letters = await store.letters(connection, to_datetime(NOW) - timedelta(days=1))
    frame = Renderer("UTC").frame("en", NOW + 10 * SECOND)
    lines, _ = views.devices(feeds, registry, frame)
    told_of = [
        (one["device"], one["bed"], one["off"], one["gap"], bool(one["last"])) for one in lines
    ]
    assert told_of == [
        ("m-1", BED, True, "7 s", True),
        ("h1-tablet-1", "", False, "", False),
        ("m-3", "", False, "", False),
        ("m-2", BED, False, "", False),
        ("OWN", BED, False, "7 s", True),
    ]
    assert lines[0]["offset"] == "3600"
    (sender,) = views.senders(feeds, registry, [], [], letters, frame)
    assert (sender["source"], sender["letters"], sender["behind"]) == ("loopback", 2, 2)
    assert await superuser.fetchval("select distinct message_id from dead_letter") == "MSG-1"
    async with app.transaction(ADMIN["h2"]) as connection:
        assert await store.feeds(connection) == []
        assert await store.letters(connection, to_datetime(NOW) - timedelta(days=1)) == []


LINE = Source(name="line", hospital="h1", networks=("10.0.0.0/8",), mode="Test")
LATER = "h1-icu-1-09"
ORU = (
    "MSH|^~\\&|ACME||||20261122200000+0000||ORU^R01|MSG-7|P|2.6\r"
    "PID|1||4711^^^H^MR||Muster^Erika\r"
    f"PV1||I|h1-icu-1^^{LATER}\r"
    "OBR|1|||182777000^monitoring^SCT|||20261122200000+0000\r"
    "OBX|1|NM|8867-4^^LN||71|/min|||||F\r"
).encode()
CARE = (
    b'[{"observation_id":"heart-rate","device_id":"h1-icu-1-01","status":"final","value":66,'
    b'"unit":"/min"},{"observation_id":"heart-rate","device_id":"10.0.0.9","value":77,'
    b'"patient-id":"4711","unit":"/min"}]'
)


def decided(places: Places) -> Decided:
    return take(ORU, LINE, Announced(places), NOW, MAX_OBX)


@pytest.mark.usefixtures("two_hospitals")
async def test_what_was_refused_is_brought_in_once_what_was_wrong_is_mended_and_never_twice(
    pipe: Pipe, writer: Database, app: Database, superuser: Connection
) -> None:
    clock, appender = SystemClock(), Appender(pipe)
    places = Places(hospitals={"h1"})
    places.units[UNIT] = Unit(UNIT, "h1", "icu", "One")
    places.beds[BED] = Bed(BED, UNIT, "1", 1)
    refused = decided(places)
    assert refused.code == "unknown_bed"
    await heard(pipe, writer, superuser, refused.appends[0].entry, shard=HALL, raw=ORU)
    # A payload of which one device was taken, and its values have no time of their own.
    care = CareIntake(appender, places, Codebooks(places, clock), clock)
    assert (await care.take(of_source(LINE, places), CARE))["stored"] == 1
    await heard(pipe, writer, superuser, shard=HALL)
    for way in (sources.HL7, sources.CARE):
        await sources.tell(pipe, way, [LINE], clock.now_us())
    projections, admin = Projections(pipe), ADMIN["h1"]
    retry = Retrying(appender, projections, Intake(appender, projections, places, clock), clock)
    async with app.transaction(admin) as connection:
        rows = await letters_store.listed(connection)
        waiting = await letters_store.waiting(connection, "line", "unknown_bed")
    assert [(row["code"], row["source"], row["message_id"]) for row in rows] == [
        ("rejected_observations", "line", ""),
        ("unknown_bed", "line", "MSG-7"),
    ]
    (key,) = waiting
    still = await again(app, admin, retry, key, 0, NOW)
    assert still.word == "refused"
    assert "is not known" in still.reason
    places.beds[LATER] = Bed(LATER, UNIT, "9", 9)
    places.beds["10.0.0.9"] = Bed("10.0.0.9", UNIT, "10", 10)
    assert await again(app, admin, retry, key, 1, NOW) == Outcome("taken")
    for number in (1, 2, None):
        with pytest.raises(Conflict):
            await again(app, admin, retry, key, number, NOW)
    other = Key(HALL, "in", rows[0]["entry_id"])
    assert await again(app, admin, retry, other, 0, NOW) == Outcome("taken")
    # The sender sends the same once more, and it is taken at once.
    for one in decided(places).appends:
        await appender.append(one.shard, one.entry, one.raw, one.stream)
    await heard(pipe, writer, superuser)
    stored = await superuser.fetch("select place, value from measurement order by value")
    assert [tuple(row) for row in stored] == [(BED, 66.0), (LATER, 71.0), ("10.0.0.9", 77.0)]
    assert await superuser.fetchval("select count(*) from dead_letter") == 2
    async with app.transaction(admin) as connection:
        assert await letters_store.waiting(connection, "", "") == []
        row = await letters_store.letter(connection, key)
        tries = await letters_store.tries(connection, key)
    assert [one["outcome"] for one in tries] == ["refused", "taken"]
    assert "4711" in shape.whole(row["raw"])
    assert "Erika" in shape.whole(row["raw"])
    acts = await superuser.fetch("select subject from audit where action = 'try_letter'")
    assert [row["subject"] for row in acts] == [str(key), str(key), str(other)]
    async with app.transaction(ADMIN["h2"]) as connection:
        assert await letters_store.listed(connection) == []
