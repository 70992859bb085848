"""The whole house as a program of its own, that a test may kill in part or whole."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from simulators.demonstration import free_port

ROOT = Path(__file__).resolve().parents[2]
LONG = os.environ.get("HOSPITAL_OPS_LONG") == "1"
SEED = int(os.environ.get("HOSPITAL_OPS_SEED", "20261122"))
READY_WITHIN_S = 120.0
BACK_WITHIN_S = 60.0


class Program:
    """`hospital-ops demo --no-simulators` on its own data directory and free ports."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port, self.mllp_port = free_port(), free_port()
        self.run: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the program; `wait_ready` waits for it."""
        with (self.data.parent / "demo.out").open("ab") as out:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "hospital_ops", "demo", "--no-simulators"),
                    *("--icu-beds", "4", "--ambulances", "4", "--data-dir", str(self.data)),
                    *("--port", str(self.port), "--mllp-port", str(self.mllp_port)),
                ],
                cwd=ROOT,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def look(self) -> dict[str, Any]:
        """run.json as it is now; empty while there is none of this process."""
        assert self._process is not None
        try:
            found: dict[str, Any] = json.loads((self.data / "run.json").read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return found if found["pids"]["main"] == self._process.pid else {}

    async def wait_ready(self) -> None:
        """Returns when a probe has passed to every board."""

        async def ready() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, f"the program ended: {self.last_words()}"
            self.run = self.look() or self.run
            return bool(self.look().get("ready"))

        await until(ready, "the program is ready", READY_WITHIN_S)

    def pid(self, name: str) -> int:
        """The present process of a role, of a server or of the program itself."""
        found = self.look().get("pids", {}).get(name)
        return int(found) if found else 0

    async def kill(self, name: str) -> int:
        """Kills a role or server; answers its process id, once the process is gone."""
        pid = await until(lambda: self._alive(name), f"{name} runs")
        os.kill(pid, signal.SIGKILL)
        await until(lambda: _gone(pid), f"{name} is dead")
        return int(pid)

    async def back(self, name: str, killed: int) -> None:
        """Returns when a role or server has another process: so the fault has struck."""

        async def replaced() -> bool:
            return self.pid(name) not in (0, killed)

        await until(replaced, f"{name} has a new process")

    async def kill_all(self) -> None:
        """Kills the program itself and starts it again on the same data."""
        assert self._process is not None
        killed = self._process.pid
        os.kill(killed, signal.SIGKILL)
        self._process.wait()
        self.start()
        assert self._process.pid != killed

    async def _alive(self, name: str) -> int:
        pid = self.pid(name)
        return pid if pid and psutil.pid_exists(pid) else 0

    def postgres_processes(self) -> list[int]:
        """The server and all its backends."""
        server = psutil.Process(self.pid("postgres"))
        return [server.pid, *(child.pid for child in server.children(recursive=True))]

    def stop(self) -> None:
        """Ends the program as Ctrl-C does; it must leave nothing behind."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def last_words(self) -> str:
        """The end of what the program printed."""
        return (self.data.parent / "demo.out").read_text("utf-8", "replace")[-2000:]

    def unforeseen_ends(self) -> list[str]:
        """Log lines of roles that ended by an error of their own, not by a signal."""
        return [
            f"{log.name}: {line}"
            for log in sorted((self.data / "log").glob("*.log"))
            for line in log.read_text("utf-8", "replace").splitlines()
            if "role_failed" in line
            or "sender_closed" in line
            or ("Traceback" in line and log.stem in ("gateway", "live", "store"))
        ]


class Figures:
    """Figures of a fault run, one JSON line each, printed too."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, fault: str, **figures: Any) -> None:
        """Writes down one run."""
        line = json.dumps({"fault": fault, "seed": SEED, "long": LONG, **figures})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line)


async def until(
    condition: Callable[[], Awaitable[Any]], what: str, within_s: float = BACK_WITHIN_S
) -> Any:
    """The condition's first true answer."""
    end = time.monotonic() + within_s
    while not (found := await condition()):
        assert time.monotonic() < end, f"waited in vain until {what}"
        await asyncio.sleep(0.02)
    return found


async def _gone(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True
