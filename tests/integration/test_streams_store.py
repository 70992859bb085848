"""The store reader: everything acknowledged is in PostgreSQL once, whatever comes how often."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest

from hospital_ops import identity, wire
from hospital_ops.clock import SECOND, SystemClock, from_datetime
from hospital_ops.codebook.rules import Rule, book
from hospital_ops.database import Connection, Database
from hospital_ops.identity import uuid7
from hospital_ops.servers.valkey import Valkey
from streams.append import Appender
from streams.pipe import Pipe
from tests.integration.streams_help import (
    BED,
    UNIT,
    admitted,
    carry,
    count,
    observed,
    one_by_one,
    stored_up_to_the_end,
    storing,
    values,
)

DAY = 86_400 * SECOND
NOW = SystemClock().now_us()


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


# Once ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [carry, one_by_one])
async def test_a_message_that_comes_three_times_is_stored_once(
    pipe: Pipe, writer: Database, superuser: Connection, way: Any
) -> None:
    message = observed(80.0, NOW)
    await way(pipe, writer, superuser, message, message, observed(81.0, NOW + SECOND), message)
    assert await values(superuser) == [80.0, 81.0]
    assert await count(superuser, "message") == 2
    assert await count(superuser, "quarantine") == 0


@pytest.mark.parametrize("way", [carry, one_by_one])
async def test_a_control_id_used_again_for_other_bytes_is_another_message(
    pipe: Pipe, writer: Database, superuser: Connection, way: Any
) -> None:
    first = observed(80.0, NOW, message_id="17", raw=b"first")
    second = observed(90.0, NOW + SECOND, message_id="17", raw=b"second")
    await way(pipe, writer, superuser, first, second)
    assert await values(superuser) == [80.0, 90.0]
    assert await count(superuser, "message") == 2


@pytest.mark.parametrize("way", [carry, one_by_one])
async def test_an_event_id_used_again_for_another_value_is_quarantined(
    pipe: Pipe, writer: Database, superuser: Connection, way: Any
) -> None:
    event = str(uuid7())
    other = observed(120.0, NOW, event_id=event, raw=b"b")
    await way(
        pipe,
        writer,
        superuser,
        observed(80.0, NOW, event_id=event, raw=b"a"),
        observed(80.0, NOW, event_id=event, raw=b"c"),  # the same event in another batch
        other,
    )
    assert await values(superuser) == [80.0]
    kept = await superuser.fetch("select identity, entry, raw from quarantine")
    assert [(row["identity"], row["entry"], row["raw"]) for row in kept] == [
        (UUID(event).bytes, wire.encode(other), b"raw")
    ]


@pytest.mark.parametrize("way", [carry, one_by_one])
async def test_an_event_sent_again_after_its_code_was_mapped_is_still_that_event(
    pipe: Pipe, writer: Database, superuser: Connection, way: Any
) -> None:
    event = str(uuid7())
    own = observed(80.0, NOW, code="ACME", event_id=event)
    own = wire.replaced(own, observations=(wire.replaced(own.observations[0], mapped=False),))
    again = wire.replaced(own, message_id="again", identity=b"again")
    as_hr, as_pr = (book([Rule("", "ACME", "/min", key, 1)]) for key in ("hr", "pr"))
    other = wire.replaced(own, observations=(wire.replaced(own.observations[0], value=99.0),))
    await way(pipe, writer, superuser, own, as_hr.read(again), as_pr.read(again))
    assert (await values(superuser), await count(superuser, "quarantine")) == ([80.0], 0)
    await way(pipe, writer, superuser, as_hr.read(wire.replaced(other, identity=b"other")))
    assert (await values(superuser), await count(superuser, "quarantine")) == ([80.0], 1)


@pytest.mark.parametrize("way", [carry, one_by_one])
async def test_the_same_value_of_one_time_under_a_new_id_is_one_row(
    pipe: Pipe, writer: Database, superuser: Connection, way: Any
) -> None:
    await way(pipe, writer, superuser, *(observed(80.0, NOW) for _ in range(3)))
    assert await values(superuser) == [80.0]
    assert await count(superuser, "message") == 3


@pytest.mark.parametrize("way", [carry, one_by_one])
async def test_two_different_values_of_one_time_are_both_kept(
    pipe: Pipe, writer: Database, superuser: Connection, way: Any
) -> None:
    await way(pipe, writer, superuser, observed(80.0, NOW), observed(90.0, NOW))
    assert await values(superuser) == [80.0, 90.0]


@pytest.mark.parametrize("way", [carry, one_by_one])
async def test_a_message_without_a_time_keeps_its_first_receive_time(
    pipe: Pipe, writer: Database, superuser: Connection, way: Any
) -> None:
    number = str(uuid7())
    await way(
        pipe,
        writer,
        superuser,
        *(observed(message_id=number, received_at=NOW + n * SECOND) for n in range(3)),
    )
    (row,) = await superuser.fetch("select * from measurement")
    assert from_datetime(row["determined_at"]) == NOW
    assert row["device_time"] is None


async def test_an_event_time_far_from_its_receipt_is_stored_and_flagged(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    await carry(pipe, writer, superuser, *(observed(80.0, NOW + d * DAY) for d in (-40, -20, 0, 9)))
    rows = await superuser.fetch(
        "select tableoid::regclass::text as lies_in, remark from measurement order by determined_at"
    )
    far = "the device's time lies far from the time of receipt"
    assert [row["remark"] for row in rows] == [far, "", "", far]
    assert all(row["lies_in"] == "measurement_default" for row in rows)  # no keeper has run


async def test_one_curve_that_no_row_can_hold_costs_the_others_of_its_message_nothing(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    def curve(code: str, **change: Any) -> wire.Waved:
        return wire.Waved(
            UNIT, "m", "7", code.encode(), NOW, "Test", code, "", NOW, 250.0, 1.0, 0.0, "mV",
            b"\1\0", bed=BED, **change,
        )  # fmt: skip

    bad = curve("with \0", sequence=2**64 - 1)
    (entry,) = wire.together([curve("I"), bad, curve("II"), curve("V1", sequence=2**64 - 1)])
    (good,) = wire.together([curve("ABP"), curve("PLETH")])
    for _ in range(2):  # the sender got no answer and sends both again
        for one in (entry, good, curve("II")):
            await Appender(pipe).append(UNIT, one, stream="waves")
    async with storing(pipe.url, writer):
        await stored_up_to_the_end(pipe, superuser, stream="waves")
    rows = await superuser.fetch("select code from waveform order by code")
    assert [row["code"] for row in rows] == ["ABP", "I", "II", "PLETH"]
    dead = await superuser.fetch("select entry from dead_letter")
    assert [row["entry"] for row in dead] == [wire.encode(entry)] * 2  # the bytes of the whole


async def test_an_alarm_of_a_device_and_a_lone_waveform_keep_their_bytes(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    wave = wire.Waved(
        UNIT, "loopback", "w", b"w", NOW, "Test", "MDC_ECG_LEAD_II", "", NOW, 250.0, 1.0, 0.0,
        "mV", b"\x01\x00" * 50, bed=BED,
    )  # fmt: skip
    alert = wire.DeviceAlert(
        UNIT, "loopback", "a", b"a", NOW, "Test", "7", "196648", "MDC_EVT_HI_GT_LIM", "high",
        "start", "active", "PH", "SP", bed=BED,
    )  # fmt: skip
    appender = Appender(pipe)
    for _ in range(2):
        await appender.append(UNIT, wave, b"wave bytes", "waves")
        await appender.append(UNIT, alert, b"alert bytes")
        async with storing(pipe.url, writer):
            await stored_up_to_the_end(pipe, superuser)
            await stored_up_to_the_end(pipe, superuser, stream="waves")
    rows = await superuser.fetch("select kind, raw from message order by kind")
    assert [tuple(row) for row in rows] == [
        ("device_alert", b"alert bytes"),
        ("waveform", b"wave bytes"),
    ]
    assert await count(superuser, "waveform") == 1


async def test_a_decision_that_the_relay_repeats_is_stored_once(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    decided = wire.Decided("h1-ed", str(uuid7()), 1, "red", "ed.h1", NOW, "", "", ())
    await carry(pipe, writer, superuser, decided, decided)
    await carry(pipe, writer, superuser, decided)
    assert await count(superuser, "case_event") == 1


# Whose --------------------------------------------------------------------------------------------


async def test_a_value_belongs_to_whoever_lay_there_at_its_event_time(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    other_bed = "h1-icu-1-02"
    await one_by_one(
        pipe,
        writer,
        superuser,
        admitted("A", NOW),
        observed(1.0, NOW - 5 * SECOND),  # before anybody lay there
        observed(2.0, NOW + 5 * SECOND),
        admitted("B", NOW + 100 * SECOND),
        observed(3.0, NOW + 50 * SECOND),  # late: still A's
        observed(4.0, NOW + 150 * SECOND),
        observed(5.0, NOW + 160 * SECOND, mrn="A"),  # contradicts the binding
        admitted("B", NOW + 200 * SECOND, bed=other_bed, trigger="A02", prior_bed=BED),
        observed(6.0, NOW + 250 * SECOND),  # the bed is empty
        observed(7.0, NOW + 250 * SECOND, bed=other_bed),
        admitted("B", NOW + 300 * SECOND, bed=other_bed, trigger="A03"),
        observed(8.0, NOW + 350 * SECOND, bed=other_bed),
    )
    rows = await superuser.fetch("select value, patient_id::text from measurement")
    a, b = (identity.patient_id("h1", mrn) for mrn in "AB")
    assert {row["value"]: row["patient_id"] for row in rows} == {
        1.0: None, 2.0: a, 3.0: a, 4.0: b, 5.0: None, 6.0: None, 7.0: b, 8.0: None
    }  # fmt: skip


async def test_the_hash_of_the_stored_bytes_is_that_of_what_was_sent(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    raw = bytes(range(256)) * 100
    await carry(pipe, writer, superuser, observed(80.0, NOW, raw=raw), raw=raw)
    stored = await superuser.fetchval("select raw from message")
    assert hashlib.sha256(stored).digest() == hashlib.sha256(raw).digest()
