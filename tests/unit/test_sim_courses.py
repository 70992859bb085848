"""Courses: the same seed plays the same patient; recorded values come back where they were."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators import seeds
from simulators.course import PRESSURE_SPREAD, PRESSURES, SPREAD, Course, Series
from simulators.courses import course_for, recordings, recordings_folder
from simulators.synthetic import synthetic_course
from simulators.vocabulary import sign

BEDS = [f"h1-icu-1-{number:02d}" for number in range(1, 13)]


@pytest.fixture(scope="module")
def folder() -> Path | None:
    """The recordings; CI has to have them, a clone without them plays invented patients."""
    found = recordings_folder()
    if found is None and os.environ.get("CI"):
        pytest.fail("CI runs without recordings: set HOSPITAL_OPS_RECORDINGS to shared/data")
    return found


def played(course: Course, seconds: range) -> list[tuple[float | None, ...]]:
    return [tuple(course.value_at(key, t) for key in course.keys()) for t in seconds]  # noqa: SIM118


def test_the_same_seed_plays_the_same_patient_in_a_bed(folder: Path | None) -> None:
    first, second = (course_for(7, BEDS[0], folder) for _ in range(2))
    assert first.person == second.person
    assert played(first, range(120)) == played(second, range(120))


def test_another_seed_plays_another_patient(folder: Path | None) -> None:
    first, other = (course_for(seed, BEDS[0], folder) for seed in (7, 8))
    assert played(first, range(60)) != played(other, range(60))


def test_values_do_not_depend_on_the_order_they_are_asked_in(folder: Path | None) -> None:
    course, again = (course_for(7, BEDS[1], folder) for _ in range(2))
    assert played(course, range(50)) == played(again, range(49, -1, -1))[::-1]


def test_the_beds_of_a_unit_have_different_patients(folder: Path | None) -> None:
    courses = [course_for(7, bed, folder) for bed in BEDS]
    if folder is None:
        assert {course.source for course in courses} == {"synthetic"}
    else:
        assert len({course.source for course in courses}) == len(BEDS)


def test_recorded_values_come_back_at_their_recorded_times(folder: Path | None) -> None:
    if folder is None:
        course = synthetic_course(7, BEDS[0])
        assert course.source == "synthetic"
        assert not course.recorded
        return
    stays = {stay.source: stay for stay in recordings(folder)}
    for bed in BEDS:
        course = replace(course_for(7, bed, folder), start_s=0.0)
        for key in course.recorded & set(SPREAD | dict.fromkeys(PRESSURES)):
            series = stays[course.source].series[key]
            for time_s, value in zip(series.times_s, series.values, strict=True):
                noise = PRESSURE_SPREAD * value if key in PRESSURES else SPREAD[key]
                shown = course.value_at(key, time_s)
                assert shown == pytest.approx(value, abs=noise + sign(key).resolution)


def test_recorded_courses_stay_between_what_was_recorded(folder: Path | None) -> None:
    for bed in BEDS:
        course = course_for(7, bed, folder)
        for key, series in course.series.items():
            low, high = min(series.values), max(series.values)
            room = PRESSURE_SPREAD * high if key in PRESSURES else SPREAD.get(key, 0.0)
            step = sign(key).resolution
            for t_s in range(0, 200_000, 977):
                value = course.value_at(key, t_s)
                assert value is not None
                assert low - room - step <= value <= high + room + step


def test_systolic_is_above_mean_and_mean_above_diastolic_at_every_second(
    folder: Path | None,
) -> None:
    for bed in BEDS:
        course = course_for(7, bed, folder)
        for t_s in range(0, 200_000, 613):
            high, middle, low = (
                course.value_at(f"nibp_{part}", t_s) for part in ("sys", "mean", "dia")
            )
            assert high is not None
            assert middle is not None
            assert low is not None
            assert high >= middle >= low


def test_a_bed_without_recording_gets_an_invented_patient_with_all_signs() -> None:
    course = course_for(7, BEDS[0], None)
    assert course.source == "synthetic"
    assert not course.recorded
    assert {"hr", "pr", "rr", "spo2", "temp", "nibp_sys", "nibp_dia", "nibp_mean"} <= set(
        course.keys()
    )


def test_a_folder_without_recordings_is_no_error(tmp_path: Path) -> None:
    assert recordings(tmp_path) == ()
    assert course_for(7, BEDS[0], tmp_path).source == "synthetic"


def test_a_sensor_that_a_patient_does_not_have_shows_nothing() -> None:
    assert synthetic_course(7, BEDS[0]).value_at("icp", 5) is None


def test_a_course_goes_on_at_its_beginning_without_a_jump() -> None:
    series = Series((100.0, 200.0), (10.0, 20.0))
    assert series.at(0, 300) == pytest.approx(series.at(299.999999, 300), abs=0.001)
    assert series.at(150, 300) == 15


def test_times_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValueError, match="rise"):
        Series((1.0, 1.0), (3.0, 4.0))


def test_unknown_marks_and_impossible_pressures_of_a_recording_are_not_played(
    tmp_path: Path,
) -> None:
    import gzip

    lines = ["RecordID,Time,Parameter,Value", "9,00:00,RecordID,9", "9,00:00,Gender,-1"]
    for minute in range(20):
        lines.append(f"9,01:{minute:02d},HR,{80 + minute}")
        lines.append(f"9,01:{minute:02d},SysABP,120")
        lines.append(f"9,01:{minute:02d},MAP,80")
        lines.append(f"9,01:{minute:02d},DiasABP,60")
    lines += ["9,02:00,HR,-1", "9,02:01,HR,0", "9,02:02,SysABP,70", "9,02:02,MAP,90"]
    lines += ["9,02:02,DiasABP,60", "9,02:03,Temp,-17.8"]
    (tmp_path / "challenge2012_icu").mkdir()
    path = tmp_path / "challenge2012_icu" / "records.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    (stay,) = recordings(tmp_path)
    assert stay.sex == "unknown"
    assert len(stay.series["hr"].times_s) == 20
    assert len(stay.series["abp_sys"].times_s) == 20
    assert "temp" not in stay.series


@given(st.integers(0, 2**64 - 1), st.integers(-1000, 10**9))
def test_noise_is_never_wider_than_promised(key: int, step: int) -> None:
    assert -1.0 <= seeds.mixed(key, step) < 1.0
