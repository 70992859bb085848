"""Where the ambulance is: a time of arrival with its interval, and the arrival by position."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.board import CaseCell
from hospital_ops.clock import SECOND, iso
from hospital_ops.deciding import Stamped
from tests.unit.test_triage_unit import CASE, NOON, cell_after, facts
from triage.travel import Estimate, metres, simple
from triage.unit import EdUnit

DOOR = (55.75, 37.61)


def settings(arrives: bool = False, radius_m: float = 100.0) -> wire.EdSettings:
    return wire.EdSettings(
        unit="h1-ed", version=1, ring=("alert", ""), at=NOON, by="Ray", latitude=DOOR[0],
        longitude=DOOR[1], radius_m=radius_m, arrives=arrives,
    )  # fmt: skip


def at(north_m: float, seconds: int = 0, **more: Any) -> wire.CaseFacts:
    moment = NOON + seconds * SECOND
    told = {"latitude": DOOR[0] + north_m / 111_195, "longitude": DOOR[1], "accuracy_m": 12}
    position = told | {"at": iso(moment)} | more.pop("position", {})
    return wire.replaced(facts(position=position, **more), received_at=moment)


def test_the_time_of_arrival_comes_from_positions_with_an_interval() -> None:
    unit = EdUnit("h1-ed")
    unit.decide([Stamped(NOON, settings())])
    way = [at(6000 - 600 * minute, 60 * minute) for minute in range(6)]  # 10 m/s towards the door
    cell = cell_after(unit, *way)
    # 3,000 m as the crow flies are 3,900 m of road: 390 s at 10 m/s.
    assert cell.eta is not None
    assert cell.eta_range is not None
    assert cell.eta - NOON == pytest.approx((300 + 390) * SECOND, rel=0.02)
    early, late = cell.eta_range
    assert early < cell.eta < late


def test_what_the_crew_says_about_its_arrival_goes_before_the_estimate() -> None:
    unit = EdUnit("h1-ed")
    unit.decide([Stamped(NOON, settings())])
    said = NOON + 900 * SECOND
    cell = cell_after(unit, at(3000), at(2900, 30, eta=iso(said)))
    assert (cell.eta, cell.eta_range) == (said, None)


@pytest.mark.parametrize(("arrives", "step"), [(True, "arrived"), (False, "coming")])
def test_within_the_radius_the_arrival_is_recorded_or_asked_for_as_the_site_says(
    arrives: bool, step: str
) -> None:
    unit = EdUnit("h1-ed")
    unit.decide([Stamped(NOON, settings(arrives))])
    far = cell_after(unit, at(140))
    assert (far.step, far.arrivals) == ("coming", {})
    cell = cell_after(unit, at(60, 30))
    assert (cell.step, cell.arrivals) == (step, {"position": iso(NOON + 30 * SECOND)})


def test_the_times_of_crew_position_and_department_are_all_kept() -> None:
    unit = EdUnit("h1-ed")
    unit.decide([Stamped(NOON, settings(arrives=True))])

    def said(by: str, seconds: int) -> wire.CaseStep:
        moment = NOON + seconds * SECOND
        return wire.CaseStep(
            unit="h1-ed", case=CASE, step="arrival", at=moment, by=by, source=by,
            received_at=moment, mode="Demo",
        )  # fmt: skip

    cell = cell_after(unit, at(60), said("device:h1-tablet-1", 40), said("triage.h1", 90))
    assert cell.arrivals == {
        "position": iso(NOON), "crew": iso(NOON + 40 * SECOND),
        "department": iso(NOON + 90 * SECOND),
    }  # fmt: skip
    assert cell.arrived_at == NOON, "the first of them counts"


@pytest.mark.parametrize(
    "told",
    [
        None, 7, {}, {"latitude": 91, "longitude": 0}, {"latitude": "x", "longitude": 1},
        {"latitude": DOOR[0], "longitude": DOOR[1], "accuracy_m": 900, "at": iso(NOON)},
        {"latitude": DOOR[0], "longitude": DOOR[1], "at": "yesterday"},
        {"latitude": DOOR[0], "longitude": DOOR[1], "at": iso(NOON - 3600 * SECOND)},
    ],
)  # fmt: skip
def test_a_position_that_says_nothing_or_is_old_changes_nothing(told: Any) -> None:
    unit = EdUnit("h1-ed")
    unit.decide([Stamped(NOON, settings(arrives=True))])
    cell: CaseCell = cell_after(unit, facts(position=told))
    assert (cell.step, cell.arrivals, cell.eta) == ("coming", {}, None)


@given(
    st.lists(
        st.tuples(st.integers(0, 3600), st.floats(-90, 90), st.floats(-180, 180)),
        min_size=1, max_size=12, unique_by=lambda fix: fix[0],
    )
)  # fmt: skip
def test_whatever_the_positions_are_the_interval_holds_the_estimate(
    fixes: list[tuple[int, float, float]],
) -> None:
    track = sorted((NOON + s * SECOND, lat, lon) for s, lat, lon in fixes)
    found = simple(track, (0, *DOOR))
    assert isinstance(found, Estimate)
    assert track[-1][0] <= found.earliest <= found.at <= found.latest


def test_a_degree_of_latitude_is_as_long_as_it_is() -> None:
    assert metres((0, 0.0, 0.0), (0, 1.0, 0.0)) == pytest.approx(111_195, rel=1e-4)
