"""Finds and ends processes that an earlier life of a server left in its folder.

A PostgreSQL backend has a session of its own and, busy in a query, outlives its postmaster;
a Valkey that was rewriting its log leaves the rewriting child. Both are safe to kill: all that
was acknowledged is on disk.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from hospital_ops.servers.errors import DataDirectoryBusyError

POLL_S: Final = 0.01
END_WITHIN_S: Final = 10.0


def working_in(folder: Path, title: str | None = None) -> set[int]:
    """Ids of processes whose working folder is `folder`.

    `title` is how the command line of a process begins that may hide its folder from us: a
    root without CAP_SYS_PTRACE cannot read the folder of a process of `nobody`.
    """
    if sys.platform != "linux":
        return _listed_by_lsof(folder)
    wanted = str(folder.resolve())
    return {pid for pid in _others() if _works_in(pid, wanted, title)}


def holding(path: Path) -> set[int]:
    """Ids of processes that have the file `path` open, as far as we may look."""
    if sys.platform != "linux":
        return _listed_by_lsof(path)
    wanted = str(path.resolve())
    return {pid for pid in _others() if wanted in _open_files(pid)}


def end_all_in(folder: Path, title: str | None = None) -> None:
    """Kill every process that works in `folder` and wait until all are gone.

    Raises DataDirectoryBusyError when one does not go (it hangs in the kernel, in a disk call).
    """
    deadline = time.monotonic() + END_WITHIN_S
    while pids := working_in(folder, title):
        kill(pids)
        if time.monotonic() > deadline:
            raise DataDirectoryBusyError(
                f"Processes {sorted(pids)} still work in {folder} and do not end when killed. "
                "They wait for the disk: look at its health, then start again."
            )
        time.sleep(POLL_S)


def kill(pids: set[int]) -> None:
    """Send SIGKILL to each process of `pids` that still exists."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists and is not merely waiting to be collected."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return False


def _others() -> Iterator[int]:
    own = os.getpid()
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != own:
            yield int(name)


def _works_in(pid: int, folder: str, title: str | None) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/cwd") == folder
    except PermissionError:
        return title is not None and _command_line(pid).startswith(title)
    except OSError:
        return False


def _command_line(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    return ""


def _open_files(pid: int) -> set[str]:
    files: set[str] = set()
    with suppress(OSError):
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            with suppress(OSError):
                files.add(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
    return files


def _listed_by_lsof(path: Path) -> set[int]:
    """The same for macOS, which has no /proc: lsof is part of it."""
    found = subprocess.run(["/usr/sbin/lsof", "-t", "--", str(path)], capture_output=True)
    return {int(line) for line in found.stdout.split()} - {os.getpid()}
