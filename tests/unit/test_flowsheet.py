"""The flowsheet: hours of changed clocks, what a form becomes, corrections on the board."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from hospital_ops import codes, wire
from hospital_ops.board import decode_bed
from hospital_ops.clock import from_datetime, iso
from hospital_ops.deciding import Stamped
from hospital_ops.errors import MessageError
from tests.unit.test_icu_indicators import BED, UNIT, Bedside
from web.hours import hours_of
from web.routes.trends import steps
from web.trends.steps import MINUTE, merged
from web.views.flowsheet import event, events_of, moment_of

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 60 * MINUTE


@pytest.mark.parametrize(
    ("day", "number"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)]
)
def test_a_day_has_as_many_hours_as_the_clock_shows(day: str, number: int) -> None:
    hours = hours_of(day, BERLIN)
    assert len(hours) == number
    assert all(hour.to_at - hour.from_at == HOUR for hour in hours)
    assert all(before.to_at == after.from_at for before, after in pairwise(hours))
    assert len({hour.label for hour in hours}) == number


def test_the_hour_that_comes_twice_says_which_one_it_is() -> None:
    labels = [hour.label for hour in hours_of("2026-10-25", BERLIN)]
    assert labels[1:5] == ["01", "02 +02:00", "02 +01:00", "03"]
    assert [hour.label for hour in hours_of("2026-03-29", BERLIN)][1:4] == ["01", "03", "04"]


def test_a_time_that_is_still_to_come_was_yesterday() -> None:
    now = from_datetime(datetime(2026, 3, 1, 0, 10, tzinfo=UTC))
    assert moment_of("23:50", now, ZoneInfo("UTC")) == now - 20 * MINUTE
    assert moment_of("", now, ZoneInfo("UTC")) == now
    with pytest.raises(MessageError):
        moment_of("25:00", now, ZoneInfo("UTC"))


def test_three_parts_of_a_gcs_bring_their_sum_and_an_untestable_one_brings_none() -> None:
    at = "2026-03-01T10:00:00.000Z"
    whole = events_of({"gcs_e": "4", "gcs_v": "4", "gcs_m": "6"}, at)
    assert [row["value"] for row in whole if row["code"] == "gcs"] == [14]
    partly = events_of({"gcs_e": "3", "gcs_v": "NT", "gcs_m": "5"}, at)
    assert [row["code"] for row in partly] == ["gcs_e", "gcs_m"]
    with pytest.raises(MessageError):
        event("urine", "much", at)


def test_a_correction_takes_the_old_value_off_the_board_and_out_of_the_sum() -> None:
    bed = Bedside()
    bed.chart(fluid_in=100, urine=400)
    code = codes.by_key["urine"].code
    bed.unit.decide(
        [
            Stamped(
                bed.now,
                wire.Corrected(
                    unit=UNIT, bed=BED, event="e", replaced_by="n", code=code, value=400.0,
                    determined_at=bed.now, by="nurse", role="nurse", at=bed.now, reason="typed 400",
                    source="nurse", received_at=bed.now, mode="Test",
                ),
            )
        ]
    )  # fmt: skip
    assert bed.figures()["balance"]["missing"] == ["urine"]
    bed.chart(urine=40)
    cell = bed.unit.cell(BED)
    assert cell is not None
    shown = decode_bed(cell)
    assert shown.values[code].value == 40
    assert bed.figures()["balance"]["value"] == 60


def test_a_correction_of_what_is_not_there_changes_nothing() -> None:
    bed = Bedside()
    bed.chart(urine=40)
    before = bed.unit.cell(BED)
    wrong = wire.Corrected(
        unit=UNIT, bed=BED, event="e", replaced_by="", code=codes.by_key["urine"].code, value=70.0,
        determined_at=bed.now, by="nurse", role="nurse", at=bed.now, reason="r", source="nurse",
        received_at=bed.now, mode="Test",
    )  # fmt: skip
    assert not bed.unit.decide([Stamped(bed.now, wrong)]).dirty
    assert bed.unit.cell(BED) == before


def test_a_trend_has_whole_minutes_for_steps_and_as_many_points_as_were_asked_for() -> None:
    start, end = 1_780_000_007_000_000, 1_780_000_007_000_000 + 7 * 24 * HOUR
    first, last, step = steps(start, end, 600)
    assert (first % MINUTE, step % MINUTE, last % MINUTE) == (0, 0, 0)
    assert first <= start
    assert last >= end
    assert (last - first) / step <= 600
    close = steps(start, start + 5_000_000, 500)
    assert close == (start, start + 5_000_000, 10_000)
    with pytest.raises(MessageError):
        steps(end, start, 100)


def test_a_step_that_minutes_and_values_both_know_is_one() -> None:
    moment = datetime(2026, 3, 1, 10, tzinfo=UTC)
    rows = [
        {"code": "c", "bin": moment, "lowest": 60, "highest": 80, "total": 700, "number": 10,
         "unit": "/min"},
        {"code": "c", "bin": moment, "lowest": 55, "highest": 70, "total": 120, "number": 2,
         "unit": "/min"},
    ]  # fmt: skip
    (point,) = merged(rows)["c"].points
    assert (point.lowest, point.highest, point.number) == (55, 80, 12)
    assert point.mean == pytest.approx(820 / 12)
    assert iso(point.at) == "2026-03-01T10:00:00.000Z"
