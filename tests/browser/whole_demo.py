"""The real demonstration as a process of its own, for tests that look at the whole way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

READY_WITHIN_S = 120
STOPS_WITHIN_S = 40


def free_port() -> int:
    """A port of loopback that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def whole_demo(
    folder: Path, *arguments: str, port: int = 0, **environment: str
) -> Iterator[dict[str, Any]]:
    """`hospital-ops demo ARGUMENTS` until the block ends; what `run.json` says once it is ready."""
    command = [
        sys.executable, "-m", "hospital_ops", "demo", "--port", str(port or free_port()),
        "--mllp-port", str(free_port()), "--data-dir", str(folder / "data"), *arguments,
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "demo.out").open("wb") as out:
        started = subprocess.Popen(
            command, stdout=out, stderr=out, env={**os.environ, **environment}
        )
        try:
            yield _ready(folder, started)
        finally:
            started.send_signal(signal.SIGINT)
            try:
                started.wait(STOPS_WITHIN_S)
            except subprocess.TimeoutExpired:
                started.kill()
                raise


def _ready(folder: Path, started: subprocess.Popen[bytes]) -> dict[str, Any]:
    path, end = folder / "data" / "run.json", time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end:
        if path.exists():
            run: dict[str, Any] = json.loads(path.read_text("utf-8"))
            if run["ready"]:
                return run
        if started.poll() is not None:
            break
        time.sleep(0.2)
    raise AssertionError(f"not ready: {(folder / 'demo.out').read_text('utf-8')[-2000:]}")
