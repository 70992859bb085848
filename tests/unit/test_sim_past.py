"""The past of a simulated ward: late data that join the present, the same for one seed."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import mean

import pytest

from hospital_ops import events, wire
from hospital_ops.clock import SECOND, ManualClock, from_iso
from hospital_ops.hl7.understand import Source, understand
from icu import alarms
from icu.response import BIN_US, RULES
from simulators import messages, past
from simulators.courses import course_for, recordings_folder
from simulators.history import Kept, pieces
from simulators.messages import Reading, Sender
from simulators.monitor import EACH_SECOND
from simulators.nurse import Cared, ChartLine, Nurse
from simulators.past import PastPlan
from simulators.vocabulary import sign
from streams.charting import Charting
from tests.alarm_ward import START, Ward

UNTIL = START
BEDS = [f"h1-icu-1-{number:02d}" for number in range(1, 13)]
SOURCE = Source(name="loopback", hospital="h1", mode="Demo")


@cache
def plan(bed: str = BEDS[0]) -> PastPlan:
    course = course_for(1, bed, recordings_folder())
    return PastPlan(bed, f"{bed}-monitor", "123456789", course, 1, UNTIL)


@cache
def with_doses() -> PastPlan:
    return next(one for one in map(plan, BEDS) if past.dose_changes(one.course))


def read(raw: bytes, one: PastPlan) -> list[wire.Observed]:
    """A message as the house understands it."""
    found = understand(raw, SOURCE, UNTIL + SECOND).entries("h1-icu-1", one.bed)
    return [entry for _, entry in found if isinstance(entry, wire.Observed)]


def test_a_bed_has_a_heart_rate_for_each_minute_of_its_last_day_and_thinner_before() -> None:
    one, rate = plan(), sign("hr").code
    for hour, each_us in ((1, 60 * SECOND), (24, 60 * SECOND), (25, 600 * SECOND)):
        told = [row for raw in past.numerics(one, hour) for entry in read(raw, one)
                for row in entry.observations if row.code == rate]  # fmt: skip
        first = UNTIL - hour * 3600 * SECOND
        times = {row.determined_at for row in told}
        assert times >= set(range(first, first + 3600 * SECOND, each_us))
        assert max(at for at in times if at) < UNTIL


def test_the_past_speaks_as_the_monitor_itself_does_and_joins_what_it_sends_now() -> None:
    one = plan()
    sender = Sender(one.device, "h1-icu-1", one.bed, one.mrn)
    readings = [Reading(key, one.course.value_at(key, 0.0)) for key in EACH_SECOND
                if key in one.course.keys()]  # noqa: SIM118  # fmt: skip
    (now,) = read(messages.observations("now", sender, UNTIL, readings), one)
    entries = [entry for raw in past.numerics(one, 1) for entry in read(raw, one)]
    assert {entry.mode for entry in entries} == {"Demo"}
    assert {(entry.device, entry.mrn) for entry in entries} == {(now.device, now.mrn)}
    for row in now.observations:
        before = [
            float(other.value)
            for entry in entries
            for other in entry.observations
            if (other.code, other.channel) == (row.code, row.channel)
            and (other.determined_at or 0) >= UNTIL - 600 * SECOND
            and isinstance(other.value, float | int)
        ]
        room = 0.12 * abs(mean(before)) + 3 * sign_of(row.code)
        assert float(row.value or 0) == pytest.approx(mean(before), abs=room), row.code


def sign_of(code: str) -> float:
    return next(sign(key).resolution for key in EACH_SECOND if sign(key).code == code)


def test_nothing_from_the_past_rings_or_counts_as_current() -> None:
    ward = Ward(admit=False)
    one = replace(with_doses(), bed="h1-icu-1-01", mrn="", until_us=ward.now)
    ward.now -= 50 * 3600 * SECOND
    ward.admission("A01", one.bed, "m1", "1960-01-01")
    ward.now = one.until_us
    calm = {"hr": 80, "pr": 80, "rr": 14, "spo2": 97, "temp": 37, "fio2": 30, "gcs": 15,
            "abp_sys": 120, "abp_dia": 60, "abp_mean": 80, "etco2": 38, "cvp": 7}  # fmt: skip
    cuff = {"nibp_sys": 120, "nibp_dia": 60, "nibp_mean": 80}
    sender = Sender(one.device, "h1-icu-1", one.bed, "")
    now, taken = ([Reading(key, float(n)) for key, n in each.items()] for each in (calm, cuff))
    raw = messages.observations("now", sender, ward.now, now, taken, ward.now)
    for entry in read(raw, one):
        ward.give(wire.replaced(entry, received_at=ward.now))
    shown = {code: value.value for code, value in ward.cell(one.bed).values.items()}
    for hour in (1, 2, 24, 48):
        for raw in past.numerics(one, hour):
            for entry in read(raw, one):
                ward.give(wire.replaced(entry, received_at=ward.now))
    cell = ward.cell(one.bed)
    assert {code: cell.values[code].value for code in shown} == shown
    assert not cell.alarms
    assert {event.state for event in ward.told} == {alarms.PAST}, "what was red is to be reviewed"


def test_around_a_change_of_a_dose_enough_is_told_to_say_what_followed() -> None:
    one = with_doses()
    change = next(t for t in past.dose_changes(one.course) if t < -2 * 3600)
    hours = {-(t // 3600) for t in range(change - 310, change + 1210)}
    pressure = sign("abp_mean").code
    moments = {
        row.determined_at or 0
        for hour in hours
        for raw in past.numerics(one, hour)
        for entry in read(raw, one)
        for row in entry.observations
        if row.code == pressure
    }
    at = one.at_us(change)
    for first, last in ((-RULES["before_s"], 0), (0, RULES["after_s"])):
        inside = {
            (moment - at) // BIN_US
            for moment in moments
            if first * SECOND <= moment - at < last * SECOND
        }
        assert len(inside) >= RULES["coverage"] * (last - first) * SECOND / BIN_US
    doses = [row for batch in past.machines(one) for row in batch if row["code"] == past.DOSE]
    told = {from_iso(row["determined_at"]): row["value"] for row in doses}
    assert told[at] != told[max(moment for moment in told if moment < at)]


def test_pumps_and_results_are_what_the_house_takes() -> None:
    one = with_doses()
    for batch in past.machines(one):
        assert len(batch) <= past.EVENTS_MOST
        for row in batch:
            observation, mode, warning = events.read(row, origin="monitor")
            assert (mode, warning) == ("Demo", "")
            assert (observation.determined_at or 0) < UNTIL
    samples = [entry.observations[0].determined_at or 0
               for raw in past.results(one) for entry in read(raw, one)]  # fmt: skip
    assert len(samples) == 7
    assert max(samples) < UNTIL - 6 * 3600 * SECOND, "the next one is of the present"


def test_a_nurse_charted_every_whole_hour_and_the_house_takes_each_entry() -> None:
    charting = Charting(None, ManualClock(UNTIL), "Demo")  # type: ignore[arg-type]
    for bed in BEDS[:6]:
        rows = [row for batch in past.charted(plan(bed)) for row in batch]
        found = [charting.read(row, UNTIL)[0] for row in rows]
        assert len({row.event_id for row in found}) == len(found)
        urine = [row.determined_at or 0 for row in found if row.code == sign("urine").code]
        newest = UNTIL // (3600 * SECOND) * 3600 * SECOND
        assert urine == [newest - hour * 3600 * SECOND for hour in range(past.HOURS)]
        assert {"fluid_in"} <= {str(row["code"]) for row in rows}
        assert {"rass", "pain"} & {str(row["code"]) for row in rows}


def test_the_nurse_of_the_present_goes_on_at_the_next_whole_hour_with_other_events() -> None:
    one = plan()
    line = ChartLine("http://127.0.0.1:1", "nurse.h1", "secret")
    nurse = Nurse(line, (), 1, clock=ManualClock(UNTIL))
    cared = Cared(one.bed, one.course)
    first, then = nurse.events(cared, UNTIL), nurse.events(cared, UNTIL + 3600 * SECOND)
    assert "urine" not in {row["code"] for row in first}, "a volume is of a whole hour"
    assert {"urine", "fluid_in"} <= {row["code"] for row in then}
    before = {row["event_id"] for batch in past.charted(one) for row in batch}
    assert not before & {row["event_id"] for row in (*first, *then)}


def test_the_same_seed_and_moment_make_the_same_bytes() -> None:
    one, again = plan(), replace(plan())
    for hour in (1, 30):
        assert list(past.numerics(one, hour)) == list(past.numerics(again, hour))
    assert list(past.machines(one)) == list(past.machines(again))
    assert list(past.charted(one)) == list(past.charted(again))
    other = replace(one, until_us=UNTIL + 1000 * SECOND)
    assert not set(past.numerics(one, 1)) & set(past.numerics(other, 1))


def test_the_past_is_sent_once_and_a_second_start_goes_on_where_the_first_was(
    tmp_path: Path,
) -> None:
    order = pieces(3)
    assert len(set(order)) == len(order) == 3 * (3 + past.HOURS)
    hours = [hour for what, _, hour in order if what == "numerics"]
    assert hours == sorted(hours), "the newest of every bed first"
    path = tmp_path / "past.json"
    kept = Kept.read(path, UNTIL)
    assert (kept.done, kept.whole) == (0, False)
    kept.done, kept.of = 7, len(order)
    kept.write()
    assert Kept.read(path, UNTIL) == kept
    assert Kept.read(path, UNTIL + 1).done == 0, "another past"
    kept.done = kept.of
    kept.write()
    assert Kept.read(path, UNTIL).whole
