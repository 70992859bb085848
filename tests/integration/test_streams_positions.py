"""The store reader meets what cannot be stored, other readers, and positions that do not fit."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND, SystemClock
from hospital_ops.database import Connection, Database
from hospital_ops.identity import uuid7
from hospital_ops.servers.valkey import Valkey
from streams import lease as leases
from streams.append import Appender
from streams.pipe import Pipe
from streams.publish import save_snapshot
from streams.shard import keys
from tests.integration.streams_help import (
    BED,
    HALL,
    UNIT,
    admitted,
    carry,
    count,
    observed,
    stored_up_to_the_end,
    storing,
    until,
    values,
)

DAY = 86_400 * SECOND
NOW = SystemClock().now_us()


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


# What cannot be stored ----------------------------------------------------------------------------


def poison() -> list[wire.Entry]:
    """Entries that are well-formed on the wire and cannot become rows."""
    return [
        observed("text with \0 in it", NOW),
        observed(80.0, 400_000 * DAY),  # the year 3065
        observed(80.0, 10**17 * 9),  # beyond every calendar
        observed(80.0, -(10**17) * 9),
        observed(80.0, NOW, received_at=2**62),
        observed(80.0, NOW, event_id="no uuid"),
        wire.CaseFacts(UNIT, "no uuid", "tablet", "1", NOW, "Test", {}),
        wire.CaseFacts(UNIT, str(uuid7()), "tablet", "2", NOW, "Test", {"a": b"bytes"}),
        wire.CaseFacts(UNIT, str(uuid7()), "tablet", "3", NOW, "Test", {"a": "\0"}),
        wire.CaseFacts(UNIT, str(uuid7()), "tablet", "4", NOW, "Test", {"a": float("nan")}),
        wire.Audited(UNIT, NOW, "a\0", "nurse", "read", "x"),
        wire.Kept(UNIT, "loopback", NOW, "malformed", "with \0"),
        wire.Kept(UNIT, "loopback", 2**62, "malformed", "from far away"),
        wire.Waved(
            UNIT, "s", "m", b"i", NOW, "Test", "c", "", NOW, 1.0, 1.0, 0.0, "mV", b"",
            sequence=2**64 - 1,
        ),
    ]  # fmt: skip


async def test_what_cannot_be_stored_becomes_a_dead_letter_and_the_rest_goes_on(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    bad = poison()
    mixed: list[wire.Entry] = []
    for number, entry in enumerate(bad):
        mixed += [observed(float(number), NOW + number * SECOND), entry]
    ids = await carry(pipe, writer, superuser, *mixed)
    found = await superuser.fetch("select value from measurement where value < 14 order by value")
    assert [row["value"] for row in found] == [float(n) for n in range(len(bad))]
    dead = await superuser.fetch("select entry_id, code, entry, raw from dead_letter")
    in_place = {ids[2 * n + 1]: wire.encode(entry) for n, entry in enumerate(bad)}
    storable = ids[3]  # a far year is a row like any other, flagged
    assert {row["entry_id"] for row in dead} == in_place.keys() - {storable}
    assert all(row["entry"] == in_place[row["entry_id"]] for row in dead)
    assert all(row["raw"] == b"raw" for row in dead)


async def test_the_same_refused_message_is_one_letter_that_says_how_often_it_came(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    """And the stream read again counts nothing twice."""

    def letter(number: int, identity: bytes = b"one") -> wire.Kept:
        return wire.Kept(
            UNIT, "s", NOW + number * SECOND, "unknown_bed", "no such bed", identity=identity
        )

    async def letters() -> list[tuple[bytes, int, int]]:
        rows = await superuser.fetch("select * from dead_letter order by at")
        return [
            (row["identity"], row["times"], (row["last_at"] - row["at"]).seconds) for row in rows
        ]

    await carry(pipe, writer, superuser, letter(0), letter(1, b"other"), letter(2), letter(3))
    assert await letters() == [(b"one", 3, 3), (b"other", 1, 0)]
    again = observed(80.0, NOW)
    await carry(pipe, writer, superuser, letter(4), again, again)
    await carry(pipe, writer, superuser, letter(9), again)
    assert await letters() == [(b"one", 5, 9), (b"other", 1, 0)]
    await superuser.execute("delete from reader_position")
    await carry(pipe, writer, superuser)
    assert await letters() == [(b"one", 5, 9), (b"other", 1, 0)]
    assert await values(superuser) == [80.0]


async def test_undecodable_entries_are_kept_with_their_bytes(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    junk = [b"", b"\xc1", b"\x93\x01\x02\x03"]
    for piece in junk:
        await pipe.call("XADD", keys(UNIT).incoming, "*", "d", piece, "r", b"raw")
    await pipe.call("XADD", keys(UNIT).incoming, "*", "something", "else")
    await carry(pipe, writer, superuser, observed(80.0, NOW))
    rows = await superuser.fetch("select code, entry, raw from dead_letter order by entry_id")
    assert [tuple(row) for row in rows] == [
        *(("undecodable", piece, b"raw") for piece in junk),
        ("undecodable", b"", b""),
    ]
    assert await values(superuser) == [80.0]


# Positions ----------------------------------------------------------------------------------------


def everything() -> list[wire.Entry]:
    """One entry of each kind that leaves a row."""
    case = str(uuid7())
    return [
        admitted("A", NOW),
        observed(80.0, NOW),
        observed(81.0, NOW + SECOND, event_id=str(uuid7())),
        wire.CaseFacts(UNIT, case, "tablet", "1", NOW, "Test", {"sex": "F"}),
        wire.CaseStep(UNIT, case, "arrival", NOW, "crew", "crew", NOW, "Test"),
        wire.Decided(UNIT, case, 1, "red", "ed.h1", NOW, "", "", ()),
        wire.Assessed(UNIT, case, NOW, "red", "red", 1.0, {}, {}, "Test"),
        wire.Alerted(UNIT, case, BED, "", "rule", "high", "active", NOW, NOW, "words"),
        wire.Audited(UNIT, NOW, "nurse.h1", "nurse", "read_board", UNIT),
        wire.Kept(UNIT, "loopback", NOW, "malformed", "no HL7"),
    ]


ALL_ROWS = """
select 'message' as what, count(*) from message union all select 'identity', count(*) from identity
union all select 'measurement', count(*) from measurement
union all select 'patient_event', count(*) from patient_event
union all select 'binding', count(*) from binding
union all select 'case_event', count(*) from case_event
union all select 'assessment', count(*) from assessment
union all select 'alert_event', count(*) from alert_event
union all select 'audit', count(*) from audit
union all select 'dead_letter', count(*) from dead_letter
union all select 'quarantine', count(*) from quarantine
"""


async def test_a_stream_read_again_from_its_start_changes_nothing(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    await carry(pipe, writer, superuser, *everything(), observed("\0", NOW))
    await pipe.call("XADD", keys(UNIT).incoming, "*", "d", b"\xc1")
    await carry(pipe, writer, superuser)
    before = {row["what"]: row["count"] for row in await superuser.fetch(ALL_ROWS)}
    assert before["audit"] == 1
    assert before["quarantine"] == 0
    # The committed position lies beyond the stream: an incident, so it is read from its start.
    await superuser.execute(
        "update reader_position set position = '99999999999999-0' where shard = $1", UNIT
    )
    await carry(pipe, writer, superuser, observed(82.0, NOW + 9 * SECOND))
    after = {row["what"]: row["count"] for row in await superuser.fetch(ALL_ROWS)}
    assert after == before | {
        "message": before["message"] + 1,
        "identity": before["identity"] + 1,
        "measurement": before["measurement"] + 1,
    }


async def test_rows_and_position_are_one_step(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    await carry(pipe, writer, superuser, observed(80.0, NOW))
    await superuser.execute("alter table reader_position add check (position = 'never') not valid")
    await Appender(pipe).append(UNIT, observed(81.0, NOW + SECOND))
    async with storing(pipe.url, writer) as reader:
        with pytest.raises(Exception, match="check"):
            await until_it_fails(reader)
    assert await values(superuser) == [80.0]


async def until_it_fails(reader: Any) -> None:
    """Steps until the database refuses."""
    await reader._take_leases()
    while True:
        await reader.step()


async def test_a_reader_whose_lease_passed_on_stores_nothing_more(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    async with storing(pipe.url, writer, "one") as one:
        first = await Appender(pipe).append(UNIT, observed(1.0, NOW))
        await stored_up_to_the_end(pipe, superuser)
        await superuser.execute("update lease set holder = 'two', epoch = epoch + 1,"
                                " expires_at = now() + interval '1 hour'")  # fmt: skip
        await until(lambda: without_shards(one), "the reader has noticed")
        await Appender(pipe).append(UNIT, observed(2.0, NOW + SECOND))
        await Appender(pipe).append(UNIT, observed(3.0, NOW + SECOND))
        await until(lambda: without_shards(one), "and keeps away")
        assert await values(superuser) == [1.0]
        assert await superuser.fetchval("select max(position) from reader_position") == first
        await superuser.execute("update lease set expires_at = now()")
        await stored_up_to_the_end(pipe, superuser)
    assert await values(superuser) == [1.0, 2.0, 3.0]


async def without_shards(reader: Any) -> bool:
    return not reader.epochs


async def test_a_unit_that_is_added_later_is_carried_too(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    async with storing(pipe.url, writer, shards=[UNIT]) as reader:
        await Appender(pipe).append(UNIT, observed(1.0, NOW))
        await stored_up_to_the_end(pipe, superuser)
        reader.shards = [UNIT, HALL]
        await Appender(pipe).append(HALL, wire.Kept(HALL, "s", NOW, "unknown_bed", "no such bed"))
        await stored_up_to_the_end(pipe, superuser, HALL)
    assert await count(superuser, "dead_letter") == 1


async def test_two_readers_share_the_shards_and_store_each_entry_once(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    appender = Appender(pipe)
    async with storing(pipe.url, writer, "one"), storing(pipe.url, writer, "two"):
        for number in range(50):
            await appender.append(UNIT, observed(float(number), NOW + number * SECOND))
        await stored_up_to_the_end(pipe, superuser)
    assert await values(superuser) == [float(number) for number in range(50)]


async def test_a_stream_is_never_trimmed_ahead_of_either_reader(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    appender = Appender(pipe)
    items = [(observed(float(n), NOW + n * SECOND), b"") for n in range(1000)]
    ids = await appender.append_many(UNIT, items)
    live_at = ids[300]
    await live_reached(pipe, live_at)
    async with storing(pipe.url, writer) as reader:
        await stored_up_to_the_end(pipe, superuser)
        reader.trimmed_at = -1e9
        await until(lambda: begins_after(pipe, ids[0]), "the stream is trimmed")
        rest = await pipe.call("XRANGE", keys(UNIT).incoming, live_at, "+")
        assert [entry_id.decode() for entry_id, _ in rest] == ids[300:]
    # Now the store is the slower one.
    more = await appender.append_many(UNIT, items[:300])
    await live_reached(pipe, more[-1])
    reader.epochs = {UNIT: 1}
    reader.trimmed_at = -1e9
    await reader._trim()
    rest = await pipe.call("XRANGE", keys(UNIT).incoming, ids[-1], "+")
    assert [entry_id.decode() for entry_id, _ in rest] == [ids[-1], *more]


async def live_reached(pipe: Pipe, position: str) -> None:
    """A live reader has kept a snapshot of this position."""
    lease = await leases.acquire(pipe, UNIT, "live")
    assert lease is not None
    await save_snapshot(pipe, lease, position, b"")


async def begins_after(pipe: Pipe, entry_id: str) -> bool:
    """Whether the stream no longer holds its first entry."""
    return not await pipe.call("XRANGE", keys(UNIT).incoming, entry_id, entry_id)
