"""One child process: what it is, how it is started, how its end is noticed."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hospital_ops.servers.errors import ServersError
from hospital_ops.servers.kernel import die_with_parent

LOG_BYTES_MAX: Final = 16 * 1024 * 1024
POLL_WITHOUT_PIDFD_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A program that the supervisor keeps running.

    `before_start` runs in a thread before each start, `after_stop` after the last end. `ready`
    gets the process id, answers at once, and is asked until it says yes; without it a child is
    ready when it runs. `enter` runs in the child between fork and exec.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    longest_pause_s: float = 2.0
    ready_within_s: float = 60.0
    before_start: Callable[[], None] | None = None
    after_stop: Callable[[], None] | None = None
    ready: Callable[[int], bool] | None = None
    enter: Callable[[], None] | None = None
    user: int | None = None
    folder: Path | None = None
    pass_fds: tuple[int, ...] = ()


def spawn(child: Child, log_folder: Path) -> subprocess.Popen[bytes]:
    """Start `child` in a session of its own, its output appended to `log_folder/NAME.log`.

    The kernel ends the child with the thread that forked it, so only the main thread may call
    this. Raises ServersError when the program cannot be started.
    """
    if threading.current_thread() is not threading.main_thread():
        raise ServersError("Children are started from the main thread, else they end with another.")
    parent_pid = os.getpid()

    def between_fork_and_exec() -> None:
        if child.enter is not None:
            child.enter()
        die_with_parent(child.stop_signal, parent_pid)

    try:
        with open(_log_file(log_folder, child.name), "ab") as log:
            return subprocess.Popen(
                list(child.argv),
                env=dict(child.env),
                cwd=child.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=child.pass_fds,
                preexec_fn=between_fork_and_exec,
                user=child.user,
                group=child.user,
                extra_groups=None if child.user is None else [],
                umask=0o077,
            )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServersError(f"{child.name} cannot be started: {error}") from error


def _log_file(folder: Path, name: str) -> Path:
    """The log of `name`, mode 0600; a full one is moved aside, so two are the most."""
    path = folder / f"{name}.log"
    with suppress(FileNotFoundError):
        if path.stat().st_size > LOG_BYTES_MAX:
            path.replace(folder / f"{name}.log.1")
    path.touch(mode=0o600)
    return path


async def ended(process: subprocess.Popen[bytes]) -> None:
    """Return as soon as the process has ended; its exit status is left to be collected."""
    if sys.platform != "linux":
        while not has_ended(process):  # noqa: ASYNC110  macOS has nothing to wait on
            await asyncio.sleep(POLL_WITHOUT_PIDFD_S)
        return
    if process.returncode is not None:
        return
    loop = asyncio.get_running_loop()
    end: asyncio.Future[None] = loop.create_future()
    descriptor = os.pidfd_open(process.pid)

    def tell() -> None:
        if not end.done():
            end.set_result(None)

    loop.add_reader(descriptor, tell)
    try:
        await end
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process has ended, without collecting it."""
    if process.returncode is not None:
        return True
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, process.pid, flags) is not None


def collect(process: subprocess.Popen[bytes]) -> int:
    """Kill what an ended process left in its group, and return its exit status.

    Until it is collected its id, and so its group's, cannot be given to anyone else.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def describe(status: int) -> str:
    """An exit status in words: `ended with 1` or `was killed by SIGKILL`."""
    if status >= 0:
        return f"ended with {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"
