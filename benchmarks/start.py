"""bench start: the demonstration from a fresh clone, and again on the same data."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from simulators.demonstration import demonstration

ROOT: Final = Path(__file__).resolve().parents[1]
WITHIN_S: Final = 600.0
Row = dict[str, Any]


def rows(*, quick: bool = False) -> list[Row]:
    """The rows `start.first` (not with --quick: it installs everything anew) and `start.second`."""
    with tempfile.TemporaryDirectory(prefix="hospital-ops-start-") as folder:
        data = Path(folder) / "data"
        found: list[Row] = []
        if quick:
            program = [sys.executable, "-m", "hospital_ops"]
            _until_ready(program, data, ROOT)
            found.append(_missing())
        else:
            clone = Path(folder) / "clone"
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
            program = [sys.executable, str(clone / "dev.py")]
            found.append(_first(_until_ready(program, data, clone)))
        again = [_until_ready(program, data, ROOT) for _ in range(1 if quick else 3)]
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
    begun = time.monotonic()
    with demonstration(program, data, folder=folder, within_s=WITHIN_S):
        return time.monotonic() - begun


if __name__ == "__main__":
    print(rows(quick=True))
