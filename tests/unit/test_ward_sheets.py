"""Ward sheets on disk: every unit has one soon, none grows old, and never many are made at once."""

from __future__ import annotations

import math
import os
from itertools import pairwise
from pathlib import Path

import pytest

from hospital_ops.clock import SECOND
from web import wardsheet
from web.wardsheet import EVERY_S, STEP_S, Turns

QUARTER_S = 900.0
NOON_S = 1_790_000_000


def played(turns: Turns, units: list[str], steps: int, begin: int = 0) -> list[tuple[float, str]]:
    """(when, whose) of the sheets that are made while a web process steps on."""
    moments = ((begin + step) * STEP_S for step in range(steps))
    return [(now, unit) for now in moments if (unit := turns.next(units, now)) is not None]


@pytest.mark.parametrize("count", [1, 7, 20, 60])
def test_every_unit_has_its_first_sheet_soon_and_then_one_each_quarter_of_an_hour(
    count: int,
) -> None:
    units = [f"icu-{number}" for number in range(count)]
    made = played(Turns(), units, 600)
    assert [unit for _, unit in made[:count]] == units
    assert made[count - 1][0] == (count - 1) * STEP_S
    for unit in units:
        times = [0.0, *(now for now, whose in made if whose == unit)]
        assert all(later - now <= QUARTER_S for now, later in pairwise(times))
        assert len(times) > 3


def test_the_sheets_of_a_house_are_spread_over_the_quarter_of_an_hour() -> None:
    units = [f"icu-{number}" for number in range(20)]
    later = [now for now, _ in played(Turns(), units, 800) if now > EVERY_S]
    apart = [after - before for before, after in pairwise(later)]
    assert min(apart) > EVERY_S / len(units) - STEP_S
    assert max(apart) <= EVERY_S / len(units)


def test_a_unit_that_is_new_has_its_sheet_at_once() -> None:
    turns = Turns()
    played(turns, ["one"], 10)
    assert turns.next(["one", "new"], 10 * STEP_S) == "new"


def test_a_sheet_from_before_a_start_counts_until_it_is_old_and_none_of_the_future_does() -> None:
    turns = Turns()
    for unit, age_s in (("fresh", 60.0), ("old", EVERY_S + 1), ("ahead", -5.0), ("none", math.inf)):
        turns.has_one(unit, 0.0, age_s)
    made = played(turns, ["fresh", "old", "ahead", "none"], 4)
    assert [unit for _, unit in made] == ["old", "ahead", "none"]


def test_how_old_the_sheets_on_disk_are_is_told_by_the_older_language(tmp_path: Path) -> None:
    assert wardsheet._age_s(tmp_path, "icu", NOON_S * SECOND) == math.inf
    for language, ago in (("ru", 30), ("en", 90)):
        wardsheet._write(tmp_path, "icu", (NOON_S - ago) * SECOND, "<p>", language)
        path = wardsheet._latest(tmp_path, "icu", language)
        os.utime(path, (NOON_S - ago, NOON_S - ago))
    assert wardsheet._age_s(tmp_path, "icu", NOON_S * SECOND) == 90
