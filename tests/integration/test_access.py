"""Nobody sees outside their hospital and units, and nobody rewrites the past."""

from hospital_ops.access import Scope
from hospital_ops.database import Connection, Database, InsufficientPrivilege
from hospital_ops.migrations.keeper import keep_partitions
from tests.integration.two_hospitals import ADMIN, NOW, UNITS

SCOPES = [
    ("h1", ("*",)),
    ("h1", ("h1-icu-1",)),
    ("h1", ("h1-ed",)),
    ("h1", ("h1-icu-1", "h1-ed")),
    ("h1", ("h2-icu-1",)),  # a forged unit of another hospital
    ("h1", ()),
    ("h2", ("*",)),
    ("h2", ("h2-ed",)),
    ("", ("*",)),
]
# A value each column accepts, where any value of its type would not do.
FITTING = {
    ("refiling", "to_at"): "'2026-03-02 10:00+00'",  # after its beginning
    ("unit", "kind"): "'icu'",
    ("device", "kind"): "'monitor'",
    ("device", "mode"): "'Test'",
    ("account", "role"): "'nurse'",
    ("triage_decision", "colour"): "'red'",
    ("triage_decision", "version"): "1",
    ("native_order", "request"): "'active'",
    ("native_order", "task"): "'requested'",
    ("native_order", "priority"): "'routine'",
    ("relative_message", "state"): "'held'",
    ("relative_message", "kind"): "'daily'",
    ("relative_price", "currency"): "'RUB'",
    ("patient_link", "kind"): "'merged'",
    ("isolation", "kind"): "'droplet'",
    ("relative_hours", "closes"): "'12:00'",
    ("staff_duty", "post"): "'nurse'",
    ("allergy", "criticality"): "'low'",
    ("letter_try", "outcome"): "'taken'",
    ("allergy", "heard"): "'bed'",
    ("bed_given", "kind"): "'patient'",
    ("device_binding", "way"): "'page'",
    ("filing", "mode"): "'Test'",
    ("care_agreement", "kind"): "'comfort_care'",
    ("care_agreement", "state"): "'proposed'",
    ("care_agreement", "confirmed_by"): "null",
    ("care_agreement", "end_confirmed_by"): "null",  # another person than who asked for it
    ("stay_act", "kind"): "'move'",
    ("signed_document", "kind"): "'shift'",
    ("incident", "kind"): "'value'",
    ("ed_place", "kind"): "'bay'",
    ("ed_place", "zone"): "''",
    ("place_given", "state"): "'held'",
    ("retention_hold", "patient_id"): "null",
    ("sepsis_clock", "category"): "'shock'",
    ("transfer", "state"): "'asked'",
    ("transfer", "to_hospital"): "null",
    ("transfer", "to_unit"): "null",
}
ANY = {
    "text": "'{salt}'",
    "uuid": "gen_random_uuid()",
    "bytea": "convert_to('{salt}', 'UTF8')",
    "jsonb": "'{{}}'",
    "timestamp with time zone": "'2026-03-01 10:00+00'",
    "double precision": "1",
    "integer": "1",
    "numeric": "1",
    "smallint": "1",
    "bigint": "1",
    "ARRAY": "'{{}}'",
    "boolean": "false",
    "date": "'2026-03-01'",
    "time without time zone": "'10:00'",
}
TABLES = """
select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
       (select count(*) from pg_policy p where p.polrelid = c.oid) as policies,
       has_any_column_privilege('app', c.oid, 'select') as read_by_app
from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'hospital_id'
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
order by 1
"""
COLUMNS = """
select column_name as name, data_type as type, is_identity from information_schema.columns
where table_name = $1 and is_generated = 'NEVER'
"""


async def fill(superuser: Connection, table: str) -> None:
    """One row of `table` for each unit of both hospitals, whatever its columns are."""
    columns = await superuser.fetch(COLUMNS, table)
    for hospital, units in UNITS.items():
        for unit in units:
            cells = {
                row["name"]: FITTING.get((table, row["name"]), ANY[row["type"]]).format(salt=unit)
                for row in columns
                if row["is_identity"] == "NO"
            }
            cells["hospital_id"] = f"'{hospital}'"
            await superuser.execute(
                f"insert into {table} ({', '.join(cells)}) values ({', '.join(cells.values())})"  # noqa: S608
                " on conflict do nothing"
            )


async def test_every_table_with_a_hospital_shows_each_scope_its_own_rows_only(
    superuser: Connection, app: Database
) -> None:
    tables = await superuser.fetch(TABLES)
    assert len(tables) >= 20
    await superuser.execute("set session_replication_role = replica")  # rows without their parents
    for table in tables:
        assert table["forced"], table["name"]
        assert table["policies"] >= 2, table["name"]
        await fill(superuser, table["name"])
    readable = [row["name"] for row in tables if row["read_by_app"]]
    assert {"measurement", "message", "audit", "session", "triage_decision"} <= set(readable)
    for name in readable:
        names = {row["name"] for row in await superuser.fetch(COLUMNS, name)}
        everything = "hospital_id, unit" if "unit" in names else "hospital_id, null as unit"
        look = f"select {everything} from {name}"  # noqa: S608
        rows = await superuser.fetch(look)
        assert {row["hospital_id"] for row in rows} == {"h1", "h2"}, name
        for hospital, units in SCOPES:
            async with app.transaction(Scope(hospital, units, "nurse", "n")) as connection:
                seen = await connection.fetch(look)
            expected = [
                row
                for row in rows
                if row["hospital_id"] == hospital
                and (
                    row["unit"] is None
                    or "*" in units
                    or row["unit"] in units
                    or name in ("device", "code_mapping")  # whose unit is one of measurement
                    or name in ("allergy", "isolation")  # with the patient through the hospital
                )
            ]
            assert sorted(map(tuple, seen)) == sorted(map(tuple, expected)), (name, hospital, units)
        async with app.transaction() as connection:
            assert await connection.fetch(look) == [], name


async def test_nobody_reads_a_partition_directly(
    superuser: Connection, owner: Database, app: Database, writer: Database
) -> None:
    await keep_partitions(owner, NOW)
    partitions = await superuser.fetch(
        "select relname from pg_class where relispartition and relkind = 'r'"
    )
    assert len(partitions) >= 3 + 8 + 27
    for row in partitions:
        for db in (app, writer):
            look = f"select 1 from {row['relname']}"  # noqa: S608
            assert await is_refused(db, ADMIN["h1"], look), row["relname"]


async def run(db: Database, scope: Scope | None, statement: str) -> None:
    async with db.transaction(scope) as connection:
        await connection.execute(statement)


async def is_refused(db: Database, scope: Scope | None, statement: str) -> bool:
    """Whether PostgreSQL says that the role may not, and not something else."""
    try:
        await run(db, scope, statement)
    except InsufficientPrivilege:
        return True
    return False


BEYOND_THE_WRITER = [
    "update measurement set value = 1",
    "delete from measurement",
    "truncate measurement",
    "delete from message",
    "update quarantine set reason = ''",
    "delete from dead_letter",
    "update outbox set entry = ''",
    "delete from outbox",
    "select password_hash from account",
    "select * from account",
    "update account set role = 'administrator'",
    "select * from audit",
    "insert into audit select * from audit",
    "update audit_head set number = 0",
    "delete from audit",
    "select * from account_for_sign_in('x')",
    "select * from migration",
    "create table mine (a int)",
    "alter table measurement disable row level security",
    "insert into triage_decision (case_id) values (gen_random_uuid())",
]


async def test_the_store_reader_may_add_to_the_archive_and_nothing_else(
    writer: Database,
) -> None:
    assert [one for one in BEYOND_THE_WRITER if not await is_refused(writer, None, one)] == []


BEYOND_THE_WEB = [
    "select password_hash from account",
    "insert into measurement (hospital_id) values ('h1')",
    "update measurement set value = 1",
    "update audit set actor = 'x'",
    "delete from audit",
    "insert into audit select * from audit",
    "select * from audit_head",
    "update triage_decision set colour = 'green'",
    "delete from triage_decision",
    "select * from outbox",
    "delete from session",
    "update reader_position set position = '0'",
    "select * from lease",
    "create table mine (a int)",
    "create temporary table mine (a int)",
    "select make_day('measurement', 'a', 'b', 'c', now(), now())",
    "insert into unit values ('h2-x', 'h2', 'icu', 'x')",
    "insert into session values ('x', 'h2', gen_random_uuid(), now(), now())",
    "select audit_append('h2-hall', 'h2', now(), 'a', 'r', 'x', 's', '')",
    "update unit set hospital_id = 'h2'",
    "update refiling set patient_id = null",
    "update refiling set from_at = now(), proposed = false",
]


async def test_the_web_may_neither_rewrite_the_past_nor_reach_another_hospital(
    app: Database, two_hospitals: None
) -> None:
    by = ADMIN["h1"]
    assert [one for one in BEYOND_THE_WEB if not await is_refused(app, by, one)] == []


async def test_the_writer_may_stage_rows_in_a_temporary_table(writer: Database) -> None:
    stage = "create temporary table staged (like measurement) on commit drop"
    assert not await is_refused(writer, None, stage)
