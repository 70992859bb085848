"""An administrator sees whose clock is off, who never sent, and whose messages were of no use."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND, SystemClock, to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.feeds import store
from hospital_ops.installation import store as installation
from hospital_ops.servers.valkey import Valkey
from streams.append import Appender
from streams.heard import told
from streams.pipe import Pipe
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
    pipe: Pipe, writer: Database, superuser: Connection, *sent: wire.Entry, shard: str = UNIT
) -> None:
    """Carries the entries into the archive and tells who has sent them."""
    await Appender(pipe).append_many(shard, [(one, b"raw") for one in sent])
    async with storing(pipe.url, writer) as reader:
        await stored_up_to_the_end(pipe, superuser, shard)
        async with writer.transaction() as connection:
            await store.tell(connection, told(reader.hearing.taken()))


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
