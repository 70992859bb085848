"""Every published or derived line of the clinical vectors is answered as it stands there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hospital_ops.clinical.scores import score
from hospital_ops.commands.score import SCORES

VECTORS = Path(__file__).parents[1] / "vectors"
# `esi` needs the number of resources a nurse expects; it is no score of this house.
FILES = sorted(path for path in VECTORS.glob("*.jsonl") if path.stem != "esi")


def agrees(expected: Any, found: Any, tolerance: float) -> bool:
    """Compare only what is expected; numbers within the line's absolute tolerance."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            agrees(value, found.get(key), tolerance) for key, value in expected.items()
        )
    if isinstance(expected, bool) or expected is None or isinstance(expected, str):
        return bool(expected is found or (isinstance(expected, str) and expected == found))
    if isinstance(expected, int | float):
        number = isinstance(found, int | float) and not isinstance(found, bool)
        return number and abs(found - expected) <= tolerance + 1e-9
    return bool(expected == found)


def disagreements(line: dict[str, Any], found: dict[str, Any]) -> list[str]:
    expected = dict(line["expected"])
    tolerance = expected.pop("tolerance", 0)
    expected.pop("note", None)
    wrong: list[str] = []
    if (colour := expected.pop("not_colour", None)) is not None and found["colour"] == colour:
        wrong.append(f"colour must not be {colour}")
    for criterion in expected.pop("not_criteria", ()):
        if criterion in found["criteria"]:
            wrong.append(f"{criterion} must not fire")
    for key, value in expected.items():
        if not agrees(value, found.get(key), tolerance):
            wrong.append(f"{key}: expected {value!r}, found {found.get(key)!r}")
    return wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_line_of_the_vector_file_is_answered_as_expected(path: Path) -> None:
    assert path.stem in SCORES, f"there is no score for {path.name}"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    wrong = {
        line["id"]: problems
        for line in lines
        if (problems := disagreements(line, score(path.stem, line["inputs"], SCORES)))
    }
    assert not wrong
    assert lines


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_answer_says_what_is_missing_and_why(path: Path) -> None:
    for text in path.read_text(encoding="utf-8").splitlines():
        found = score(path.stem, json.loads(text)["inputs"], SCORES)
        assert isinstance(found["missing"], list)
        assert isinstance(found["reasons"], list)


BAD = [float("nan"), float("inf"), -1e308, "98", True, None, [], {}, 10**400]


@pytest.mark.parametrize("name", sorted(SCORES))
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: type(bad).__name__ + str(bad)[:4])
def test_what_is_no_figure_never_becomes_part_of_a_score(name: str, bad: Any) -> None:
    lines = (VECTORS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    for text in lines[:12]:
        inputs = json.loads(text)["inputs"]
        for key in inputs:
            found = score(name, {**inputs, key: bad}, SCORES)
            assert "NaN" not in json.dumps(found)
            assert "Infinity" not in json.dumps(found)
        for key in inputs.get("vitals", {}):
            found = score(name, {**inputs, "vitals": {**inputs["vitals"], key: bad}}, SCORES)
            assert "NaN" not in json.dumps(found)


def test_a_line_that_is_no_object_is_an_error_in_words() -> None:
    for given in (None, 3, "news2", [1]):
        found = score("news2", given, SCORES)
        assert found["error"] == "not_an_object"
        assert found["detail"]
