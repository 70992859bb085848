"""Midnight under load, and what the relay does when it does it again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta

import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND, SystemClock, from_datetime, to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.deciding import Stamped
from hospital_ops.errors import NotStored
from hospital_ops.identity import uuid7
from hospital_ops.migrations.keeper import DAYS_AHEAD, keep_partitions
from hospital_ops.servers.valkey import Valkey
from streams.append import Appender
from streams.pipe import Pipe
from streams.relay import Relay
from streams.shard import keys
from tests.integration.streams_help import (
    UNIT,
    observed,
    stored_up_to_the_end,
    storing,
    until,
    values,
)
from triage.state import UnitState
from triage.unit import EdUnit

DAY = 86_400 * SECOND


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


async def test_midnight_passes_under_load_and_no_value_is_lost(
    pipe: Pipe, writer: Database, owner: Database, superuser: Connection
) -> None:
    tomorrow = to_datetime(SystemClock().now_us()).date() + timedelta(days=1)
    midnight = from_datetime(datetime.combine(tomorrow, time.min, UTC))
    await keep_partitions(owner, midnight - DAY)
    sent: list[int] = []

    async def ward() -> None:
        """Values around midnight, and one device whose clock is nine days ahead."""
        appender, number = Appender(pipe), 0
        while True:
            at = midnight + (number - 200) * SECOND // 10
            for moment in (at, at + 9 * DAY):
                sent.append(moment)
                await appender.append(UNIT, observed(80.0, moment, received_at=at))
            number += 1
            await asyncio.sleep(0.002)

    async with storing(pipe.url, writer):
        load = asyncio.create_task(ward())
        try:
            await until(lambda: stored(superuser, 100), "values are stored")
            await keep_partitions(owner, midnight)  # the keeper's turn after midnight
            # A week on the day that the fast clock wrote to is made while it still writes there.
            await keep_partitions(owner, midnight + 2 * DAY)
            await until(lambda: stored(superuser, 900), "values are stored on both sides")
        finally:
            load.cancel()
            await asyncio.gather(load, return_exceptions=True)
        await stored_up_to_the_end(pipe, superuser)
    rows = await superuser.fetch(
        "select determined_at, tableoid::regclass::text as lies_in from measurement"
    )
    assert sorted(from_datetime(row["determined_at"]) for row in rows) == sorted(sent)
    for row in rows:
        assert row["lies_in"] == f"measurement_{row['determined_at'].astimezone(UTC):%Y%m%d}"
    days = {row["lies_in"] for row in rows}
    assert len(days) == 4  # before and after midnight, and both of these nine days ahead
    assert DAYS_AHEAD == 7


async def stored(superuser: Connection, number: int) -> bool:
    """Whether so many values are stored."""
    return len(await values(superuser)) >= number


# The relay ----------------------------------------------------------------------------------------


async def decide(superuser: Connection, case: str, version: int, colour: str) -> None:
    """What a committed decision leaves in the outbox."""
    entry = wire.Decided("h1-ed", case, version, colour, "ed.h1", version, "", "", ())
    await superuser.execute(
        "insert into outbox (hospital_id, shard, entry) values ('h1', 'h1-ed', $1)",
        wire.encode(entry),
    )


async def appended(pipe: Pipe) -> list[wire.Entry]:
    """What has been appended to the department."""
    found = await pipe.call("XRANGE", keys("h1-ed").incoming, "-", "+")
    return [wire.decode(fields[1]) for _, fields in found]


def relay_of(pipe: Pipe, writer: Database) -> Relay:
    return Relay(writer, Appender(pipe), SystemClock(), "Test")


async def test_the_relay_appends_in_order_each_once(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    case = str(uuid7())
    for version in range(1, 6):
        await decide(superuser, case, version, "red")
    relay = relay_of(pipe, writer)
    assert await relay.step() == 5
    assert await relay.step() == 0
    assert [e.version for e in await appended(pipe) if isinstance(e, wire.Decided)] == [
        *range(1, 6)
    ]


async def test_what_the_relay_repeats_changes_neither_board_nor_archive(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    case = str(uuid7())
    await decide(superuser, case, 1, "red")
    await decide(superuser, case, 2, "yellow")
    relay = relay_of(pipe, writer)
    await relay.step()
    # As after a crash between append and commit.
    await superuser.execute("update outbox set appended_at = null")
    await relay.step()
    entries = await appended(pipe)
    assert len(entries) == 4
    async with storing(pipe.url, writer, shards=["h1-ed"]):
        await stored_up_to_the_end(pipe, superuser, "h1-ed")
    assert await superuser.fetchval("select count(*) from case_event") == 2
    assert await superuser.fetchval("select count(*) from quarantine") == 0
    room = EdUnit("h1-ed")
    for entry in entries:
        room.decide([Stamped(0, entry)])
    state: UnitState = room.state
    decision = state.cases[case].decision
    assert decision is not None
    assert (decision.version, decision.colour) == (2, "yellow")


async def test_a_row_of_the_outbox_that_cannot_be_read_does_not_hold_up_those_behind(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    await superuser.execute(
        "insert into outbox (hospital_id, shard, entry) values ('h1', 'h1-ed', '\\xc1')"
    )
    await decide(superuser, str(uuid7()), 1, "red")
    assert await relay_of(pipe, writer).step() == 2
    assert len(await appended(pipe)) == 1
    kept = await superuser.fetchval("select appended_as from outbox where entry = '\\xc1'")
    assert kept == "undecodable"


async def test_two_relays_append_nothing_twice(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    for version in range(1, 21):
        await decide(superuser, str(uuid7()), version, "red")
    relays = [relay_of(pipe, writer) for _ in range(3)]
    moved = await asyncio.gather(*(relay.step() for relay in relays))
    assert sum(moved) == 20
    assert len(await appended(pipe)) == 20


async def test_while_the_stream_server_is_away_the_outbox_keeps_everything(
    writer: Database, superuser: Connection
) -> None:
    await decide(superuser, str(uuid7()), 1, "red")
    away = Relay(writer, Appender(Pipe("unix:///nowhere.sock")), SystemClock(), "Test")
    with pytest.raises(NotStored):
        await away.step()
    assert await superuser.fetchval("select count(*) from outbox where appended_at is null") == 1
