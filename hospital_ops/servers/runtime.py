"""A short private folder for the servers' sockets, outside the data directory.

A socket's path may not exceed about 100 bytes, so a deep data directory cannot hold it.
"""

import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

PREFIX: Final = "hospital-ops-"
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, with the closing zero.
SOCKET_PATH_BYTES_MAX: Final = 99
LONGEST_SOCKET_NAME: Final = "/xxxxxxxx/postgres/.s.PGSQL.5432.lock"


class RuntimeFolder:
    """A temporary folder, mode 0700, that is gone when the program ends.

    `record` keeps its path: after a `kill -9` the next start removes what was left.
    """

    def __init__(self, record: Path) -> None:
        self._record = record
        self.path = Path()

    def folder(self, name: str) -> Path:
        """A sub-folder with mode 0700, made when it is not there."""
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def __enter__(self) -> Self:
        if self._record.exists():
            _remove(Path(self._record.read_text()))
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_short_enough()))
        self._record.write_text(str(self.path))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _remove(self.path)
        self._record.unlink(missing_ok=True)


def _short_enough() -> str:
    """The system's temporary folder, or /tmp where its name is too long for a socket."""
    folder = tempfile.gettempdir()
    longest = f"{folder}/{PREFIX}{LONGEST_SOCKET_NAME}"
    return folder if len(longest.encode()) <= SOCKET_PATH_BYTES_MAX else "/tmp"  # noqa: S108


def _remove(path: Path) -> None:
    if path.name.startswith(PREFIX):
        shutil.rmtree(path, ignore_errors=True)
