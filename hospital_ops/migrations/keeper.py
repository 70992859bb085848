"""The keeper of the days: partitions from yesterday to a week ahead, made while all writes go on.

CREATE TABLE ... PARTITION OF would wait for every open writer, so a day is made beside its table
and attached. Attaching locks the default partition for a moment: with a short lock timeout,
because everybody waits behind who waits, and again a little later. Values of a day that came before
their partition lie in the default one and are moved in the same transaction, else the day could
never be attached.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from hospital_ops.clock import to_datetime
from hospital_ops.database import (
    Connection,
    Database,
    LockNotAvailable,
    Record,
    SerializationConflict,
)

DAYS_BACK: Final = 1
DAYS_AHEAD: Final = 7
ATTEMPTS_MAX: Final = 40
_PAUSE_S: Final = 0.3

# Every table that is partitioned by ranges of a time, with its default partition and its days.
_TABLES: Final = """
select parent.relname as name, attribute.attname as column, rest.relname as rest,
       coalesce(array_agg(child.relname::text) filter (where child.relname is not null), '{}')
           as children
from pg_partitioned_table partitioned
join pg_class parent on parent.oid = partitioned.partrelid
join pg_attribute attribute on attribute.attrelid = parent.oid
    and attribute.attnum = partitioned.partattrs[0]
join pg_class rest on rest.oid = partitioned.partdefid
left join pg_inherits inherited on inherited.inhparent = parent.oid
left join pg_class child on child.oid = inherited.inhrelid
where partitioned.partstrat = 'r' and parent.relnamespace = 'public'::regnamespace
group by parent.relname, attribute.attname, rest.relname
order by parent.relname
"""


@dataclass(frozen=True, slots=True)
class Day:
    """One partition to be: the table, its time column, its default partition, the UTC day."""

    table: str
    column: str
    rest: str
    day: date

    @property
    def name(self) -> str:
        """`measurement_20261121`."""
        return f"{self.table}_{self.day:%Y%m%d}"

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """First instant of the day and of the next one, in UTC."""
        first = datetime.combine(self.day, time.min, UTC)
        return first, first + timedelta(days=1)


async def keep_partitions(db: Database, now_us: int, days_ahead: int = DAYS_AHEAD) -> list[str]:
    """Makes the days that are missing from yesterday on; `db` has the role owner.

    Returns the names made; one query when there are none to make. A day whose locks could not be
    had in 40 attempts is raised as LockNotAvailable: the next run tries again.
    """
    async with db.transaction() as connection:
        tables = await connection.fetch(_TABLES)
    made = []
    for day in wanted(tables, to_datetime(now_us).date(), days_ahead):
        if await _make_patiently(db, day):
            made.append(day.name)
    return made


async def forget_days(db: Database, now_us: int, table: str, days: int) -> list[str]:
    """Drops the days of `table` that are older than `days`; answers their names.

    Raises LockNotAvailable where somebody reads one just now: the next run tries again.
    """
    first = f"{table}_{to_datetime(now_us).date() - timedelta(days=days):%Y%m%d}"
    async with db.transaction() as connection:
        tables = await connection.fetch(_TABLES)
    children = [child for row in tables if row["name"] == table for child in row["children"]]
    old = sorted(child for child in children if child < first)
    for child in old:
        async with db.transaction() as connection:
            await connection.execute("select drop_day($1)", child)
    return old


def wanted(tables: list[Record], today: date, days_ahead: int) -> list[Day]:
    """The days that have no partition yet; today's first, they are needed most."""
    days = sorted(
        (today + timedelta(days=offset) for offset in range(-DAYS_BACK, days_ahead + 1)),
        key=lambda day: (abs((day - today).days), day < today),
    )
    every = (Day(row["name"], row["column"], row["rest"], day) for day in days for row in tables)
    taken = {child for row in tables for child in row["children"]}
    return [day for day in every if day.name not in taken]


async def _make_patiently(db: Database, day: Day) -> bool:
    for attempt in range(ATTEMPTS_MAX):
        try:
            async with db.transaction() as connection:
                return await _make(connection, day)
        except (LockNotAvailable, *SerializationConflict):
            if attempt == ATTEMPTS_MAX - 1:
                raise
            await asyncio.sleep(random.uniform(_PAUSE_S / 3, _PAUSE_S))  # noqa: S311
    return False


async def _make(connection: Connection, day: Day) -> bool:
    """Makes and attaches one day; False where another keeper was faster."""
    first, following = day.bounds
    made = await connection.fetchval(
        "select make_day($1, $2, $3, $4, $5, $6)",
        day.table,
        day.column,
        day.rest,
        day.name,
        first,
        following,
    )
    return bool(made)
