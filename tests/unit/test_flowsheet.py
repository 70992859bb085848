"""The flowsheet: hours of changed clocks, what a form becomes, corrections on the board."""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import pairwise
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import codes, wire
from hospital_ops.bindings import Binding, since
from hospital_ops.board import decode_bed
from hospital_ops.clock import from_datetime, iso, to_datetime
from hospital_ops.deciding import Stamped
from hospital_ops.errors import MessageError
from hospital_ops.identity import patient_id
from streams.rows import Batch, Taken
from tests.unit.test_icu_indicators import BED, UNIT, Bedside
from web.hours import hours_of, moment_of, stored_at
from web.routes.trends import steps
from web.trends.steps import MINUTE, merged
from web.views.flowsheet import event, events_of

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


@pytest.mark.parametrize(
    ("now", "typed", "meant"),
    [
        ("2026-03-01T00:10", "23:50", "2026-02-28T23:50"),  # yesterday, and clearly behind
        ("2026-03-01T06:00", "20:00", "2026-02-28T20:00"),
        ("2026-03-01T20:30", "08:00", "2026-03-01T08:00"),  # today, however long ago
        ("2026-03-01T20:24", "20:26", "2026-03-01T20:24"),  # two minutes ahead: now
        ("2026-03-01T03:58", "04:00", "2026-03-01T03:58"),
        ("2026-03-01T23:58", "00:05", "2026-03-01T23:58"),  # ahead over midnight: now
        ("2026-03-01T20:24", "20:24", "2026-03-01T20:24"),
        ("2026-03-01T20:24", "", "2026-03-01T20:24"),
        # The second 02:10 of the night in which the clock is set back: 02:50 was 20 minutes ago.
        ("2026-10-25T02:10+01:00", "02:50", "2026-10-25T02:50+02:00"),
        ("2026-10-25T02:40+01:00", "02:30", "2026-10-25T02:30+01:00"),
        ("2026-10-25T02:40+02:00", "02:30", "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:55+02:00", "02:58", "2026-10-25T02:55+02:00"),
        ("2026-10-25T09:00", "02:30", "2026-10-25T02:30+01:00"),
    ],
)
def test_a_typed_time_is_the_last_one_and_a_little_ahead_is_now(
    now: str, typed: str, meant: str
) -> None:
    local = [datetime.fromisoformat(text) for text in (now, meant)]
    moments = [
        from_datetime((one if one.tzinfo else one.replace(tzinfo=BERLIN)).astimezone(UTC))
        for one in local
    ]
    assert moment_of(typed, moments[0], BERLIN) == moments[1]


@pytest.mark.parametrize(
    ("now", "typed"),
    [
        ("2026-03-01T12:00", "14:00"),  # two hours ahead, or 22 ago: nobody means that
        ("2026-03-01T12:00", "12:16"),
        ("2026-03-29T03:10", "02:30"),  # left out as the clock was set on
        ("2026-03-01T12:00", "25:00"),
        ("2026-03-01T12:00", "noon"),
    ],
)
def test_a_time_to_come_or_that_never_was_is_refused_with_words(now: str, typed: str) -> None:
    moment = from_datetime(datetime.fromisoformat(now).replace(tzinfo=BERLIN).astimezone(UTC))
    with pytest.raises(MessageError):
        moment_of(typed, moment, BERLIN)


@given(
    now=st.integers(1_772_000_000, 1_800_000_000),
    typed=st.times(),
    zone=st.sampled_from(["Europe/Berlin", "Europe/Moscow", "UTC", "Australia/Lord_Howe"]),
)
def test_what_is_stored_is_never_to_come_and_never_a_whole_day_ago(
    now: int, typed: time, zone: str
) -> None:
    now_us, place = now * 1_000_000, ZoneInfo(zone)
    try:
        found = moment_of(f"{typed:%H:%M}", now_us, place)
    except MessageError:
        return
    assert found <= now_us
    local = [to_datetime(moment).astimezone(place).date() for moment in (found, now_us)]
    assert local[0] == local[1] or now_us - found <= 12 * HOUR


def test_no_value_is_charted_for_whoever_lay_in_the_bed_before() -> None:
    now = from_datetime(datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    came, zone = now - 30 * MINUTE - 20_000_000, ZoneInfo("UTC")  # 11:29:40
    assert moment_of("11:30", now, zone, came) == now - 30 * MINUTE
    assert moment_of("11:29", now, zone, came) == came  # within its minute
    for typed in ("11:28", "01:00"):
        with pytest.raises(MessageError, match="before this patient came"):
            moment_of(typed, now, zone, came)


def test_a_bed_knows_since_when_it_is_nobody_elses() -> None:
    def history(*told: tuple[int, str]) -> tuple[Binding, ...]:
        return tuple(Binding(from_at, whose) for from_at, whose in told)

    assert since(()) == 0
    assert since(history((1, "a"), (5, ""))) == 0
    assert since(history((1, "b"), (2, "a"), (3, "a"))) == 2
    assert since(history((1, "b"), (2, "a"), (3, ""), (4, "a"))) == 2  # taken back: theirs still
    assert since(history((1, "a"), (2, "b"), (3, "a"))) == 3


def test_what_was_stored_says_its_day_and_which_of_two_hours() -> None:
    twice = from_datetime(datetime(2026, 10, 25, 0, 50, tzinfo=UTC))
    assert stored_at(twice, BERLIN) == "25.10.2026 02:50 +02:00"
    assert stored_at(twice + HOUR, BERLIN) == "25.10.2026 02:50 +01:00"
    assert stored_at(twice + 3 * HOUR, BERLIN) == "25.10.2026 04:50"


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


def test_a_correction_from_the_bed_of_now_reaches_it_and_not_who_lies_in_the_former_one() -> None:
    bed, code, there = Bedside(), codes.by_key["urine"].code, "h1-icu-1-02"
    bed.chart(fluid_in=100, urine=400)
    charted_at = bed.now
    bed.wait(HOUR)
    bed.admit("1", there, prior=BED)
    bed.admit("2", BED)
    new = wire.Observation(code, 40.0, "mL", charted_at, origin="typed")
    message = wire.Observed(
        unit=UNIT, source="nurse", message_id="n", identity=b"n", received_at=bed.now,
        mode="Test", observations=(new,), bed=BED, device=wire.CHART,
    )  # fmt: skip
    wrong = wire.Corrected(
        unit=UNIT, bed=BED, event="e", replaced_by="n", code=code, value=400.0,
        determined_at=charted_at, by="nurse", role="nurse", at=bed.now, reason="r", source="nurse",
        received_at=bed.now, mode="Test", patient_id=str(patient_id("h1", "1")),
        instead=wire.encode(message),
    )  # fmt: skip
    for _ in range(2):  # said twice, it does nothing
        bed.unit.decide([Stamped(bed.now, wrong), Stamped(bed.now, message)])
        cells = {name: decode_bed(bed.unit.cell(name) or b"") for name in (BED, there)}
        assert cells[there].values[code].value == 40
        assert code not in cells[BED].values
        assert bed.figures(there)["balance"]["value"] == 60


def test_the_archive_keeps_a_correction_once_where_the_value_is() -> None:
    wrong = wire.Corrected(
        unit=UNIT, bed=BED, event=str(uuid4()), replaced_by="", code="c", value=1.0,
        determined_at=HOUR, by="nurse", role="nurse", at=HOUR, reason="r", source="nurse",
        received_at=HOUR, mode="Test", patient_id="p",
    )  # fmt: skip
    kept = Batch(datetime.now(UTC), {})
    for number, shard in enumerate((UNIT, "h1-icu-2")):  # the unit of now is told as well
        kept.take(Taken(shard, "in", f"{number}-0", wire.encode(wrong), b"", wrong))
    assert [row[1:3] for row in kept.rows["correction"]] == [(UNIT, BED)]


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


def test_a_balance_counts_from_the_earliest_volume_also_where_that_was_charted_late() -> None:
    bed = Bedside()
    bed.wait(5 * HOUR)
    bed.chart(fluid_in=100, urine=60)
    then = bed.now - 2 * HOUR
    message = wire.Observed(
        unit=UNIT, source="s", message_id="late", identity=b"late", received_at=bed.now,
        mode="Test", bed=BED, device="d",
        observations=tuple(
            wire.Observation(codes.by_key[key].code, 50.0, "mL", then, origin="typed")
            for key in ("urine", "fluid_in")
        ),
    )  # fmt: skip
    bed.unit.decide([Stamped(bed.now, message)])
    balance = bed.figures()["balance"]
    assert (balance["in_ml"], balance["out_ml"]) == (150, 110)
    assert balance["since"] == balance["day_since"] == iso(then)
