"""The sound of alarms lies within the ranges of the standard, and the tile says what rings."""

from __future__ import annotations

import itertools
import json
import re

import pytest

from hospital_ops.board import AlarmCell, BedCell
from hospital_ops.clinical.tables import table
from icu.sound import onsets, plan
from web.views.alarms import rings

PULSE = table("alarms")["pulse_table4"]
BURST = table("alarms")["burst_table3"]
X_MS = {"high": (50, 125), "medium": (125, 250), "low": (125, 250)}


def test_the_ranges_of_this_test_are_those_of_the_table() -> None:
    said = BURST["spacing"]
    assert re.search(r"x = 50-125 ms \(high\), 125-250 ms \(medium, low\)", said)
    assert "2x+td 3-4" in said
    assert "0.35-1.30 s 5-6" in said


@pytest.mark.parametrize("priority", ["high", "medium", "low"])
def test_pulses_last_and_follow_each_other_as_the_standard_says(priority: str) -> None:
    form = json.loads(plan())[priority]
    low, high = PULSE["duration_ms"]["high" if priority == "high" else "medium_low"]
    assert low <= form["pulse_s"] * 1000 <= high
    assert PULSE["f0_hz"][0] <= form["f0_hz"] <= PULSE["f0_hz"][1]
    at = onsets(priority)
    assert len(at) == {"high": 10, "medium": 3, "low": 2}[priority]
    gaps = [(b - a - form["pulse_s"]) * 1000 for a, b in itertools.pairwise(at)]
    first = gaps[0]
    assert X_MS[priority][0] <= first <= X_MS[priority][1]
    if priority == "high":
        assert gaps[2] == pytest.approx(2 * first + form["pulse_s"] * 1000)
        assert 350 <= gaps[4] <= 1300
        assert gaps[:4] == pytest.approx(gaps[5:])


def test_bursts_come_again_within_the_time_of_the_standard_and_high_is_the_loudest() -> None:
    told = json.loads(plan())
    for priority in ("high", "medium"):
        length = onsets(priority)[-1] + told[priority]["pulse_s"]
        low, high = BURST[priority]["interburst_s"]
        assert low <= told[priority]["every_s"] - length <= high
    assert told["low"]["every_s"] > 15
    assert told["high"]["level"] > told["medium"]["level"] > told["low"]["level"]
    ten_db = 10 ** (BURST["level_difference_db_max"] / 20)
    assert told["high"]["level"] / told["low"]["level"] <= ten_db
    inside = [told["high"]["f0_hz"] * n for n in told["harmonics"]]
    assert sum(300 <= f <= 4000 for f in inside) >= 4


def alarm(state: str, **more: object) -> AlarmCell:
    return AlarmCell("a", "high", "asystole", "Asystole", state, 1, burst_at=5, **more)  # type: ignore[arg-type]


def test_a_tile_says_what_rings_and_until_when_it_is_silent() -> None:
    def said(*alarms: AlarmCell) -> str:
        return rings(BedCell("h1-icu-1-01", "1", None, {}, alarms=alarms))

    assert said(alarm("active")) == "high:5:0"
    assert said(alarm("latched", paused_until=9)) == "high:5:9"
    assert said(alarm("acknowledged")) == ""
    assert said(alarm("acknowledged", reminded_at=7)) == "remind:7:0"
    assert said(alarm("active", merged_into="b")) == ""
