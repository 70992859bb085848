"""Keeps children running: starts them, notices their end at once, starts them again.

The children are the two servers and the roles. All end with the program: in the given order
when it stops, by the kernel (kernel.py) when it is killed.
"""

import asyncio
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from hospital_ops.servers.errors import ChildStartError, ServersError
from hospital_ops.servers.process import Child, collect, describe, ended, has_ended, spawn
from hospital_ops.servers.restart import failures_after, pause_s

logger = logging.getLogger(__name__)

ASK_READY_EVERY_S: Final = 0.01


@dataclass(slots=True)
class _Kept:
    """A child with its present process (None between two lives) and the task that keeps it."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    task: asyncio.Task[None] | None = None


class Supervisor:
    """Children by name, each restarted when it ends; use it as an async context manager.

    It lives in the event loop of the main thread. `on_change` is called with `pids` whenever a
    child has a new process.
    """

    def __init__(
        self, log_folder: Path, *, on_change: Callable[[Mapping[str, int]], None] | None = None
    ) -> None:
        self.pids: dict[str, int] = {}
        self._log_folder = log_folder
        self._on_change = on_change
        self._kept: dict[str, _Kept] = {}

    async def start(self, child: Child) -> None:
        """Start `child`, wait until it is ready, and keep it running from then on.

        Raises ChildStartError when it ends before, or is not ready in `ready_within_s`.
        """
        if child.name in self._kept:
            raise ChildStartError(f"{child.name} is already kept running; stop it first.")
        kept = self._kept[child.name] = _Kept(child)
        try:
            async with asyncio.timeout(child.ready_within_s):
                ready = await self._bring_up(kept)
        except TimeoutError as error:
            await self.stop(child.name)
            raise ChildStartError(
                self._explain(child, f"was not ready within {child.ready_within_s:g} s")
            ) from error
        except ServersError:
            await self.stop(child.name)
            raise
        if not ready:
            status = _collected(kept)
            await self.stop(child.name)
            raise ChildStartError(self._explain(child, f"{describe(status)} while it was started"))
        kept.task = asyncio.create_task(self._keep(kept), name=f"keep {child.name}")

    async def stop(self, name: str) -> None:
        """End the child `name` and keep it no longer; killed when its grace is over."""
        kept = self._kept.get(name)
        if kept is None:
            return
        if kept.task is not None:
            kept.task.cancel()
            await asyncio.wait([kept.task])
        await self._end_present(kept)
        if kept.child.after_stop is not None:
            await _in_thread(kept.child.after_stop)
        self._kept.pop(name, None)
        self.pids.pop(name, None)

    async def stop_all(self, order: Sequence[str] = ()) -> None:
        """End all children: those of `order` one after another, then the last started first."""
        rest = [name for name in reversed(self._kept) if name not in order]
        for name in [*order, *rest]:
            await self.stop(name)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop_all()

    async def _keep(self, kept: _Kept) -> None:
        """Wait for each end of the child and bring it back; log both once."""
        failures = 0
        while kept.process is not None:
            up_since = time.monotonic()
            await ended(kept.process)
            status = _collected(kept)
            logger.warning("%s %s; starting it again", kept.child.name, describe(status))
            failures = failures_after(failures, time.monotonic() - up_since)
            failures = await self._bring_back(kept, failures)

    async def _bring_back(self, kept: _Kept, failures: int) -> int:
        """Start the child until it is ready; returns the number of failures in a row so far."""
        begin = time.monotonic()
        while True:
            await asyncio.sleep(pause_s(failures, kept.child.longest_pause_s))
            try:
                if await self._bring_up(kept):
                    break
                _collected(kept)
            except (ServersError, OSError) as error:
                logger.error("%s cannot be started again yet: %s", kept.child.name, error)
                await self._end_present(kept)
            failures += 1
        logger.warning("%s is back after %.1f s", kept.child.name, time.monotonic() - begin)
        return failures

    async def _bring_up(self, kept: _Kept) -> bool:
        """Start one process; true when it is ready, false when it ended before."""
        child = kept.child
        if child.before_start is not None:
            await _in_thread(child.before_start)
        process = kept.process = spawn(child, self._log_folder)
        self.pids[child.name] = process.pid
        self._tell_change()
        while child.ready is not None and not child.ready(process.pid):
            if has_ended(process):
                return False
            await asyncio.sleep(ASK_READY_EVERY_S)
        return True

    async def _end_present(self, kept: _Kept) -> None:
        process, kept.process = kept.process, None
        if process is not None:
            await _end(kept.child, process)

    def _tell_change(self) -> None:
        if self._on_change is None:
            return
        try:
            self._on_change(self.pids)
        # Whoever is told may fail (a full disk); the children must be kept all the same.
        except Exception:
            logger.exception("The new process ids could not be told")

    def _explain(self, child: Child, what: str) -> str:
        log = self._log_folder / f"{child.name}.log"
        last = log.read_text(errors="replace").splitlines()[-1:] if log.exists() else []
        said = f" Its last words: {last[0].strip()}" if last else ""
        return f"{child.name} {what}. See {log}.{said}"


def _collected(kept: _Kept) -> int:
    """Collect the ended process of `kept` and return its exit status."""
    process, kept.process = kept.process, None
    return 0 if process is None else collect(process)


async def _end(child: Child, process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end, kill its group when the grace is over, and collect it."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, child.stop_signal)
            # One that was stopped (SIGSTOP) would otherwise not hear the first signal.
            os.kill(process.pid, signal.SIGCONT)
        try:
            async with asyncio.timeout(child.grace_s):
                await ended(process)
        except TimeoutError:
            logger.warning("%s did not end within %g s and is killed", child.name, child.grace_s)
            os.killpg(process.pid, signal.SIGKILL)
    collect(process)


async def _in_thread(work: Callable[[], None]) -> None:
    """Run `work` in a thread; when cancelled, wait for its end, so that nothing runs on."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
