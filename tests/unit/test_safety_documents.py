"""The hazard log and the fault matrix name tests that exist, and every row has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOG = (ROOT / "docs" / "safety" / "hazards.md").read_text("utf-8")
MATRIX = (ROOT / "docs" / "safety" / "faults.md").read_text("utf-8")
HAZARDS = re.findall(r"^\| (H\d\d) \|(.+)\|$", LOG, re.MULTILINE)
FAULTS = re.findall(r"^\| (F\d+) \|(.+)\|$", MATRIX, re.MULTILINE)
ROWS = HAZARDS + FAULTS
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_every_hazard_has_a_number_of_its_own_and_they_leave_no_gap() -> None:
    assert [number for number, _ in HAZARDS] == [f"H{n:02}" for n in range(1, len(HAZARDS) + 1)]


def test_every_fault_of_the_matrix_has_a_row() -> None:
    assert [number for number, _ in FAULTS] == [f"F{n}" for n in range(1, 25)]


@pytest.mark.parametrize(("number", "row"), ROWS, ids=[number for number, _ in ROWS])
def test_what_is_said_to_show_a_control_exists(number: str, row: str) -> None:
    named = NAMED.findall(row)
    assert named, f"{number} names no test"
    for file, name in named:
        path = ROOT / file
        assert path.is_file(), f"{number}: {file} is not there"
        if name:
            found = re.search(rf"^(async )?def {name}\(", path.read_text("utf-8"), re.MULTILINE)
            assert found, f"{number}: {file} has no {name}"
