"""A death or a discharge that is taken back: what the unit knew of the patient is there again."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops.board import INDICATORS, decode_bed
from hospital_ops.clock import iso
from icu.record import DAY
from icu.state import UnitState
from tests.alarm_ward import BED, Ward
from web.render import Renderer
from web.views.indicators import of_day
from web.views.values import clock

LABORATORY: dict[str, Any] = {"creatinine": 329.0, "platelets": 57.0, "bilirubin": 40.0}


def known() -> Ward:
    """A patient with values of a monitor, results, a GCS and a balance of +700 mL."""
    ward = Ward()
    ward.message(BED, LABORATORY, origin="laboratory")
    ward.message(BED, {"gcs": 12.0, "fluid_in": 900.0, "urine": 200.0}, origin="typed")
    ward.send(70, hr=80.0, abp_sys=110.0, abp_dia=60.0, abp_mean=77.0, spo2=97.0)
    return ward


def leaves(ward: Ward, way: str) -> None:
    if way != "discharge":
        ward.bed_act("close", by="doctor")
    if way != "silence":
        ward.admission("A03", BED, "m1")


def comes_back(ward: Ward, way: str) -> None:
    if way == "silence":
        ward.bed_act("resume", by="doctor")
    else:
        ward.admission("A13", BED, "m1")


WAYS = pytest.mark.parametrize("way", ["death", "discharge", "silence"])


@WAYS
def test_results_and_scores_are_there_again_with_their_times(way: str) -> None:
    ward = known()
    before = ward.cell()
    leaves(ward, way)
    ward.send(20, hr=81.0)
    comes_back(ward, way)
    after = ward.cell()
    kept = {c: s for c, s in before.values.items() if s.origin in ("typed", "laboratory")}
    assert kept
    assert {code: after.values.get(code) for code in kept} == kept
    assert set(before.values) <= set(after.values)
    assert ward.unit.state.beds[BED].record.given == 900.0


@WAYS
def test_the_balance_goes_on_from_where_it_was(way: str) -> None:
    ward = known()
    leaves(ward, way)
    comes_back(ward, way)
    ward.wait(5)
    ward.message(BED, {"fluid_in": 100.0, "urine": 60.0}, origin="typed")
    record = ward.unit.state.beds[BED].record
    assert (record.given, record.lost) == (1000.0, 260.0)
    assert record.known_from == 0


def test_it_is_given_back_by_a_successor_too() -> None:
    ward = known()
    leaves(ward, "death")
    ward.restart()
    comes_back(ward, "death")
    assert ward.unit.state.beds[BED].record.given == 900.0


@pytest.mark.parametrize("way", ["death", "discharge"])
def test_comfort_care_stays_silent_after_a_death_that_was_an_error(way: str) -> None:
    ward = known()
    ward.bed_act("comfort", by="doctor")
    ward.bed_act("confirm_comfort", by="nurse")
    until = ward.unit.state.beds[BED].quiets["comfort"].until
    leaves(ward, way)
    comes_back(ward, way)
    assert ward.unit.state.beds[BED].quiets["comfort"].until == until
    assert "comfort" in ward.cell().flags


def test_what_was_measured_meanwhile_counts_too() -> None:
    ward = known()
    leaves(ward, "death")
    ward.wait(3)
    ward.message(BED, {"lactate": 4.0}, origin="laboratory")
    comes_back(ward, "death")
    record = ward.unit.state.beds[BED].record
    assert record.newest["lactate"].value == 4.0
    assert record.given == 900.0


def test_nothing_of_a_former_stay_comes_with_a_new_one_or_to_somebody_else() -> None:
    for mrn in ("m1", "m2"):
        ward = known()
        leaves(ward, "death")
        ward.wait(5)
        ward.admission("A01", BED, mrn)
        record = ward.unit.state.beds[BED].record
        assert (record.given, dict(record.spots)) == (0.0, {})
        assert ward.cell().values == {}


def test_somebody_else_lying_there_since_gets_nothing_of_it() -> None:
    ward = known()
    leaves(ward, "death")
    ward.admission("A01", BED, "m2")
    ward.message(BED, {"lactate": 4.0}, origin="laboratory")
    ward.wait(5)
    ward.admission("A03", BED, "m2")
    ward.wait(5)
    ward.admission("A13", BED, "m1")
    record = ward.unit.state.beds[BED].record
    assert "lactate" not in record.newest
    assert record.given == 900.0


def test_where_it_is_not_known_any_more_the_figures_say_since_when() -> None:
    ward = known()
    leaves(ward, "death")
    ward.unit.state.left.clear()  # as after the version before, which kept nothing
    ward.wait(5)
    comes_back(ward, "death")
    since = ward.now
    ward.message(BED, {"fluid_in": 100.0, "urine": 60.0, **LABORATORY}, origin="typed")
    record = ward.unit.state.beds[BED].record
    assert 0 < record.known_from <= since
    found = decode_bed(ward.unit.cell(BED + INDICATORS) or b"").indicators
    for name in ("balance", "sofa"):
        assert found[name]["state"] == "incomplete", name
        assert "earlier" in found[name]["missing"], name
    assert found["balance"]["value"] is None
    assert found["balance"]["day_ml"] == 40.0  # shown as of since then, never as of 24 hours
    assert found["balance"]["since"] == iso(record.known_from)


def test_who_left_is_forgotten_after_a_day() -> None:
    ward = known()
    leaves(ward, "death")
    ward.now += DAY + 1
    ward.admission("A01", BED, "m2")
    ward.wait(2)
    ward.admission("A03", BED, "m2")
    (left,) = ward.unit.state.left.values()
    assert left.at > ward.now - DAY


def test_a_snapshot_of_the_version_before_still_loads() -> None:
    state = UnitState(unit="h1-icu-1", hospital="h1")
    assert state.left == {}


def test_a_balance_of_ten_minutes_is_not_called_one_of_24_hours() -> None:
    ward = Ward()
    ward.message(BED, {"fluid_in": 100.0, "urine": 60.0}, origin="typed")
    began = ward.now
    ward.wait(600)

    def told() -> dict[str, Any]:
        figure = decode_bed(ward.unit.cell(BED + INDICATORS) or b"").indicators["balance"]
        assert isinstance(figure, dict)
        return figure

    frame = Renderer("UTC").frame("en", ward.now)
    at = clock(began, frame.zone)
    assert of_day(told(), frame, "value.balance") == f"Balance from {at}"
    ward.now += DAY
    ward.message(BED, {"fluid_in": 100.0, "urine": 60.0}, origin="typed")
    assert of_day(told(), frame, "value.balance") == "Balance 24 h"
