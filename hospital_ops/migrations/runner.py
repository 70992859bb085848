"""Brings a database to the form this program needs: each SQL file once, in order, under a lock."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hospital_ops.database import Connection, LockNotAvailable, UndefinedTable, single
from hospital_ops.errors import ConfigurationError

FOLDER: Final = Path(__file__).parent
_NAME: Final = re.compile(r"(\d{4})_(\w+)\.sql")
_LOCK: Final = 0x486F7370_4F707301  # "HospOps", 1: one migrating process at a time
_WAIT_FOR_OTHERS = "5min"
_WAIT_FOR_TABLES = "30s"  # while a migration waits for a table, everybody waits behind it


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; `checksum` is the sha256 of its bytes as hex."""

    number: int
    name: str
    checksum: str
    sql: str


async def migrate(url: str, folder: Path = FOLDER) -> list[str]:
    """Applies what is missing and returns those names; one query when there is nothing to do.

    Several programs may start it at once: one works, the others wait. Raises ConfigurationError
    when an applied file was changed or two have one number.
    """
    files = read(folder)
    async with single(url, "owner", name="migrate") as connection:
        if not missing(files, await _applied(connection)):
            return []
        await _lock(connection)
        await connection.execute(
            "create table if not exists migration (number int primary key, name text not null,"
            " checksum text not null, applied_at timestamptz not null default now())"
        )
        todo = missing(files, await _applied(connection))
        for migration in todo:
            await _apply(connection, migration)
        return [migration.name for migration in todo]


def read(folder: Path) -> list[Migration]:
    """The migrations in `folder`, in order. Raises ConfigurationError for a twin.

    A number may be missing: it is kept for work that comes later, so no migration may depend on
    one that could come after it.
    """
    found = []
    for path in sorted(folder.glob("*.sql")):
        if (parts := _NAME.fullmatch(path.name)) is None:
            raise ConfigurationError(f"{path.name} is not a migration: name it 0002_what.sql.")
        content = path.read_bytes()
        found.append(
            Migration(
                int(parts[1]), path.stem, hashlib.sha256(content).hexdigest(), content.decode()
            )
        )
    if len({migration.number for migration in found}) != len(found):
        raise ConfigurationError(f"Two migrations in {folder} have the same number.")
    return found


def missing(files: list[Migration], applied: dict[int, str]) -> list[Migration]:
    """The files still to be applied. Raises ConfigurationError where the past was changed.

    Later migrations than ours are accepted: after a rollback the older program goes on. One that
    came after a later number was applied is applied now.
    """
    todo = [migration for migration in files if migration.number not in applied]
    for migration in files:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise ConfigurationError(
                f"Migration {migration.name} was changed after it had been applied to this "
                "database. Put the file back as it was, and write the change as a new migration."
            )
    return todo


async def _applied(connection: Connection) -> dict[int, str]:
    try:
        rows = await connection.fetch("select number, checksum from migration")
    except UndefinedTable:
        return {}
    return {row["number"]: row["checksum"] for row in rows}


async def _lock(connection: Connection) -> None:
    await connection.execute("select set_config('lock_timeout', $1, false)", _WAIT_FOR_OTHERS)
    try:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
    except LockNotAvailable as error:
        raise ConfigurationError(
            "Another program has been migrating this database for 5 minutes. Look for it in "
            "pg_stat_activity (hospital-ops migrate), end it and start again."
        ) from error
    await connection.execute("select set_config('lock_timeout', $1, false)", _WAIT_FOR_TABLES)


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql)
        await connection.execute(
            "insert into migration (number, name, checksum) values ($1, $2, $3)",
            migration.number,
            migration.name,
            migration.checksum,
        )
