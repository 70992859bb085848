"""The hazard log names tests that exist, and every invariant's hazard has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOG = (ROOT / "docs" / "safety" / "hazards.md").read_text("utf-8")
ROWS = re.findall(r"^\| (H\d\d) \|(.+)\|$", LOG, re.MULTILINE)
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_every_hazard_has_a_number_of_its_own_and_they_leave_no_gap() -> None:
    assert [number for number, _ in ROWS] == [f"H{n:02}" for n in range(1, len(ROWS) + 1)]


@pytest.mark.parametrize(("hazard", "row"), ROWS, ids=[number for number, _ in ROWS])
def test_what_is_said_to_show_a_control_exists(hazard: str, row: str) -> None:
    named = NAMED.findall(row)
    assert named, f"{hazard} names no test"
    for file, name in named:
        path = ROOT / file
        assert path.is_file(), f"{hazard}: {file} is not there"
        if name:
            found = re.search(rf"^(async )?def {name}\(", path.read_text("utf-8"), re.MULTILINE)
            assert found, f"{hazard}: {file} has no {name}"
