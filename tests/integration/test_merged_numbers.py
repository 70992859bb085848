"""Rows of a number that was merged are found under the one that goes on, after a restart too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hospital_ops import bindings, identity, wire
from hospital_ops.access import Scope
from hospital_ops.clock import SECOND, SystemClock, to_datetime
from hospital_ops.database import Connection, Database
from hospital_ops.servers.valkey import Valkey
from streams.known import store as known
from streams.pipe import Pipe
from streams.rows import SET_RIGHT
from tests.integration.streams_help import BED, UNIT, admitted, carry, observed, one_by_one
from web import store

NOW = SystemClock().now_us() - 60 * SECOND
OTHER = f"{UNIT}-09"
PHYSICIAN = Scope("h1", ("*",), "icu_physician", "icu.h1")
UNKNOWN, KNOWN = "NN-17", "4711"
OLD, NEW = (identity.patient_id("h1", number) for number in (UNKNOWN, KNOWN))


@pytest.fixture
async def pipe(fresh_valkey: Valkey) -> AsyncIterator[Pipe]:
    pipe = Pipe(fresh_valkey.url)
    yield pipe
    await pipe.close()


@pytest.mark.usefixtures("two_hospitals")
async def test_the_stay_of_an_unknown_person_is_read_under_the_name_that_was_found(
    pipe: Pipe, writer: Database, app: Database, superuser: Connection
) -> None:
    merge = wire.replaced(
        admitted(KNOWN, NOW + 2 * SECOND, bed="", trigger="A40"), merged=(UNKNOWN,)
    )
    await carry(
        pipe,
        writer,
        superuser,
        admitted(UNKNOWN, NOW),
        observed(81.0, NOW + SECOND),
        merge,
        merge,  # told again: one link
        wire.Merged(UNIT, "loopback", NOW, "Test", KNOWN, (UNKNOWN,), NOW + 2 * SECOND),
        observed(83.0, NOW + 3 * SECOND, mrn=KNOWN),
    )
    assert await superuser.fetchval("select count(*) from patient_link") == 1
    assert await superuser.fetchval("select count(distinct patient_id) from measurement") == 1
    for wanted in (OLD, NEW):
        values = await store.latest_values(app, PHYSICIAN, wanted)
        assert [row["value"] for row in values] == [83.0], wanted
        assert {row["trigger"] for row in await store.way_of(app, PHYSICIAN, wanted)} == {
            "A01",
            "A40",
        }
    (found,) = await store.find_patients(app, PHYSICIAN, UNKNOWN)
    assert (str(found["patient_id"]), found["mrn"]) == (NEW, KNOWN)
    shown = await store.patient(app, PHYSICIAN, NEW)
    assert shown is not None
    assert (shown["bed"], shown["mrn"]) == (BED, KNOWN)
    async with writer.transaction() as connection:
        histories = (await known.load(connection, [UNIT])).histories
    binding = bindings.at(histories[BED], NOW + 3 * SECOND)
    assert binding is not None
    assert (binding.patient_id, binding.mrn, binding.mode) == (OLD, KNOWN, "Test")
    assert binding.is_called(UNKNOWN)


@pytest.mark.usefixtures("two_hospitals")
async def test_a_discharge_without_a_bed_and_a_corrected_result_are_followed_in_the_archive(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    def result(value: float, status: str, at: int) -> wire.Observed:
        told = observed(value, at)
        (one,) = told.observations
        return wire.replaced(told, observations=(wire.replaced(one, status=status),))

    first, second = NOW + SECOND, NOW + 2 * SECOND
    corrected = result(90.0, "C", first)
    came = wire.replaced(admitted(KNOWN, NOW), visit="1")
    gone = wire.replaced(admitted(KNOWN, NOW + 9 * SECOND, bed="", trigger="A03"), visit="1")
    # The emergency department closes its own visit meanwhile.
    closed = wire.replaced(admitted(KNOWN, NOW + 8 * SECOND, bed=OTHER, trigger="A03"), visit="E7")
    told: list[wire.Entry] = [
        came, closed, result(900.0, "", first), corrected, corrected,
        result(60.0, "", second), result(60.0, "W", second), gone, gone,
    ]  # fmt: skip
    await one_by_one(pipe, writer, superuser, *told)
    holds = await superuser.fetch("select value from measurement_in_force where validity <> 'Inv'")
    assert [row["value"] for row in holds] == [90.0]
    taken = await superuser.fetch("select reason, replaced_by is null as bare from correction")
    assert sorted(map(tuple, taken)) == [("OBX-11 C", False), ("OBX-11 W", True)]
    (entry,) = [wire.decode(row["entry"]) for row in await superuser.fetch("select * from outbox")]
    assert isinstance(entry, wire.Admission)
    assert (entry.trigger, entry.unit, entry.bed, entry.visit) == ("A03", UNIT, BED, "1")
    await one_by_one(pipe, writer, superuser, entry)
    assert await superuser.fetchval("select count(*) from outbox") == 1
    async with writer.transaction() as connection:
        histories = (await known.load(connection, [UNIT])).histories
    assert histories[BED][-1].patient_id == ""


@pytest.mark.usefixtures("two_hospitals")
async def test_what_comes_out_of_turn_is_the_same_after_a_restart(
    pipe: Pipe, writer: Database, superuser: Connection
) -> None:
    """Numbers, visits, a bed given away, a wrong clock, a result after its correction."""

    def told(value: float, status: str = "") -> wire.Observed:
        made = observed(value, NOW + 20 * SECOND, code="2160-0", bed=OTHER)
        (one,) = made.observations
        late = wire.replaced(one, status=status, origin="laboratory")
        return wire.replaced(made, observations=(late,))

    def late(second: int) -> wire.Observed:
        at = NOW + second * SECOND
        return wire.replaced(
            observed(80.0, at - 3600 * SECOND, bed=OTHER), received_at=at, sent_at=at
        )

    def stay(mrn: str, second: int, visit: str = "", **more: str) -> wire.Admission:
        return wire.replaced(admitted(mrn, NOW + second * SECOND, **more), visit=visit)

    merge = wire.replaced(stay(KNOWN, 0, bed="", trigger="A40"), merged=(UNKNOWN,))
    hear = wire.Merged(UNIT, "loopback", NOW, "Test", KNOWN, (UNKNOWN,), NOW)
    await carry(
        pipe, writer, superuser, merge, hear,
        stay(KNOWN, 1, "1", bed=OTHER), told(90.0, "C"), *(late(second) for second in range(2, 40)),
        stay("A", 1), stay("A", 2, trigger="A03"), stay("B", 3),
    )  # fmt: skip
    # A reader of its own from here on.
    await carry(
        pipe, writer, superuser, told(900.0), late(41),
        stay(UNKNOWN, 42, "2", bed=OTHER), stay(KNOWN, 43, "1", bed=OTHER, trigger="A03"),
        stay("A", 44, trigger="A13"),
    )  # fmt: skip
    open_stays = await superuser.fetch(
        "select bed, patient_id::text, mode from stay where ended_at is null order by bed"
    )
    a, b = (identity.patient_id("h1", number) for number in "AB")
    assert [(row["bed"], row["patient_id"]) for row in open_stays] == [
        ("", a),
        (BED, b),
        (OTHER, NEW),
    ]
    ended = await superuser.fetch("select end_reason from stay where patient_id = $1::uuid", NEW)
    assert sorted(row["end_reason"] for row in ended) == ["", "discharge"]
    holds = await superuser.fetch("select value from measurement_in_force where code = '2160-0'")
    assert [row["value"] for row in holds] == [90.0]
    last = await superuser.fetchrow(
        "select received_at - determined_at < interval '3 s' as corrected, patient_id::text, remark"
        "  from measurement where received_at = $1",
        to_datetime(NOW + 41 * SECOND),
    )
    assert last is not None
    assert (last["corrected"], last["patient_id"], last["remark"]) == (True, NEW, SET_RIGHT)
