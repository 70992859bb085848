"""The rest of a simulated bedside: ventilator, pressor, chart and laboratory fit the patient."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND, ManualClock
from hospital_ops.ecg.synthetic import carbon_dioxide_loop, pressure_loop
from hospital_ops.hl7.understand import Source, understand
from simulators.bedside import MACHINES_EACH, Bedside
from simulators.clients import MllpClient
from simulators.course import Course, Series
from simulators.courses import course_for, recordings_folder
from simulators.laboratory import ANALYSIS_US, Laboratory, Sampled
from simulators.therapy import CHARTED, GASES, MACHINES, RESULTS, RESULTS_EACH_S, treated
from simulators.vocabulary import sign
from simulators.waveforms import ARTERY, CO2, Curves

PLACES = [f"h1-icu-1-{number:02d}" for number in range(1, 41)]
AT = 1_795_000_000 * SECOND


def course(place: str) -> Course:
    return course_for(3, place, recordings_folder())


def test_what_was_recorded_is_never_replaced() -> None:
    series = dict(course(PLACES[0]).series)
    given = {key: series[key] for key in ("nibp_sys", "nibp_dia", "nibp_mean")}
    given |= {"fio2": Series((0.0,), (40.0,)), "lactate": Series((0.0,), (9.5,))}
    for place in PLACES:
        made = treated(given, 3, place)
        assert given.items() <= made.items()
        assert made == treated(given, 3, place), "one seed, one patient"


def test_every_value_of_the_machines_is_plausible() -> None:
    for place in PLACES:
        played = course(place)
        for key in (*MACHINES, *CHARTED, *RESULTS):
            low, high = sign(key).plausible or (0.0, 0.0)
            values = [played.value_at(key, hour * 3600.0) for hour in range(24)]
            assert all(low <= value <= high for value in values if value is not None), (place, key)


def test_a_pressor_runs_where_the_pressure_is_low_and_changes_in_steps() -> None:
    seen = 0
    for place in PLACES:
        played = course(place)
        if "norepinephrine" not in played.series:
            continue
        seen += 1
        assert played.invasive, "whoever is on a pressor has an arterial line"
        doses = [played.value_at("norepinephrine", minute * 60.0) for minute in range(600)]
        changes = sum(1 for one, two in pairwise(doses) if one != two)
        assert changes < 60, "a dose stands still most of the time"
    assert seen > 3, "some patients of forty are in shock"


def test_only_the_ventilated_have_a_ventilator_and_carbon_dioxide() -> None:
    kinds = set()
    for place in PLACES:
        played = course(place)
        ventilated = "peep" in played.series
        kinds.add(ventilated)
        assert ("etco2" in played.series) is ventilated
        codes = {curve.code for curve in Curves(played, 3, place).curves}
        assert (CO2 in codes) is ventilated
        assert (ARTERY in codes) is played.invasive
    if recordings_folder():
        assert kinds == {True, False}


def test_machines_speak_often_enough_to_be_live_and_the_chart_hourly() -> None:
    bedside = Bedside(next(one for one in map(course, PLACES) if "peep" in one.series))
    told = [[code for code, _, _ in bedside.due(float(second))] for second in range(3700)]
    peep, rass = sign("peep").code, sign("rass").code
    assert [second for second, codes in enumerate(told) if peep in codes] == list(
        range(0, 3700, MACHINES_EACH)
    )
    assert [second for second, codes in enumerate(told) if rass in codes] == [0, 3600]
    assert "20124-4" in told[0], "that a ventilator stands there is said"
    by_hand = Bedside(
        next(one for one in map(course, PLACES) if "peep" in one.series), charts=False
    )
    assert rass not in {code for code, _, _ in by_hand.due(0.0)}, "where a nurse charts, no device"


def test_results_are_read_by_the_house_with_the_time_of_the_sample() -> None:
    played = course(PLACES[0])
    client = MllpClient("127.0.0.1", 1)
    laboratory = Laboratory(client, (), 3, clock=ManualClock(AT))
    raw = laboratory.message(Sampled(PLACES[0], "123456789", played))
    entries = understand(raw, Source(name="ward", hospital="h1"), AT).entries("h1-icu-1", PLACES[0])
    observed = [entry for _, entry in entries if isinstance(entry, wire.Observed)]
    found = {row.code: row for entry in observed for row in entry.observations}
    assert set(found) == {sign(key).code for key in RESULTS}
    lactate = found[sign("lactate").code]
    assert lactate.value == played.value_at("lactate", 0.0)
    assert lactate.unit == "mmol/L"
    assert lactate.determined_at == AT - ANALYSIS_US
    assert RESULTS_EACH_S > ANALYSIS_US / SECOND
    raw = laboratory.gases(Sampled(PLACES[0], "123456789", played))
    entries = understand(raw, Source(name="ward", hospital="h1"), AT).entries("h1-icu-1", PLACES[0])
    gases = {row.code for _, one in entries if isinstance(one, wire.Observed)
             for row in one.observations}  # fmt: skip
    assert gases == {sign(key).code for key in GASES}


@pytest.mark.parametrize(("high", "low"), [(120, 70), (90, 50), (180, 100)])
def test_the_artery_swings_between_its_pressures(high: int, low: int) -> None:
    loop = pressure_loop(76, high, low)
    values = np.frombuffer(loop.samples, "<i2") * loop.scale + loop.offset
    assert values.max() == pytest.approx(high, abs=0.1)
    assert values.min() == pytest.approx(low, abs=0.1)


def test_carbon_dioxide_is_none_breathing_in_and_ends_at_its_value() -> None:
    loop = carbon_dioxide_loop(14, 38)
    values = np.frombuffer(loop.samples, "<i2") * loop.scale + loop.offset
    assert values.max() == pytest.approx(38, abs=1.5)
    assert (values < 1).mean() > 0.35
