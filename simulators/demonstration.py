"""The demonstration as a child: started by its command, ready by `run.json`, ended by Ctrl-C."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

READY_WITHIN_S: Final = 180.0  # on a slow machine that does other things, too
STOPS_WITHIN_S: Final = 60.0
POLL_S: Final = 0.05
# Below what Linux (32768) and macOS (49152) give to outgoing connections: a port that is free now
# is not taken by one of those before its server listens on it.
PORTS: Final = range(20_000, 32_000)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on, and that no outgoing connection is given."""
    for port in random.SystemRandom().sample(PORTS, 100):
        try:
            with socket.create_server(("127.0.0.1", port)):
                return port
        except OSError:
            continue
    raise RuntimeError(f"no free port among {PORTS.start} to {PORTS.stop}: what listens there?")


@contextmanager
def demonstration(
    program: Sequence[str],
    data: Path,
    *arguments: str,
    folder: Path,
    environment: Mapping[str, str] = os.environ,
    within_s: float = READY_WITHIN_S,
) -> Iterator[None]:
    """`PROGRAM demo ARGUMENTS` in `folder`, on `data` and free ports, from `ready` to the end.

    What it says lies beside `data`, as `NAME.log`.
    """
    log = data.parent / f"{data.name}.log"
    ports = ["--port", str(free_port()), "--mllp-port", str(free_port())]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*program, "demo", *ports, "--data-dir", str(data), *arguments],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal is for us; it gets its own below
        )
    try:
        end = time.monotonic() + within_s
        while not _is_ready(data / "run.json", process.pid):
            if process.poll() is not None or time.monotonic() > end:
                said = log.read_text("utf-8")[-2000:]
                raise RuntimeError(f"the demonstration is not ready: {said}")
            time.sleep(POLL_S)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(path: Path, pid: int) -> bool:
    try:
        run = json.loads(path.read_text("utf-8"))
        return bool(run["ready"]) and run["pids"]["main"] == pid
    except (OSError, ValueError, KeyError):
        return False
