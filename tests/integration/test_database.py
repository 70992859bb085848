"""PostgreSQL as the house needs it: fit to start, migrated once, a partition for each day."""

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

import asyncpg
import pytest

from hospital_ops import database
from hospital_ops.access import Scope
from hospital_ops.clock import from_datetime
from hospital_ops.database import Connection, Database, DatabaseGone
from hospital_ops.errors import ConfigurationError
from hospital_ops.migrations import runner
from hospital_ops.migrations.keeper import keep_partitions
from hospital_ops.migrations.roles import ensure_roles, roles_script
from hospital_ops.migrations.runner import migrate
from hospital_ops.servers.lock import DataDirectory
from hospital_ops.servers.postgres import Postgres
from hospital_ops.servers.runtime import RuntimeFolder
from hospital_ops.servers.supervisor import Supervisor
from tests.patience import PATIENCE_S

MIDDAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
WARD = Scope("h1", ("*",), "nurse", "nurse.one")


@asynccontextmanager
async def postgres_with(folder: Path, *options: str) -> AsyncIterator[Postgres]:
    """A PostgreSQL of this test's own that somebody started with other options."""
    with DataDirectory(folder) as data, RuntimeFolder(data.path / "runtime") as runtime:
        server = Postgres(data, runtime)
        child = server.child()
        extra = [word for option in options for word in ("-c", option)]
        async with Supervisor(data.log_folder) as supervisor:
            await supervisor.start(dataclasses.replace(child, argv=[*child.argv, *extra]))
            yield server


async def store(connection: Connection, at: datetime, event: int, bed: str = "h1-icu-1-01") -> None:
    """Stores one heart rate of `bed` at `at`."""
    await connection.execute(
        "insert into measurement (hospital_id, unit, place, device, source, source_message_id,"
        " event_id, code, channel, value, physical_unit, determined_at, received_at, stored_at,"
        " validity, mode, origin, remark, entry_id) values ('h1', 'h1-icu-1', $3, 'm1', 's1', 'x',"
        " $2, '8867-4', '', 80, '/min', $1, $1, $1, 'Vld', 'Test', 'monitor', '', '1-0')",
        at,
        UUID(int=event),
        bed,
    )


async def lies_in(db: Database, event: int) -> str:
    """The partition that holds the value."""
    async with db.transaction() as connection:
        return str(
            await connection.fetchval(
                "select tableoid::regclass::text from measurement where event_id = $1",
                UUID(int=event),
            )
        )


# Fit to start ------------------------------------------------------------------------------------


async def test_the_embedded_server_is_fit(database_url: str) -> None:
    assert await database.check_server(database_url) == []


async def test_a_server_that_may_forget_is_refused_in_words(tmp_path: Path) -> None:
    async with postgres_with(
        tmp_path / "careless", "fsync=off", "full_page_writes=off", "synchronous_commit=off"
    ) as server:
        with pytest.raises(ConfigurationError) as refused:
            await database.refuse_unfit(server.url())
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        assert f"Set {setting}=on." in str(refused.value)


async def test_synchronous_commit_switched_off_for_one_database_is_found(
    empty_database_url: str,
) -> None:
    name = empty_database_url.split("@/")[1].split("?")[0]
    async with database.single(empty_database_url, name="test") as connection:
        await connection.execute(f"alter database {name} set synchronous_commit = off")
    (sentence,) = await database.check_server(empty_database_url)
    assert "before it is on disk" in sentence


async def test_a_server_that_is_away_is_said_to_be_away(tmp_path: Path) -> None:
    url = f"postgresql://postgres:geheim@/postgres?host={tmp_path}"
    db = await database.connect(url, "app", name="test")  # starting without PostgreSQL is allowed
    with pytest.raises(DatabaseGone, match="does not serve") as gone:
        async with db.transaction():
            pass
    assert "geheim" not in str(gone.value)
    await db.close()


async def test_missing_roles_are_explained(tmp_path: Path) -> None:
    async with postgres_with(tmp_path / "bare") as server:
        with pytest.raises(ConfigurationError, match="hospital-ops migrate --roles"):
            await migrate(server.url())


def test_a_number_kept_for_later_work_is_applied_when_it_comes() -> None:
    files = [runner.Migration(number, f"{number:04d}_x", "c", "") for number in (1, 2, 4)]
    assert [one.number for one in runner.missing(files, {1: "c", 4: "c"})] == [2]


async def test_setting_up_roles_in_two_databases_at_once_is_harmless(
    database_url: str, servers: object
) -> None:
    await asyncio.gather(*(ensure_roles(database_url) for _ in range(4)))
    assert 'grant owner, app, writer to :"login";' in roles_script()


# Connections -------------------------------------------------------------------------------------


async def test_every_connection_has_its_role_and_its_limits(
    owner: Database, app: Database, writer: Database
) -> None:
    for db in (owner, app, writer):
        async with db.transaction() as connection:
            row = await connection.fetchrow(
                "select current_user as role, current_setting('statement_timeout') as statement,"
                " current_setting('idle_in_transaction_session_timeout') as idle,"
                " current_setting('synchronous_commit') as durable"
            )
        assert row is not None
        assert row["role"] == db.role
        assert "0" not in (row["statement"], row["idle"])
        assert row["durable"] == "on"


async def test_a_scope_ends_with_its_transaction(app: Database) -> None:
    async with app.transaction(WARD):
        pass
    async with app.transaction() as connection:  # the same connection of the pool
        assert not await connection.fetchval(
            "select current_setting('hospital_ops.hospital', true)"
        )


@pytest.mark.parametrize("savepoints", [0, 1, 3])
async def test_a_connection_cut_by_the_server_is_gone_and_the_next_one_serves(
    app: Database, database_url: str, savepoints: int
) -> None:
    async def work(connection: Connection) -> None:
        async with AsyncExitStack() as stack:
            for _ in range(savepoints):  # each is tidied up on a line that is gone
                await stack.enter_async_context(connection.transaction())
            pid = await connection.fetchval("select pg_backend_pid()")
            async with database.single(database_url, name="test") as other:
                await other.execute("select pg_terminate_backend($1)", pid)
            await connection.execute("select 1")

    with pytest.raises(DatabaseGone):
        await app.retrying(work)
    async with app.transaction() as connection:
        assert await connection.fetchval("select 1") == 1


def test_what_fails_while_a_lost_line_is_tidied_up_is_that_loss() -> None:
    """A savepoint in a savepoint: each rollback fails on a line that was cut under a COPY."""

    def fail(depth: int, first: Exception) -> None:
        try:
            if depth:
                fail(depth - 1, first)
            else:
                raise first
        except Exception:
            raise asyncpg.InterfaceError("another operation is in progress")  # noqa: B904

    class Open:
        def is_closed(self) -> bool:
            return False

    for first, gone in ((ConnectionResetError(), True), (KeyError("x"), False)):
        for depth in (0, 1, 2):
            with pytest.raises(asyncpg.InterfaceError) as error:
                fail(depth, first)
            assert database.is_gone(error.value, cast("Connection", Open())) is gone


async def test_a_wrong_question_is_not_taken_for_a_lost_server(app: Database) -> None:
    for question, values in (("select $1::int", ()), ("select $1::int", ("x",)), ("selekt", ())):
        with pytest.raises(Exception, match=r".") as error:
            async with app.transaction() as connection:
                await connection.fetch(question, *values)
        assert not isinstance(error.value, DatabaseGone)


async def test_two_that_stand_in_each_others_way_both_get_through(owner: Database) -> None:
    async with owner.transaction() as connection:
        await connection.execute(
            "insert into lease values ('a', '', 0, now()), ('b', '', 0, now())"
        )
    met = asyncio.Barrier(2)

    async def take(first: str, second: str) -> None:
        meeting = [met.wait]

        async def work(connection: Connection) -> None:
            more = "update lease set epoch = epoch + 1 where name = $1"
            await connection.execute(more, first)
            if meeting:
                await meeting.pop()()
            await connection.execute(more, second)

        await owner.retrying(work)

    await asyncio.gather(take("a", "b"), take("b", "a"))
    async with owner.transaction() as connection:
        assert await connection.fetchval("select array_agg(epoch) from lease") == [2, 2]


# Migrations --------------------------------------------------------------------------------------


async def test_three_programs_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    done = await asyncio.gather(*(migrate(empty_database_url) for _ in range(3)))
    names = [migration.name for migration in runner.read(runner.FOLDER)]
    assert sorted(done) == sorted([[], [], names])
    assert await migrate(empty_database_url) == []


async def test_a_migration_changed_after_the_fact_is_refused(
    database_url: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(runner.FOLDER, tmp_path / "migrations")
    (folder / "0001_first.sql").write_text("select 1;")
    with pytest.raises(ConfigurationError, match="0001_first was changed"):
        await migrate(database_url, folder)


async def test_a_migration_that_fails_leaves_nothing_and_can_be_mended(
    database_url: str, tmp_path: Path
) -> None:
    folder = shutil.copytree(runner.FOLDER, tmp_path / "migrations")
    number = max(migration.number for migration in runner.read(folder)) + 1
    late = folder / f"{number:04}_late.sql"
    late.write_text("create table half (a int); select 1 / 0;")
    with pytest.raises(database.PostgresError):
        await migrate(database_url, folder)
    late.write_text("create table half (a int);")
    assert await migrate(database_url, folder) == [late.stem]
    assert await migrate(database_url) == []  # the older program goes on after a rollback


# Partitions --------------------------------------------------------------------------------------


async def test_the_keeper_makes_yesterday_to_a_week_ahead_and_then_nothing(owner: Database) -> None:
    made = await keep_partitions(owner, from_datetime(MIDDAY))
    days = [name for name in made if name.startswith("measurement_")]
    assert sorted(days)[0] == "measurement_20260228"
    assert sorted(days)[-1] == "measurement_20260308"
    assert len(days) == 9
    assert await keep_partitions(owner, from_datetime(MIDDAY)) == []
    next_day = await keep_partitions(owner, from_datetime(MIDDAY + timedelta(days=1)))
    assert "measurement_20260309" in next_day


async def test_a_day_begins_at_midnight_utc_whatever_the_session_says(
    owner: Database, database_url: str
) -> None:
    name = database_url.split("@/")[1].split("?")[0]
    async with database.single(database_url, name="test") as connection:
        await connection.execute(f"alter database {name} set timezone = 'Asia/Vladivostok'")
    await keep_partitions(owner, from_datetime(MIDDAY))
    midnight = MIDDAY.replace(hour=0)
    async with owner.transaction() as connection:
        await store(connection, midnight - timedelta(microseconds=1), 1)
        await store(connection, midnight, 2)
    assert await lies_in(owner, 1) == "measurement_20260228"
    assert await lies_in(owner, 2) == "measurement_20260301"


async def test_a_value_nine_days_ahead_is_kept_and_moves_to_its_day_when_that_is_made(
    owner: Database, writer: Database
) -> None:
    await keep_partitions(owner, from_datetime(MIDDAY))
    async with writer.transaction() as connection:
        await store(connection, MIDDAY + timedelta(days=9), 1)
        await store(connection, MIDDAY + timedelta(days=40), 2)
    assert await lies_in(owner, 1) == "measurement_default"
    made = await keep_partitions(owner, from_datetime(MIDDAY + timedelta(days=3)))
    assert "measurement_20260310" in made
    assert await lies_in(owner, 1) == "measurement_20260310"
    assert await lies_in(owner, 2) == "measurement_default"


async def test_midnight_passes_under_load_and_every_value_is_there_once(
    owner: Database, writer: Database
) -> None:
    await keep_partitions(owner, from_datetime(MIDDAY))
    done, under_way = asyncio.Event(), asyncio.Event()
    midnight = MIDDAY.replace(hour=0) + timedelta(days=8)  # the first day without a partition
    stored: list[int] = []

    async def send(sender: int) -> None:
        number = 0
        while not done.is_set() or number < 50:
            event = sender * 1_000_000 + number
            at = midnight + timedelta(milliseconds=number - 25)
            async with writer.transaction() as connection:
                await store(connection, at, event, bed=f"h1-icu-1-{sender:02}")
            stored.append(event)
            under_way.set()
            number += 1

    senders = [asyncio.create_task(send(sender)) for sender in (1, 2, 3)]
    try:
        await under_way.wait()
        made = await keep_partitions(owner, from_datetime(MIDDAY + timedelta(days=1)))
    finally:
        done.set()
        await asyncio.gather(*senders)
    assert "measurement_20260309" in made
    async with owner.transaction() as connection:
        rows = await connection.fetch("select event_id from measurement")
        left = await connection.fetchval("select count(*) from measurement_default")
    assert sorted(row["event_id"].int for row in rows) == sorted(stored)
    assert left == 0


async def test_a_long_reader_of_everything_holds_up_the_keeper_only_until_it_ends(
    owner: Database, writer: Database
) -> None:
    async with writer.transaction() as connection:
        await connection.fetch("select * from measurement")  # holds the default partition
        keeping = asyncio.create_task(keep_partitions(owner, from_datetime(MIDDAY)))
        async with owner.transaction() as looking, asyncio.timeout(PATIENCE_S):
            waiting = False
            while not waiting:
                waiting = await looking.fetchval(
                    "select exists (select from pg_locks where not granted and database ="
                    " (select oid from pg_database where datname = current_database()))"
                )
        # Others go on: the keeper gives up its place in the queue and comes back.
        async with asyncio.timeout(PATIENCE_S), writer.transaction() as other:
            await store(other, MIDDAY, 1)
    async with owner.transaction() as connection:
        with_days = await connection.fetchval(
            "select count(*) from pg_partitioned_table where partstrat = 'r'"
        )
    assert with_days >= 5
    assert len(await keeping) == 9 * with_days  # yesterday, today and seven days ahead of each
    assert await lies_in(owner, 1) == "measurement_20260301"


async def test_an_alarm_that_came_along_stays_its_patients_whoever_lay_in_the_bed_at_its_beginning(
    superuser: Connection,
) -> None:
    p, q, r = (UUID(int=n) for n in (1, 2, 3))

    async def filed_anew(to: UUID | None, was: list[UUID], *, proposed: bool = False) -> None:
        await superuser.execute(
            "insert into refiling (refiling, hospital_id, unit, place, from_at, to_at, patient_id,"
            " numbers, mode, was, event, source, told_at, proposed, entry_id) values"
            " (gen_random_uuid(), 'h1', 'h1-icu-1', 'h1-icu-1-02', $1, $2, $3, '{}', 'Test', $4,"
            " 'A01', 'adt', $2, $5, 'x')",
            MIDDAY, MIDDAY + timedelta(hours=1), to, was, proposed,
        )  # fmt: skip

    async def whose() -> list[str]:
        rows = await superuser.fetch("select patient_id from filed_alert_event order by alarm_id")
        return [row["patient_id"] for row in rows]

    came_along, began_here, nobodys = str(p), str(q), ""
    for number, patient in enumerate((came_along, began_here, nobodys)):
        await superuser.execute(
            "insert into alert_event (hospital_id, unit, alarm_id, bed, patient_id, rule, priority,"
            " state, at, since, words, mode, entry_id) values ('h1', 'h1-icu-1', $1, 'h1-icu-1-02',"
            " $2, 'map_low', 'high', 'active', $3, $3, '', 'Test', 'x')",
            UUID(int=number), patient, MIDDAY + timedelta(seconds=30),
        )  # fmt: skip
    await filed_anew(q, [])  # Q was admitted there, told a minute late
    assert await whose() == [str(p), str(q), str(q)]
    await filed_anew(r, [q])  # it was R
    assert await whose() == [str(p), str(r), str(r)]
    await filed_anew(None, [r], proposed=True)
    assert await whose() == [str(p), str(r), str(r)]
    await store(superuser, MIDDAY, 1)  # by a store reader that does not say whom a message named
    assert await superuser.fetchval("select named from measurement") == "?"
