"""A database of its own for each test that asks for one, on the run's real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from hospital_ops import database
from hospital_ops.database import Connection, Database
from hospital_ops.identity import uuid7
from hospital_ops.migrations.roles import ensure_roles
from hospital_ops.migrations.runner import migrate
from hospital_ops.servers.embedded import EmbeddedServers
from tests.integration.two_hospitals import furnish

_TEMPLATE: list[str] = []  # the run's migrated database, once there is one


@pytest.fixture
async def empty_database_url(servers: EmbeddedServers) -> AsyncIterator[str]:
    """The superuser's address of a new database: roles are there, tables are not."""
    name = f"test_{uuid7().hex}"
    async with database.single(servers.database_url(), name="test") as connection:
        await connection.execute(f"create database {name}")
    url = servers.database_url(name)
    await ensure_roles(url)
    yield url
    async with database.single(servers.database_url(), name="test") as connection:
        await connection.execute(f"drop database {name} with (force)")


@pytest.fixture
async def database_url(servers: EmbeddedServers) -> AsyncIterator[str]:
    """The superuser's address of a new database with all tables, copied from one migrated once."""
    name = f"test_{uuid7().hex}"
    if not _TEMPLATE:
        template = f"template_{uuid7().hex}"
        async with database.single(servers.database_url(), name="test") as connection:
            await connection.execute(f"create database {template}")
        await ensure_roles(servers.database_url(template))
        await migrate(servers.database_url(template))
        _TEMPLATE.append(template)
    async with database.single(servers.database_url(), name="test") as connection:
        await connection.execute(f"create database {name} template {_TEMPLATE[0]}")
    url = servers.database_url(name)
    await ensure_roles(url)
    yield url
    async with database.single(servers.database_url(), name="test") as connection:
        await connection.execute(f"drop database {name} with (force)")


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator[Database]:
    """The new database as the role that migrates and keeps partitions."""
    db = await database.connect(database_url, "owner", name="test")
    yield db
    await db.close()


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[Database]:
    """The new database as web sees it: within a scope."""
    db = await database.connect(database_url, "app", name="test")
    yield db
    await db.close()


@pytest.fixture
async def writer(database_url: str) -> AsyncIterator[Database]:
    """The new database as the store reader sees it."""
    db = await database.connect(database_url, "writer", name="test")
    yield db
    await db.close()


@pytest.fixture
async def superuser(database_url: str) -> AsyncIterator[Connection]:
    """Somebody who may do everything to the database, even what must be noticed."""
    async with database.single(database_url, name="test") as connection:
        yield connection


@pytest.fixture
async def two_hospitals(app: Database) -> None:
    """The new database with two hospitals in it (two_hospitals.py)."""
    await furnish(app)
