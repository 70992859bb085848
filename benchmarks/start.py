"""bench start: the demonstration from a fresh clone, and again on the same data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.stage import free_port

ROOT: Final = Path(__file__).resolve().parents[1]
WITHIN_S: Final = 600.0
POLL_S: Final = 0.05
Row = dict[str, Any]


def rows(*, quick: bool = False) -> list[Row]:
    """The rows `start.first` (not with --quick: it installs everything anew) and `start.second`."""
    with tempfile.TemporaryDirectory(prefix="hospital-ops-start-") as folder:
        data = Path(folder) / "data"
        found: list[Row] = []
        if quick:
            program = [sys.executable, "-m", "hospital_ops"]
            _until_ready([*program, "demo"], data, ROOT)
            found.append(_missing())
        else:
            clone = Path(folder) / "clone"
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
            program = [sys.executable, str(clone / "dev.py")]
            found.append(_first(_until_ready([*program, "demo"], data, clone)))
        again = [_until_ready([*program, "demo"], data, ROOT) for _ in range(1 if quick else 3)]
    note = "from the command to `ready` (a probe has come through); the best of the starts"
    found.append({"id": "start.second", "value": min(again), "n": len(again), "note": note})
    return found


def _first(seconds: float) -> Row:
    note = "git clone, then dev.py demo until `ready`: environment, packages, servers, probe"
    return {"id": "start.first", "value": seconds, "n": 1, "note": note}


def _missing() -> Row:
    note = "missing: --quick does not install everything anew; run without it"
    return {"id": "start.first", "value": None, "n": 0, "note": note}


def _until_ready(program: Sequence[str], data: Path, folder: Path) -> float:
    """Seconds until run.json says ready; then the demonstration is ended by Ctrl-C."""
    ports = ["--port", str(free_port()), "--mllp-port", str(free_port())]
    begun = time.monotonic()
    process = subprocess.Popen(
        [*program, *ports, "--data-dir", str(data)],
        cwd=folder,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not _ready(data / "run.json"):
            if process.poll() is not None:
                raise RuntimeError(f"the demonstration ended with {process.returncode}")
            if time.monotonic() - begun > WITHIN_S:
                raise RuntimeError(f"the demonstration was not ready within {WITHIN_S:.0f} s")
            time.sleep(POLL_S)
        return time.monotonic() - begun
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(path: Path) -> bool:
    try:
        return json.loads(path.read_text("utf-8")).get("ready") is True
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    print(rows(quick=True))
