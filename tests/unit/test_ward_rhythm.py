"""Arrhythmias from the live ECG of a ward: found, told once, replayed without curves."""

import numpy as np
import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from hospital_ops.ecg.ward import WardRhythm
from icu.unit import IcuUnit
from tests.alarm_ward import BED, START, UNIT
from tests.curves import (
    ECG_II,
    ECG_V1,
    PLETH,
    PLETH_RATE,
    CurveWard,
    fibrillating,
    heart,
    off,
    piece,
    still,
)

OTHER = f"{UNIT}-02"


def after_a_calm_while(**curves: object) -> CurveWard:
    ward = CurveWard()
    ward.play({ECG_II: heart(75, 20)})
    assert not ward.alarms()
    return ward


def test_a_heart_that_stops_rings_asystole_within_ten_seconds_and_latches_when_it_is_back() -> None:
    ward = after_a_calm_while()
    stopped = ward.now
    ward.play({ECG_II: still(10)})
    alarm = ward.alarms()["asystole"]
    assert (alarm.priority, alarm.state, alarm.text) == ("high", "active", "Asystole")
    told = next(event for event in ward.told if event.rule == "asystole")
    assert told.at - stopped <= 10 * SECOND
    assert ward.urgent
    ward.play({ECG_II: heart(75, 12)})
    assert ward.alarms()["asystole"].state == "latched"
    ward.act("acknowledge", alarm.id)
    assert "asystole" not in ward.alarms()


def test_fibrillation_rings_and_goes_on_after_the_analysis_has_fallen_silent() -> None:
    ward = after_a_calm_while()
    ward.play({ECG_II: fibrillating(10)})
    assert ward.alarms()["vf"].state == "active"
    ward.wait(20)  # no curve, no analysis: nobody knows, so the red stays
    assert ward.alarms()["vf"].state == "latched"


@pytest.mark.parametrize(
    ("born", "per_min", "rule"),
    [
        ("1960-01-01", 30, "brady_extreme"),
        ("1960-01-01", 200, "tachy_extreme"),
        ("2026-02-20", 200, None),  # a newborn child
        ("2026-02-20", 50, "brady_extreme"),
        ("1960-01-01", 50, None),
    ],
)
def test_extreme_rates_are_those_of_the_patients_age(
    born: str, per_min: int, rule: str | None
) -> None:
    ward = CurveWard(birth_date=born)
    ward.play({ECG_II: heart(per_min, 32)})
    assert set(ward.alarms()) - {"limits_missing"} == ({rule} if rule else set())


def test_leads_off_are_a_technical_alarm_and_never_an_asystole() -> None:
    ward = after_a_calm_while()
    ward.play({ECG_II: off(25)})
    assert set(ward.alarms()) == {"leads_off"}
    assert ward.alarms()["leads_off"].priority == "medium"
    ward.play({ECG_II: heart(75, 12)})
    assert not ward.alarms()


def test_a_second_lead_that_beats_speaks_against_a_standstill_in_the_first() -> None:
    ward = CurveWard()
    ward.play({ECG_II: heart(75, 20), ECG_V1: heart(75, 20)})
    ward.play({ECG_II: still(12), ECG_V1: heart(75, 12)})
    assert not ward.alarms()


def test_pieces_lost_on_the_way_ring_nothing() -> None:
    ward = CurveWard()
    ward.play({ECG_II: heart(75, 60)}, drop=slice(0, None, 11))
    assert not {"asystole", "vf", "vt"} & set(ward.alarms())


def test_a_pile_of_old_curves_is_not_played_as_if_it_were_now() -> None:
    ward = after_a_calm_while()
    began = ward.now
    pile = [still(60)[n : n + 125] for n in range(0, 60 * 250, 125)]
    from tests.curves import piece

    for number, values in enumerate(pile):  # a minute of standstill, all at one moment
        ward.analysis.take(
            piece(BED, ECG_II, 250, values, began - (120 - number) * SECOND // 2, ward.now)
        )
    ward.play({ECG_II: heart(75, 15)})
    assert not ward.alarms()


def test_a_monitor_whose_clock_is_an_hour_off_is_heard_all_the_same() -> None:
    ward = CurveWard()
    ward.clock_off_us = 3600 * SECOND
    ward.play({ECG_II: heart(75, 20)})
    ward.play({ECG_II: still(10)})
    alarm = ward.alarms()["asystole"]
    assert abs(alarm.since - ward.now) < 15 * SECOND


def test_the_same_findings_again_do_nothing_twice() -> None:
    ward = after_a_calm_while()
    ward.play({ECG_II: still(10)})
    before = ward.cell()
    told = len(ward.told)
    for rhythm in ward.found:
        ward.give(rhythm)
    assert ward.cell() == before
    assert len(ward.told) == told


def test_a_replay_from_the_stream_comes_to_the_same_alarms_without_any_curve() -> None:
    ward = after_a_calm_while()
    entries: list[Stamped] = []
    give = ward.give

    def kept(entry: wire.Entry) -> object:
        entries.append(Stamped(ward.now, entry))
        return give(entry)

    ward.give = kept  # type: ignore[assignment,method-assign]
    snapshot = ward.unit.dump()
    ward.play({ECG_II: fibrillating(8)})
    ward.play({ECG_II: heart(75, 10)})
    successor = IcuUnit(UNIT, "h1", snapshot)
    successor.decide(entries)
    assert successor.cell(BED) == ward.unit.cell(BED)


def test_two_beds_of_one_block_do_not_disturb_each_other() -> None:
    ward = CurveWard()
    ward.admission("A01", OTHER, "m2", "1950-01-01")
    sick = np.concatenate([heart(75, 20), still(10)])
    for half in range(60):
        part = slice(half * 125, half * 125 + 125)
        ward.play({ECG_II: sick[part]}, bed=BED)
        ward.now -= SECOND // 2
        ward.play({ECG_II: heart(75, 30)[part]}, bed=OTHER)
    assert "asystole" in ward.alarms(BED)
    assert not ward.alarms(OTHER)


def test_the_pulse_at_the_finger_is_told_as_a_fact_beside_the_finding() -> None:
    ward = CurveWard()
    ward.play({ECG_II: heart(75, 20), PLETH: heart(75, 20, PLETH_RATE)})
    ward.play({ECG_II: still(10), PLETH: heart(75, 10, PLETH_RATE)})
    pleth = next(w for w in ward.found[-1].witnesses if w.source == "pleth")
    assert pleth.quality == "good"
    assert pleth.rate_per_min == pytest.approx(75, abs=3)
    assert START < ward.found[-1].at <= ward.now


def test_a_rate_that_no_device_has_is_left_and_one_that_wavers_leaves_nothing_behind() -> None:
    analysis = WardRhythm(UNIT)
    analysis.take(piece(BED, ECG_II, 1e12, heart(75, 1), START, START))
    analysis.take(piece(BED, PLETH, 1e12, heart(75, 1), START, START))
    assert analysis.kinds == 0
    for number in range(50):
        rate = 250 + number / 100
        analysis.take(piece(BED, ECG_II, rate, heart(75, 1), START + number * SECOND, START))
        analysis.advance(START + number * SECOND)
    assert analysis.kinds == 1
