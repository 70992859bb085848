"""PostgreSQL: one pool per role, transactions within a scope, errors that say what to do.

Three roles (DESIGN section 1): `owner` migrates and keeps partitions, `app` sees its scope only,
`writer` is the store reader. Each connection takes its role when it starts, so no query can run
with more rights than its pool. No file but this one imports asyncpg.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, TypeVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from hospital_ops.access import Scope
from hospital_ops.errors import ConfigurationError, HospitalOpsError

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
Record: TypeAlias = asyncpg.Record
Role = Literal["owner", "app", "writer"]
T = TypeVar("T")

UniqueViolation = asyncpg.UniqueViolationError
CheckViolation = asyncpg.CheckViolationError
InsufficientPrivilege = asyncpg.InsufficientPrivilegeError
UndefinedTable = asyncpg.UndefinedTableError
LockNotAvailable = asyncpg.LockNotAvailableError
UndefinedRole = asyncpg.InvalidParameterValueError  # `role "app" does not exist` at the start
PostgresError = asyncpg.PostgresError
# Two set-ups changed the same role at once: "tuple concurrently updated", or the same name twice.
ConcurrentChange = (asyncpg.InternalServerError, asyncpg.UniqueViolationError)
# What the row itself is to blame for; sent again it fails again.
BadRow = (
    asyncpg.DataError,
    asyncpg.exceptions._base.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,  # too long for an index row
)
# Another transaction was in the way: the whole transaction may simply be done again.
SerializationConflict = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)

CONNECT_TIMEOUT_S: Final = 5.0
ACQUIRE_TIMEOUT_S: Final = 5.0
ATTEMPTS_MAX: Final = 8
FIRST_PAUSE_S: Final = 0.01
LONGEST_PAUSE_S: Final = 1.0
OLDEST_VERSION: Final = 150_000  # PostgreSQL 15: UNIQUE NULLS NOT DISTINCT


class DatabaseGone(HospitalOpsError):
    """PostgreSQL does not serve at the moment; whether the last commit took effect is unknown."""


_GONE: Final[tuple[type[BaseException], ...]] = (
    DatabaseGone,
    OSError,  # refused, reset, no such socket; TimeoutError is one too
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, starting, cancelled by statement_timeout
    asyncpg.InsufficientResourcesError,  # disk full, too many connections
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby after a fail-over
    asyncpg.PostgresIOError,
    asyncpg.exceptions.InternalClientError,  # the protocol was cut in the middle
)
_MAYBE_GONE: Final[tuple[type[BaseException], ...]] = (*_GONE, asyncpg.InterfaceError)
_NOT_RESET: Final[tuple[type[BaseException], ...]] = (*_MAYBE_GONE, asyncpg.PostgresError)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limits:
    """What one pool may ask for; the client waits longer than the server, so the server tells."""

    statement_s: float
    command_s: float
    connections_max: int


_LIMITS: Final[dict[Role, _Limits]] = {
    "owner": _Limits(statement_s=60.0, command_s=65.0, connections_max=2),
    "app": _Limits(statement_s=5.0, command_s=7.0, connections_max=10),
    "writer": _Limits(statement_s=20.0, command_s=25.0, connections_max=4),
}
_KEEPALIVE_S: Final = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}


class Database:
    """A pool of connections that all have one role; made by `connect`."""

    def __init__(self, pool: asyncpg.Pool[asyncpg.Record], role: Role) -> None:
        self._pool = pool
        self.role = role

    @asynccontextmanager
    async def transaction(self, scope: Scope | None = None) -> AsyncIterator[Connection]:
        """A connection inside a transaction that sees `scope`; None sees nothing as `app`.

        Raises DatabaseGone when PostgreSQL cannot serve. Commits at the end of the block and rolls
        back on an error; do nothing but SQL inside.
        """
        async with self.raw() as connection:
            frame = connection.transaction()
            try:
                await frame.start()
                if scope is not None:
                    await enter(connection, scope)
                yield connection
            except BaseException as error:
                # A rollback on a line that does not answer would wait for a second time-out, and
                # in a cancelled task its error would hide the cancellation.
                if is_gone(error, connection) or isinstance(error, asyncio.CancelledError):
                    _cut(connection)
                else:
                    with suppress(*_MAYBE_GONE):
                        await frame.rollback()
                raise
            await frame.commit()

    @asynccontextmanager
    async def raw(self) -> AsyncIterator[Connection]:
        """A connection without a transaction and without a scope. Raises DatabaseGone."""
        try:
            connection = await self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S)
        except UndefinedRole as error:
            raise ConfigurationError(_no_role(self.role)) from error
        except _MAYBE_GONE as error:
            raise _gone(error) from error
        try:
            yield connection
        except _MAYBE_GONE as error:
            if not is_gone(error, connection):
                raise
            _cut(connection)
            raise _gone(error) from error
        finally:
            await self._give_back(connection)

    async def retrying(
        self, work: Callable[[Connection], Awaitable[T]], scope: Scope | None = None
    ) -> T:
        """Runs `work` in a transaction, the whole again when another was in the way (40001, 40P01).

        `work` may run up to 8 times, so it has no effect but on the database. The last conflict
        is raised as it came.
        """
        for attempt in range(ATTEMPTS_MAX):
            try:
                async with self.transaction(scope) as connection:
                    return await work(connection)
            except SerializationConflict:
                if attempt == ATTEMPTS_MAX - 1:
                    raise
                longest = min(FIRST_PAUSE_S * 2.0**attempt, LONGEST_PAUSE_S)
                await asyncio.sleep(random.uniform(0, longest))  # noqa: S311
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def ping(self) -> None:
        """Asks PostgreSQL for an answer. Raises DatabaseGone."""
        async with self.raw() as connection:
            await connection.fetchval("select 1")

    async def heartbeat(self, role: str, process: str) -> None:
        """Says that a process of a role is at work; DatabaseGone tells it to stop its own work."""
        async with self.raw() as connection:
            await connection.execute(
                "insert into heartbeat (role, process, at) values ($1, $2, now())"
                " on conflict (role, process) do update set at = now()",
                role,
                process,
            )

    async def close(self) -> None:
        """Closes the pool; connections that do not end within 5 s are cut."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._pool.close()
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._pool.terminate()

    async def _give_back(self, connection: PoolConnectionProxy[asyncpg.Record]) -> None:
        try:
            await self._pool.release(connection, timeout=ACQUIRE_TIMEOUT_S)
        except _NOT_RESET:
            # The reset failed: the pool has already thrown the connection away.
            _cut(connection)


async def enter(connection: Connection, scope: Scope) -> None:
    """Narrows the running transaction to `scope`; it ends with the transaction."""
    await connection.execute(
        "select set_config('hospital_ops.hospital', $1, true),"
        " set_config('hospital_ops.units', $2, true)",
        scope.hospital,
        ",".join(scope.units),
    )


async def connect(
    url: str, role: Role, *, name: str, connections_max: int | None = None
) -> Database:
    """A pool as `role` whose connections are opened when needed, so PostgreSQL may be away.

    `name` is shown in pg_stat_activity. Raises ConfigurationError for a malformed `url`.
    """
    limits = _LIMITS[role]
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=connections_max or limits.connections_max,
            max_inactive_connection_lifetime=60.0,
            timeout=CONNECT_TIMEOUT_S,
            command_timeout=limits.command_s,
            server_settings=_session(role, name, limits.statement_s),
            init=_keep_alive,
        )
    except (ValueError, asyncpg.ClientConfigurationError) as error:
        raise ConfigurationError(_bad_url()) from error
    return Database(pool, role)


@asynccontextmanager
async def single(
    url: str, role: Role | None = None, *, name: str, statement_s: float = 0.0
) -> AsyncIterator[Connection]:
    """One connection beside any pool, as `role` or as the login itself, without a time limit.

    For migrations, checks and set-up. Raises DatabaseGone, ConfigurationError.
    """
    settings = {"application_name": f"hospital-ops {name}"}
    if role is not None:
        settings = _session(role, name, statement_s)
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S, server_settings=settings)
    except UndefinedRole as error:
        raise ConfigurationError(_no_role(role or "")) from error
    except (ValueError, asyncpg.ClientConfigurationError) as error:
        raise ConfigurationError(_bad_url()) from error
    except _MAYBE_GONE as error:
        raise _gone(error) from error
    try:
        yield connection
    except _MAYBE_GONE as error:
        if is_gone(error, connection):
            raise _gone(error) from error
        raise
    finally:
        with suppress(TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await connection.close(timeout=CONNECT_TIMEOUT_S)


async def check_server(url: str) -> list[str]:
    """Sentences that say why this PostgreSQL is not fit for patients; none: it is."""
    async with single(url, name="check") as connection:
        version = connection.get_server_version()
        rows = await connection.fetch("select name, setting from pg_settings")
        encoding = await connection.fetchval("select getdatabaseencoding()")
        standby = await connection.fetchval("select pg_is_in_recovery()")
    settings: dict[str, str] = {row["name"]: row["setting"] for row in rows}
    return _complaints(settings, version.major, str(encoding), bool(standby))


async def refuse_unfit(url: str) -> None:
    """Raises ConfigurationError with every sentence of `check_server`."""
    if complaints := await check_server(url):
        raise ConfigurationError(" ".join(complaints))


def is_gone(error: BaseException, connection: Connection | None) -> bool:
    """Whether `error` says that PostgreSQL cannot serve now, not that the question was wrong."""
    if isinstance(error, asyncpg.InterfaceError):
        # asyncpg raises the same class for wrong arguments and for a connection that is closed.
        # What fails while a lost line is tidied up (savepoints, one in another) is that loss too.
        lost = any(isinstance(cause, _GONE) for cause in _before(error))
        return not isinstance(error, ValueError) and (lost or _is_closed(connection))
    return isinstance(error, _GONE)


def _before(error: BaseException) -> Iterator[BaseException]:
    """What was being handled when `error` came, and what before that."""
    before = error.__context__
    while before is not None:
        yield before
        before = before.__context__


def _cut(connection: Connection) -> None:
    with suppress(asyncpg.InterfaceError):  # it ended by itself and is back in the pool
        connection.terminate()


def _is_closed(connection: Connection | None) -> bool:
    try:
        return connection is None or connection.is_closed()
    except asyncpg.InterfaceError:
        return True


def _session(role: str, name: str, statement_s: float) -> dict[str, str]:
    return {
        "role": role,
        "application_name": f"hospital-ops {name}",
        "statement_timeout": str(round(statement_s * 1000)),
        "idle_in_transaction_session_timeout": "15000",
        "synchronous_commit": "on",
        "timezone": "UTC",
        "jit": "off",  # compiling costs more than these small queries do
        "tcp_keepalives_idle": "5",
        "tcp_keepalives_interval": "2",
        "tcp_keepalives_count": "3",
    }


async def _keep_alive(connection: Any) -> None:
    """Lets the client's kernel notice a dead line; asyncpg has no public way to its socket."""
    line = connection._transport.get_extra_info("socket")
    if line is None or line.family == socket.AF_UNIX:
        return
    line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE_S.items():
        if hasattr(socket, option):  # macOS names them otherwise
            line.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _complaints(settings: dict[str, str], major: int, encoding: str, standby: bool) -> list[str]:
    found = []
    for name, danger in (
        ("fsync", "what was acknowledged is lost when the machine stops"),
        ("synchronous_commit", "a commit is reported before it is on disk"),
        ("full_page_writes", "a page torn by a power failure cannot be repaired"),
    ):
        if settings[name] in ("off", "local"):
            found.append(f"PostgreSQL runs with {name}={settings[name]}: {danger}. Set {name}=on.")
    if major * 10_000 < OLDEST_VERSION:
        found.append(f"PostgreSQL {major} is too old: use version 15 or newer.")
    if encoding != "UTF8":
        found.append(f"The database is encoded as {encoding}: make one with encoding UTF8.")
    if standby:
        found.append(
            "This PostgreSQL is a standby: point HOSPITAL_OPS_DATABASE_URL at the primary."
        )
    return found


def _gone(error: BaseException) -> DatabaseGone:
    if isinstance(error, DatabaseGone):
        return error
    kind = getattr(error, "sqlstate", None) or type(error).__name__
    return DatabaseGone(
        f"PostgreSQL does not serve at the moment ({kind}). Nothing is lost: what was sent waits "
        "in the stream. Look at the server and at HOSPITAL_OPS_DATABASE_URL."
    )


def _no_role(role: str) -> str:
    return (
        f'PostgreSQL does not know the role "{role}". Let a database administrator run the script '
        "that `hospital-ops migrate --roles` prints, then start again."
    )


def _bad_url() -> str:
    return (
        "HOSPITAL_OPS_DATABASE_URL is not an address of PostgreSQL. "
        "Write postgresql://USER@HOST:5432/DATABASE."
    )
