"""Both embedded servers of one data directory, put together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hospital_ops.servers import lock, postgres, valkey
from hospital_ops.servers.lock import DataDirectory
from hospital_ops.servers.postgres import Postgres
from hospital_ops.servers.runtime import RuntimeFolder
from hospital_ops.servers.valkey import Valkey

# Servers end last, after the roles: Valkey first, so that nothing new comes in meanwhile.
STOP_ORDER: Final = (valkey.NAME, postgres.NAME)


@dataclass(frozen=True, slots=True)
class EmbeddedServers:
    """The two servers, ready to be given to a supervisor, with their addresses."""

    data: DataDirectory
    valkey: Valkey
    postgres: Postgres

    @property
    def redis_url(self) -> str:
        """`unix:///short/folder/valkey.sock`."""
        return self.valkey.url

    def database_url(self, database: str = "postgres") -> str:
        """The superuser's address of `database`; it holds the password, so it is not for logs."""
        return self.postgres.url(database)


@contextmanager
def embedded_servers(
    path: Path,
    *,
    maxmemory_bytes: int = valkey.GIB,
    wait_s: float = lock.WAIT_S,
    say: Callable[[str], None] = lambda sentence: None,
) -> Iterator[EmbeddedServers]:
    """Lock the data directory `path` and lay out both servers; starts none of them.

    Enter it before the supervisor, so that it is left after it: socket folder and lock go last.
    `say` gets the sentences an operator should read. Raises ServersError with what to do.
    """
    with (
        DataDirectory(path, wait_s=wait_s, say=say) as data,
        RuntimeFolder(data.path / "runtime") as runtime,
    ):
        servers = EmbeddedServers(
            data,
            Valkey(data, runtime, maxmemory_bytes=maxmemory_bytes),
            Postgres(data, runtime),
        )
        if servers.postgres.placement.notice is not None:
            say(servers.postgres.placement.notice)
        yield servers
