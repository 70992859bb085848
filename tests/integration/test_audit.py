"""What was done cannot be changed unseen: the audit's chain."""

import asyncio
from typing import Final

from hospital_ops import audit
from hospital_ops.audit import Head
from hospital_ops.database import Connection, Database
from tests.integration.two_hospitals import ADMIN, NOW

# What somebody does who may do everything, and what the chain then says.
TAMPERING: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("update audit set subject = 'other' where number = 3",), "row 3 was changed"),
    (("update audit set hospital_id = 'h2' where number = 3",), "row 3 was changed"),
    (
        ("update audit set hash = set_byte(hash, 0, get_byte(hash, 0) # 1) where number = 3",),
        "row 3 was changed",
    ),
    (("delete from audit where number = 3",), "rows between 2 and 4 are gone"),
    (("delete from audit where number = 1",), "rows between 0 and 2 are gone"),
    (("delete from audit where number > 7",), "its head says 10: rows are gone"),
    (("delete from audit",), "ends at row 0"),
    (
        (
            "update audit set number = -number where number in (3, 4)",
            "update audit set number = 7 + number where number < 0",
        ),
        "row 3 was changed",
    ),
    (  # a row forged with a right hash of its own still does not fit the next one
        (
            "update audit set actor = 'x' where number = 3",
            "update audit set hash = sha256(previous || audit_text(shard, hospital_id, number,"
            " at, actor, role, action, subject, detail)) where number = 3",
        ),
        "row 4 does not follow",
    ),
)


async def test_every_way_to_tamper_with_the_audit_is_found(
    app: Database, owner: Database, superuser: Connection
) -> None:
    await write_ten(app)
    for statements, found in TAMPERING:
        tampering = superuser.transaction()
        await tampering.start()
        for statement in statements:
            await superuser.execute(statement)
        assert found in " ".join(await audit.verify(superuser, "h1-icu-1"))
        await tampering.rollback()
    async with owner.transaction() as connection:
        assert await audit.verify(connection, "h1-icu-1") == []


async def write_ten(app: Database) -> None:
    by = ADMIN["h1"]
    for number in range(10):
        async with app.transaction(by) as connection:
            await audit.append(connection, "h1-icu-1", by, "read_bed", f"bed {number}", "", NOW)


async def test_rows_cut_off_together_with_the_head_are_found_by_the_anchor_outside(
    app: Database, owner: Database, superuser: Connection
) -> None:
    await write_ten(app)
    async with owner.transaction() as connection:
        anchor = await audit.head(connection, "h1-icu-1")
        assert anchor.number == 10
        assert await audit.verify(connection, "h1-icu-1", anchor) == []
    await superuser.execute("delete from audit where number > 7")
    await superuser.execute(
        "update audit_head set number = 7, hash = (select hash from audit where number = 7)"
    )
    async with owner.transaction() as connection:
        assert await audit.verify(connection, "h1-icu-1") == []
        assert "anchored" in " ".join(await audit.verify(connection, "h1-icu-1", anchor))
        assert await audit.head(connection, "nowhere") == Head(0, b"")
        assert await audit.shards(connection) == ["h1-icu-1"]


async def test_many_writers_of_one_chain_leave_no_gap(
    app: Database, owner: Database, writer: Database
) -> None:
    by = ADMIN["h1"]

    async def write(db: Database, number: int) -> int:
        async with db.transaction(by) as connection:
            subject = f"case {number} \x00 \udc80 й"
            return await audit.append(connection, "h1-ed", by, "read", subject, "", NOW + number)

    numbers = await asyncio.gather(*(write((app, writer)[n % 2], n) for n in range(20)))
    assert sorted(numbers) == list(range(1, 21))
    async with owner.transaction() as connection:
        assert await audit.verify(connection, "h1-ed") == []
