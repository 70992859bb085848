"""What is older than the hospital keeps it goes, in small steps; what has to stay, stays."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from hospital_ops import audit
from hospital_ops.clock import SECOND, SystemClock, from_datetime, to_datetime
from hospital_ops.commands import retention as command
from hospital_ops.database import Connection, Database
from hospital_ops.identity import patient_id
from hospital_ops.migrations.keeper import keep_partitions
from hospital_ops.retention import store
from hospital_ops.retention.kinds import KINDS
from tests.integration.two_hospitals import ADMIN

DAY = 86_400 * SECOND
NOW = SystemClock().now_us()
OLD = NOW - 40 * DAY
UNIT = "h1-icu-1"
GONE, HERE, HELD = (patient_id("h1", mrn) for mrn in ("gone", "here", "held"))
BEFORE = to_datetime(NOW - 30 * DAY)


async def lies(db: Connection, patient: str, bed: str, at: int, until: int | None) -> None:
    """A stay with its bindings, as the archive has them."""
    await db.execute(
        "insert into stay (stay, hospital_id, unit, bed, patient_id, mode, admitted_at, moved_at,"
        " ended_at) values ($1, 'h1', $2, $3, $4, 'Real', $5, $5, $6)",
        uuid4(), UNIT, bed, UUID(patient), to_datetime(at),
        to_datetime(until) if until else None,
    )  # fmt: skip
    for who, moment in ((patient, at), (None, until)):
        if moment is not None:
            await db.execute(
                "insert into binding (hospital_id, unit, bed, from_at, patient_id, mrn, entry_id)"
                " values ('h1', $1, $2, $3, $4, '', $5)",
                UNIT, bed, to_datetime(moment), UUID(who) if who else None, f"{moment}-0",
            )  # fmt: skip


async def measured(
    db: Connection, at: int, number: int, *, bed: str, patient: str | None, hospital: str = "h1"
) -> None:
    """So many heart rates, a second apart."""
    await db.execute(
        "insert into measurement (hospital_id, unit, place, patient_id, device, source,"
        " source_message_id, event_id, code, channel, value, physical_unit, determined_at,"
        " received_at, stored_at, validity, mode, origin, remark, entry_id)"
        " select $1, $2, $3, $4, 'm', 's', 'x', gen_random_uuid(), '8867-4', '', 80, '/min', t, t,"
        " t, 'Vld', 'Real', 'monitor', '', '1-0'"
        " from (select $5::timestamptz + n * interval '1 second' as t"
        " from generate_series(1, $6) n) row",
        hospital, f"{hospital}-icu-1", bed, UUID(patient) if patient else None, to_datetime(at),
        number,
    )  # fmt: skip


async def of(db: Connection, bed: str) -> int:
    """How many values of a bed are there."""
    found = await db.fetchval("select count(*) from measurement where place = $1", bed)
    return int(found)


async def run(owner: Database, kind: str = "numerics", chunk: int = 5000) -> list[tuple[str, int]]:
    """A real run, to its end."""
    return [each async for each in store.delete(owner, kind, BEFORE, chunk)]


@pytest.mark.usefixtures("two_hospitals")
async def test_what_is_old_goes_and_who_is_here_or_under_a_hold_keeps_everything(
    owner: Database, app: Database, superuser: Connection
) -> None:
    beds = [f"{UNIT}-0{n}" for n in (1, 2, 3)]
    await lies(superuser, GONE, beds[0], OLD - DAY, OLD + DAY)
    await lies(superuser, HERE, beds[1], OLD - DAY, None)
    await lies(superuser, HELD, beds[2], OLD - DAY, OLD + DAY)
    for bed, patient in zip(beds, (GONE, HERE, HELD), strict=True):
        await measured(superuser, OLD, 30, bed=bed, patient=patient)
        await measured(superuser, NOW - DAY, 5, bed=bed, patient=None)
    # Of the bed of somebody who is here, under nobody's name: it may be theirs.
    await measured(superuser, OLD + 60 * SECOND, 7, bed=beds[1], patient=None)
    async with app.transaction(ADMIN["h1"]) as connection:
        hold = await store.place_hold(connection, ADMIN["h1"], None, UUID(HELD), "a claim", NOW)

    (numerics, _) = await store.look(owner, "numerics", BEFORE)
    assert (numerics.table, numerics.going, numerics.staying) == ("measurement", 30, 67)
    assert numerics.bytes > 0
    assert numerics.oldest == to_datetime(OLD + SECOND)
    assert numerics.newest == to_datetime(OLD + 30 * SECOND)
    assert await of(superuser, beds[0]) == 35, "a look changes nothing"

    assert await run(owner, chunk=8) == [("measurement", n) for n in (8, 8, 8, 6)]
    assert [await of(superuser, bed) for bed in beds] == [5, 42, 35]
    assert await run(owner) == [], "a second run finds nothing"

    async with app.transaction(ADMIN["h1"]) as connection:
        await store.end_hold(connection, ADMIN["h1"], hold, NOW)
    assert await run(owner) == [("measurement", 30)]
    rows = await superuser.fetch("select detail from audit where action = 'retention_deleted'")
    assert len(rows) == 5
    assert rows[0]["detail"].startswith("8 rows of measurement before ")
    async with owner.transaction() as connection:
        assert await audit.verify(connection, "h1-hall") == []


@pytest.mark.usefixtures("two_hospitals")
async def test_an_open_incident_keeps_the_minutes_around_it(
    owner: Database, superuser: Connection
) -> None:
    bed = f"{UNIT}-01"
    await measured(superuser, OLD, 10, bed=bed, patient=None)
    await measured(superuser, OLD - DAY, 10, bed=bed, patient=None)
    await superuser.execute(
        "insert into incident (incident, hospital_id, unit, place, kind, about, at, from_at,"
        " until_at, seen, versions, mode, reported_by, reported_at) values"
        " (gen_random_uuid(), 'h1', $1, $2, 'value', 'x', $3, $3, $3, '{}', '{}', 'Real', 'nurse',"
        " now())",
        UNIT, bed, to_datetime(OLD),
    )  # fmt: skip
    assert await run(owner) == [("measurement", 10)]
    assert await of(superuser, bed) == 10
    await superuser.execute("update incident set frozen_at = now(), reviewed_at = now()")
    assert await run(owner) == [("measurement", 10)]


@pytest.mark.usefixtures("two_hospitals")
async def test_a_day_of_which_nothing_stays_goes_as_a_whole_and_each_hospital_is_told(
    owner: Database, superuser: Connection
) -> None:
    await keep_partitions(owner, OLD)
    await measured(superuser, OLD, 20, bed=f"{UNIT}-01", patient=None)
    await measured(superuser, OLD, 10, bed="h2-icu-1-01", patient=None, hospital="h2")
    day = f"measurement_{to_datetime(OLD):%Y%m%d}"
    assert await superuser.fetchval("select to_regclass($1) is not null", day)
    looked = sum(one.going for one in await store.look(owner, "numerics", BEFORE))
    assert await run(owner, chunk=3) == [("measurement", looked)] == [("measurement", 30)]
    assert await superuser.fetchval("select to_regclass($1) is null", day)
    told = await superuser.fetch(
        "select shard, detail from audit where action = 'retention_deleted' order by shard"
    )
    assert [row["shard"] for row in told] == ["h1-hall", "h2-hall"]
    assert [row["detail"].split()[0] for row in told] == ["20", "10"]
    assert all("the whole day" in row["detail"] for row in told)


@pytest.mark.usefixtures("two_hospitals")
async def test_every_kind_can_be_looked_at_and_deleted_on_an_empty_archive(
    owner: Database,
) -> None:
    for kind, targets in KINDS.items():
        assert [one.going for one in await store.look(owner, kind, BEFORE)] == [0] * len(targets)
        assert await run(owner, kind) == []


@pytest.mark.usefixtures("two_hospitals")
async def test_messages_of_a_unit_stay_as_long_as_somebody_of_that_time_is_there(
    owner: Database, superuser: Connection
) -> None:
    await lies(superuser, HERE, f"{UNIT}-01", OLD - DAY, None)
    for number, (unit, at) in enumerate(
        [(UNIT, OLD), (UNIT, OLD - 3 * DAY), ("h1-hall", OLD), ("h1-ed", OLD), ("h2-icu-1", OLD)]
    ):
        await superuser.execute(
            "insert into message (hospital_id, unit, entry_id, source, message_id, kind,"
            " received_at, entry, raw) values ($1, $2, $3, 's', 'm', 'observed', $4, '', '')",
            unit[:2], unit, f"{number}-0", to_datetime(at),
        )  # fmt: skip
    assert await run(owner, "messages") == [("message", 3)]
    kept = await superuser.fetch("select unit, received_at from message order by unit")
    assert [row["unit"] for row in kept] == ["h1-hall", UNIT]
    assert {from_datetime(row["received_at"]) for row in kept} == {OLD}


@pytest.mark.usefixtures("two_hospitals")
async def test_nobody_but_the_owner_deletes_and_no_other_hospital_sees_a_hold(
    app: Database, writer: Database
) -> None:
    async with app.transaction(ADMIN["h1"]) as connection:
        await store.place_hold(connection, ADMIN["h1"], UNIT, None, "an inquiry", NOW)
        assert len(await store.holds(connection)) == 1
    async with app.transaction(ADMIN["h2"]) as connection:
        assert await store.holds(connection) == []
    for db in (app, writer):
        with pytest.raises(Exception, match="permission denied"):
            await run(db)


def test_without_a_setting_nothing_is_ever_deleted() -> None:
    assert store.cutoffs({}, NOW) == {}
    assert store.cutoffs({"waveforms": 90}, NOW) == {
        "waveforms": to_datetime(NOW) - timedelta(days=90)
    }


def test_the_command_looks_unless_it_is_told_to_delete(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("HOSPITAL_OPS_DATABASE_URL", database_url)
    monkeypatch.setenv("HOSPITAL_OPS_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOSPITAL_OPS_KEEP_DAYS", '{"waveforms": 90}')
    assert command.main(["--json", "--keep", "numerics=400"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert [row["table"] for row in found["rows"]] == [
        "waveform", "wave_block", "measurement", "trend_minute",
    ]  # fmt: skip
    assert found["off"] == ["alarms", "messages", "refused"]
    assert "audit" in found["never"]
    assert command.main(["--delete"]) == 0
    assert "never deleted" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        command.main(["--delete", "--keep", "numerics=400"])
    with pytest.raises(SystemExit):
        command.main(["--keep", "audit=400"])
