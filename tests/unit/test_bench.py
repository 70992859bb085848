"""How the figures are judged and printed; what was not measured is said, never left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import table
from benchmarks.table import Goal
from hospital_ops.commands import bench


def goal(unit: str = "ratio", better: str = "up", wanted: float = 0.5, limit: str = "b2") -> Goal:
    return Goal("x.y", "x", "what", limit, wanted, better, unit, "")


@pytest.mark.parametrize(
    ("of", "value", "limit", "met"),
    [
        (goal(), 60.0, 100.0, True),
        (goal(), 49.0, 100.0, False),
        (goal(better="down", wanted=3.0), 30.0, 10.0, True),
        (goal(better="down", wanted=3.0), 31.0, 10.0, False),
        (goal(), 60.0, None, None),
        (goal(), None, 100.0, None),
        (goal("points", wanted=0.0), 99.8, 99.7, True),
        (goal("points", wanted=0.0), 99.6, 99.7, False),
        (goal("AUROC difference", wanted=0.05), 0.80, 0.74, True),
        (goal("ms", "down", 100, limit=""), 99.0, None, True),
        (goal("count", "down", 0, limit=""), 1, None, False),
        (goal("count", "down", 0, limit=""), 0, None, True),
    ],
)
def test_a_row_is_judged_as_its_unit_says(
    of: Goal, value: float | None, limit: float | None, met: bool | None
) -> None:
    row = table.judged(of, {"value": value, "limit": limit, "n": 3, "note": "so"})
    assert row["met"] is met
    assert row["ratio"] == (value / limit if value is not None and limit else None)
    assert (row["goal"], row["n"], row["note"]) == (of.goal, 3, "so")


def test_a_row_that_nobody_measured_is_missing_with_its_reason() -> None:
    row = table.judged(goal(), None, "no network")
    assert (row["value"], row["met"], row["note"]) == (None, None, "missing: no network")


def test_every_row_of_a_bench_is_printed_whatever_was_measured() -> None:
    for name in table.benches():
        answer = table.table(name, [])
        assert [row["id"] for row in answer["rows"]] == [g.id for g in table.goals(name)]
        assert all(row["note"].startswith("missing") for row in answer["rows"])
        text, markdown = table.as_text([answer]), table.as_markdown([answer])
        assert all(row["id"] in text and row["id"] in markdown for row in answer["rows"])


def test_the_answer_has_the_published_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["parse", "--quick", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"bench", "seed", "versions", "machine", "rows"}
    assert set(answer["machine"]) == {"cores", "memory_gib"}
    (row,) = answer["rows"]
    assert set(row) == {
        "id", "value", "unit", "limit", "ratio", "goal", "met", "n", "note",
    }  # fmt: skip
    assert row["value"] > 0
    assert row["limit"] > 0


def test_a_bench_that_fails_says_so_in_its_rows_and_ends_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def rows(*, quick: bool) -> list[dict[str, Any]]:
        raise OSError("no disk")

    monkeypatch.setattr("benchmarks.parse.rows", rows)
    assert bench.main(["parse", "--quick", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row["value"] is None
    assert "no disk" in row["note"]


def test_the_goals_are_the_published_ones() -> None:
    found = table.goals()
    assert len(found) == len({g.id for g in found}) == 53
    assert {g.better for g in found} == {"up", "down"}
    assert all(g.id.startswith(f"{g.bench}.") for g in found)


def test_the_goals_lie_beside_the_benches() -> None:
    assert Path(table.__file__).with_name("goals.json") == table.GOALS
