"""One program at a time in a data directory: the lock, and waiting for it.

The lock belongs to the open file, so a server that inherits the descriptor holds it too: who
comes next waits until the servers of a program that was killed are gone as well.
"""

import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from hospital_ops.servers import leftovers
from hospital_ops.servers.errors import DataDirectoryBusyError, DataDirectoryRefusedError

WAIT_S: Final = 60.0
# A fast shutdown of PostgreSQL writes its checkpoint first; killed sooner it must recover.
ORPHAN_GRACE_S: Final = 20.0
POLL_S: Final = 0.05


class DataDirectory:
    """The folder that holds everything of one installation on this machine.

    Use it as a context manager. `lock_descriptor` goes to every child (`Child.pass_fds`).
    """

    def __init__(
        self,
        path: Path,
        *,
        wait_s: float = WAIT_S,
        orphan_grace_s: float = ORPHAN_GRACE_S,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """Waits up to `wait_s` on entry; `say` gets the one sentence that tells why.

        Servers of a program that is gone are killed after `orphan_grace_s`.
        """
        self.path = path.absolute()
        self._wait_s = wait_s
        self._orphan_grace_s = orphan_grace_s
        self._say = say
        self._descriptor: int | None = None

    @property
    def lock_descriptor(self) -> int:
        """The open lock file. Raises DataDirectoryBusyError when the folder is not entered."""
        if self._descriptor is None:
            raise DataDirectoryBusyError(f"The data directory {self.path} is not entered yet.")
        return self._descriptor

    @property
    def lock_file(self) -> Path:
        """The file the lock lies on; it holds the id of the program that has it."""
        return self.path / "lock"

    @property
    def log_folder(self) -> Path:
        """Where each child's output goes, `NAME.log`."""
        return self.folder("log")

    def folder(self, name: str) -> Path:
        """A sub-folder that only this user can open, made when it is not there."""
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def __enter__(self) -> Self:
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self.lock_file, flags, 0o600)
        except OSError as error:
            raise DataDirectoryRefusedError(
                f"The data directory {self.path} cannot be used ({error.strerror}). "
                "Start as the user it belongs to, or name another folder with --data-dir."
            ) from error
        try:
            self._wait_for(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _wait_for(self, descriptor: int) -> None:
        begin = time.monotonic()
        said = False
        while not _try_lock(descriptor):
            waited_s = time.monotonic() - begin
            owner = _owner(descriptor)
            owner_lives = owner is not None and leftovers.is_alive(owner)
            if not said:
                self._say(_why_we_wait(self.path, owner if owner_lives else None))
                said = True
            if not owner_lives and waited_s > self._orphan_grace_s:
                leftovers.kill(leftovers.holding(self.lock_file))
            if waited_s > self._wait_s:
                raise DataDirectoryBusyError(self._what_to_do(owner if owner_lives else None))
            time.sleep(POLL_S)

    def _what_to_do(self, owner: int | None) -> str:
        if owner is not None:
            return (
                f"Hospital Ops (process {owner}) is still running on {self.path}. "
                "End it, or name another folder with --data-dir."
            )
        pids = sorted(leftovers.holding(self.lock_file))
        which = f"processes {pids}" if pids else "processes of another user"
        return (
            f"Servers of an earlier start still use {self.path} ({which}). "
            "End them with kill -9, then start again; no acknowledged data are lost."
        )


def _try_lock(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def _owner(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0)
    return int(text) if text.isdigit() else None


def _why_we_wait(path: Path, owner: int | None) -> str:
    if owner is None:
        return f"Waiting until the servers of the earlier start on {path} have ended."
    return f"Waiting until Hospital Ops (process {owner}) on {path} has ended."
