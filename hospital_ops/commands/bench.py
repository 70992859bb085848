"""`hospital-ops bench NAME|all`: the figures of GOALS.md, each beside its limit or peer."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import traceback
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from hospital_ops import log

ROOT: Final = Path(__file__).resolve().parents[2]
DEADLINE_S: Final = {"quick": 240.0, "plain": 600.0, "long": 7200.0}  # of one bench


def main(argv: Sequence[str]) -> int:
    """Measures and prints; 0 when it ran, whatever the figures are."""
    table = _table()
    if table is None:
        print(
            "hospital-ops bench measures a working copy: run it where the folder benchmarks/ is.",
            file=sys.stderr,
        )
        return 2
    parser = argparse.ArgumentParser(prog="hospital-ops bench", description=__doc__)
    parser.add_argument("name", choices=(*table.benches(), "all"))
    parser.add_argument("--quick", action="store_true", help="short rounds, to see that it works")
    parser.add_argument("--long", action="store_true", help="also what takes more than a minute")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="JSON alone on standard output")
    form.add_argument("--markdown", action="store_true", help="the table of docs/performance.md")
    wanted = parser.parse_args(argv)
    if wanted.name == "all":
        answers = [_apart(table, name, wanted) for name in table.benches()]
    else:
        answers = [_measure(table, wanted.name, quick=wanted.quick, long=wanted.long)]
    if wanted.json:
        print(json.dumps(answers if wanted.name == "all" else answers[0], ensure_ascii=False))
    else:
        print(table.as_markdown(answers) if wanted.markdown else table.as_text(answers))
    return 0


def _table() -> ModuleType | None:
    """The module of the table; benchmarks stand in the working copy, not in the wheel."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    try:
        return importlib.import_module("benchmarks.table")
    except ModuleNotFoundError:
        return None


def _measure(table: ModuleType, name: str, *, quick: bool, long: bool) -> dict[str, Any]:
    """One bench in this process; a part that fails is told, and its rows stand as missing."""
    try:
        module = importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        answer: dict[str, Any] = table.table(name, [], f"not measured yet ({error})")
        return answer
    rows: list[dict[str, Any]] = []
    failed = []
    log.configure("bench", "warning")
    for part in getattr(module, "PARTS", (module.rows,)):
        try:
            with redirect_stdout(sys.stderr):  # JSON stands alone on standard output
                rows += table.call(part, quick=quick, long=long)
        # The outermost edge: the other parts go on, and the place of the fault is told.
        except Exception as error:
            traceback.print_exc()
            failed.append(f"the bench failed with {type(error).__name__}: {error}")
    answer = table.table(name, rows, "; ".join(failed))
    return answer


def _apart(table: ModuleType, name: str, wanted: argparse.Namespace) -> dict[str, Any]:
    """One bench in a process of its own: a clean memory, and an end in any case."""
    form = "long" if wanted.long else "quick" if wanted.quick else "plain"
    flags = [] if form == "plain" else [f"--{form}"]
    print(f"bench {name} ...", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hospital_ops", "bench", name, "--json", *flags],
            stdout=subprocess.PIPE,
            timeout=DEADLINE_S[form],
            text=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        answer = table.table(name, [], f"not done within {DEADLINE_S[form]:.0f} s")
    except ValueError:
        answer = table.table(name, [], f"the bench ended with {done.returncode}, see above")
    return answer
