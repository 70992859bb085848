"""The house judges the played cases as was worked out by hand, and reads what monitors send."""

from __future__ import annotations

import pytest

from hospital_ops.clock import ManualClock
from hospital_ops.hl7 import adt, observations, parse
from simulators.admissions import admissions
from simulators.clients import MllpClient
from simulators.courses import course_for, recordings_folder
from simulators.monitor import INFLATION_S, Monitor, MonitorPlan
from simulators.stories import STORIES, scenario
from simulators.synthetic import synthetic_course
from triage.engine import assess

NOON = 1_795_262_400_000_000
BED = "h1-icu-1-07"


@pytest.mark.parametrize("name", STORIES)
def test_each_story_gets_its_expected_colour_at_every_second_and_seed(name: str) -> None:
    for seed in range(6):
        case = scenario(name, seed)
        for t_s in range(0, int(case.duration_s) + 1, 15):
            expected = case.expected_at(t_s)
            if expected is not None:
                assert assess(case.inputs_at(t_s)).proposed == expected, (name, seed, t_s)


def test_a_loose_sensor_is_missing_and_not_normal() -> None:
    case = scenario("loose_lead", 1)
    assert "spo2_pct" in assess(case.inputs_at(120)).missing
    assert "spo2_pct" not in assess(case.inputs_at(300)).missing


def test_the_house_reads_what_the_monitor_shows() -> None:
    clock = ManualClock(NOON)
    course = synthetic_course(3, BED)
    plan = MonitorPlan(bed=BED, mrn="12", course=course, seed=3, device="monitor 7")
    sender = Monitor(plan, MllpClient("127.0.0.1", 1), clock=clock)
    clock.advance(INFLATION_S)
    raw = sender.measure().raw
    found = observations.observe(parse.parse(raw), "Demo", 0, clock.now_us(), 2000)
    values = {one.code: one for one in found.by_mode["Demo"]}
    assert values["8867-4"].value == course.value_at("hr", INFLATION_S)
    assert values["8867-4"].determined_at == clock.now_us()
    assert values["8480-6"].determined_at == NOON
    assert all(one.validity == "Vld" and one.mapped for one in values.values())
    assert found.device == "monitor 7"
    assert not found.warnings


def test_the_house_reads_who_was_admitted_where() -> None:
    ((bed, mrn, raw),) = admissions(5, [BED], NOON)
    event = adt.read(parse.parse(raw), "A01", 0, NOON)
    person = course_for(5, bed, recordings_folder()).person
    assert (event.location.unit, event.location.bed) == ("h1-icu-1", BED)
    assert (event.patient.mrn, event.visit, event.at) == (mrn, f"V{mrn}", NOON)
    assert (event.patient.family, event.patient.sex) == (person.family, person.sex)
    born = int(event.patient.birth_date[:4]) + int(event.patient.birth_date[5:7]) / 12
    assert int(2026 + 11 / 12 - born) == person.age_years
