"""The small curves on a bed's page: gaps stay gaps, what is set by hand is a step."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops.clock import from_datetime
from web.render import Renderer
from web.trends.steps import MINUTE, Point, Trend
from web.views.course import EDGE, HEIGHT, WIDTH, Lane, hours, lanes, marks
from web.views.values import Frame
from web.words import words_of

END = from_datetime(datetime(2026, 11, 20, 12, tzinfo=UTC))
START = END - 360 * MINUTE
STEP = 2 * MINUTE
FRAME = Frame(words_of("en"), END, ZoneInfo("Europe/Moscow"))
MAP, NIBP, DOSE = "76214-6", "8478-0", "norepinephrine"


def point(minute: int, value: float, lowest: float | None = None) -> Point:
    return Point(START + minute * MINUTE, value if lowest is None else lowest, value, value, 1)


def lane(code: str, *points: Point, unit: str = "mm[Hg]") -> Lane:
    made = lanes({code: Trend(unit, list(points))}, START, END, STEP, FRAME)
    assert len(made) == 1
    return made[0]


def heights(path: str) -> list[float]:
    pairs = path.replace("M", " ").replace("L", " ").replace("Z", "").split("H")[0].split()
    return [float(each) for each in pairs[1::2]]


def test_where_nothing_was_measured_the_line_is_broken() -> None:
    whole = lane(MAP, *(point(minute, 70.0) for minute in range(0, 60, 2)))
    assert whole.line.count("M") == whole.band.count("M") == 1
    broken = lane(MAP, point(0, 70.0), point(2, 71.0), point(30, 72.0))
    assert broken.line.count("M") == broken.band.count("M") == 2


def test_the_newest_mean_is_grey_and_says_of_when_it_is() -> None:
    made = lane(MAP, point(0, 70.0), point(2, 73.0))
    assert (made.last, made.last_at) == ("73", "09:02")
    text = Renderer("Europe/Moscow").fill(
        "_course.html", bed="b", span="6h", spans=("6h",), lanes=[made], marks=[], hours=[],
        size=(WIDTH, HEIGHT), w=FRAME.words,
    )  # fmt: skip
    assert '73 <span class="clock">09:02</span>' in text
    style = Path("web/static/css/course.css").read_text()
    (rule,) = re.findall(r"[.]lately-lane [.]last [{]([^}]*)[}]", style)
    assert "color: var(--text-2)" in rule


def test_a_dose_stands_until_it_is_changed() -> None:
    dose = lane(DOSE, point(0, 0.05), point(2, 0.05), point(4, 0.11), unit="ug/kg/min")
    assert "L" not in dose.line
    assert "V" in dose.line
    assert (dose.lowest, dose.highest, dose.last) == ("0.05", "0.11", "0.11")


def test_each_drug_and_each_pressure_of_the_course_stands_under_its_own_name() -> None:
    doses = {drug: Trend("ug/kg/min", [point(0, 0.1)]) for drug in (DOSE, "epinephrine")}
    assert [each.label for each in lanes(doses, START, END, STEP, FRAME)] == ["Norad", "Adren"]
    cuff = {NIBP: Trend("mm[Hg]", [point(20, 63.0)])}
    line = {MAP: Trend("mm[Hg]", [point(0, 70.0)])}
    assert [each.label for each in lanes(line, START, END, STEP, FRAME)] == ["MAP"]
    # The line was taken out: what is measured now is the cuff.
    assert [each.label for each in lanes(line | cuff, START, END, STEP, FRAME)] == ["NIBP mean"]


def test_a_steady_value_lies_in_the_middle_and_its_noise_is_not_blown_up() -> None:
    steady = lane(MAP, point(0, 70.0), point(2, 71.0))
    assert all(abs(y - HEIGHT / 2) < (HEIGHT - 2 * EDGE) / 10 for y in heights(steady.line))


@given(st.lists(st.floats(20, 250), min_size=1, max_size=60))
def test_every_curve_stays_inside_its_lane_and_says_lowest_and_highest(row: list[float]) -> None:
    made = lane(MAP, *(point(2 * n, value) for n, value in enumerate(row)))
    assert all(0 <= y <= HEIGHT for y in heights(made.line))
    assert float(made.lowest) == pytest.approx(min(row), abs=0.51)
    assert float(made.highest) == pytest.approx(max(row), abs=0.51)


def test_pressure_comes_first_and_what_was_never_measured_has_no_lane() -> None:
    found = {
        "8867-4": Trend("/min", [point(0, 80.0)]),
        MAP: Trend("mm[Hg]", [point(0, 70.0)]),
        "59408-5": Trend("%", []),
    }
    assert [each.key for each in lanes(found, START, END, STEP, FRAME)] == ["abp_mean", "hr"]


def test_an_alarm_stands_at_its_time_with_its_words() -> None:
    rows = [
        {"at": datetime(2026, 11, 20, 9, tzinfo=UTC), "kind": "alarm", "said": "MAP 58 < 60",
         "tone": "high", "act": ""},
        {"at": datetime(2026, 11, 20, 10, tzinfo=UTC), "kind": "note", "said": "", "tone": "",
         "act": ""},
    ]  # fmt: skip
    assert marks(rows, START, END, FRAME) == [
        (WIDTH / 2, "alarm", "high", "12:00 MAP 58 < 60"),
    ]


def test_the_hours_are_those_of_the_hospitals_clock() -> None:
    assert [said for _, said in hours(START, END, FRAME)] == ["10:30", "12:00", "13:30"]
