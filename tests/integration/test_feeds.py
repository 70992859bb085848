"""An administrator sees whose clock is off, who never sent, and what could not be used."""

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
from streams.pipe import Pipe
from tests.integration.streams_help import BED, UNIT, carry, observed
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


@pytest.mark.usefixtures("two_hospitals")
async def test_a_clock_that_is_an_hour_behind_stands_first_with_its_gap_and_letters_are_counted(
    pipe: Pipe, writer: Database, app: Database, superuser: Connection
) -> None:
    async with app.transaction(ADMIN["h1"]) as connection:
        for device, bed in (("m-1", BED), ("m-2", f"{UNIT}-02")):
            await installation.ensure_device(
                connection, ADMIN["h1"], device, "monitor", "Test", NOW, UNIT, bed
            )
    sent = [
        observed(80.0, NOW + second * SECOND - BEHIND, received_at=NOW + second * SECOND)
        for second in (0, 1, 2, 9)
    ]
    letters = [wire.Kept(UNIT, "loopback", NOW, "unknown_trigger", "see the manual")] * 2
    await carry(pipe, writer, superuser, *sent, *letters)
    async with app.transaction(ADMIN["h1"]) as connection:
        clocks = await store.clocks(connection)
        day = to_datetime(NOW) - timedelta(days=1)
        counted, newest = await store.dead_letters(connection, day)
    frame = Renderer("UTC").frame("en", NOW)
    first, second = views.devices(clocks, frame)
    assert (first["device"], first["off"], first["gap"]) == ("m-1", True, "7")
    assert "3" in first["offset"]
    assert (second["device"], second["last"], second["off"]) == ("m-2", "", False)
    assert [(row["code"], row["number"]) for row in counted] == [("unknown_trigger", 2)]
    assert [row["reason"] for row in newest] == ["see the manual"] * 2
    async with app.transaction(ADMIN["h2"]) as connection:
        assert await store.clocks(connection) == []
        assert await store.dead_letters(connection, day) == ([], [])
