"""A patient goes to another unit of the house: what is theirs goes along, once, and comes back."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.clock import SECOND
from hospital_ops.codes import by_key
from icu.unit import IcuUnit
from tests.two_units import BED_1, BED_2, BEDS, MAP, ONE, TWO, WHO, House


@pytest.fixture
def house() -> House:
    """A patient with a red that was taken on, an overdue order, an own limit, charted urine."""
    house = House()
    house.limit(66.0)
    house.values(hr=80.0, abp_mean=48.0)
    house.act("acknowledge", house.alarms()["map_low"].id)
    house.order("o1")
    house.typed("urine", 120.0)
    house.typed("gcs", 9)
    agreed = wire.CareAgreed(ONE, WHO, ("treatment_limits",), "doctor", house.now, "Test")
    house.give(ONE, agreed)
    return house


@pytest.mark.parametrize("entered_first", [False, True])
def test_all_that_is_the_patients_goes_to_the_other_unit_and_the_bed_is_empty(
    house: House, entered_first: bool
) -> None:
    before = house.cell()
    house.move(entered_first=entered_first)
    left, here = house.cell(ONE), house.cell(TWO)
    assert (left.patient, left.alarms, left.values) == (None, (), {})
    assert left.orders["active"] == 0
    assert here.patient is not None
    assert before.patient is not None
    assert here.patient.admitted_at == before.patient.admitted_at  # the day of the stay goes on
    assert here.orders == {"active": 1, "due": 0, "overdue": 1, "escalated": 0, "review": 1}
    assert "treatment_limits" in here.flags
    assert here.values[by_key["gcs"].code].value == 9
    assert MAP.code not in here.values  # a monitor's value is of its bed
    red, was = house.alarms()["map_low"], before.alarms[0]
    assert (red.id, red.state, red.acknowledged_by) == (was.id, "acknowledged", "nurse")
    assert red.acknowledged_at == was.acknowledged_at
    assert [(e.unit, e.state) for e in house.told][-2:] == [(ONE, "moved"), (TWO, "acknowledged")]
    assert house.told[-1].at > house.told[-2].at


def test_the_patients_own_limit_rings_in_the_new_unit(house: House) -> None:
    house.values(30, hr=80.0, abp_mean=90.0)
    assert not house.alarms()
    house.move()
    house.values(40, hr=80.0, abp_mean=65.5)
    assert house.alarms()["map_low"].limit == 66.0


def test_a_fluid_balance_and_a_score_go_on_with_what_was_charted_before(house: House) -> None:
    house.move()
    house.typed("urine", 80.0)
    assert house.units[TWO].state.beds[BED_2].record.lost == 200.0


def test_an_error_brings_everything_back_with_what_was_done_meanwhile(house: House) -> None:
    red = house.alarms()["map_low"]
    house.move()
    house.order("o2")
    house.order("o1", 2, act="review")  # a physician there has looked at it
    house.move("A12")
    assert house.cell(TWO).patient is None
    assert house.cell(ONE).orders["active"] == 2
    assert house.cell(ONE).orders["review"] == 1  # the one that was placed over there
    assert house.alarms(ONE)["map_low"].id == red.id
    assert house.alarms(ONE)["map_low"].state == "acknowledged"


def test_a_red_nobody_has_seen_rings_on_in_the_new_unit_alone() -> None:
    house = House()
    house.values(hr=80.0, abp_mean=48.0)
    house.move()
    assert not house.alarms(ONE)
    assert house.alarms(TWO)["map_low"].state == "active"


def test_what_the_bed_or_its_devices_said_stays_there(house: House) -> None:
    house.give(
        ONE,
        wire.DeviceAlert(
            ONE, "loop", "a", b"a", house.now, "Test", "A1", "196670", "MDC_EVT_LO", "Low SpO2",
            "start", "active", "PM", "SP", at=house.now, bed=BED_1, device="mon",
        ),
    )  # fmt: skip
    standby = wire.BedAct(
        ONE, BED_1, "standby", house.now, "nurse", "nurse", "web", house.now, "Test", reason="ct"
    )
    house.give(ONE, standby)
    house.move()
    assert "device_alarm" not in house.alarms(TWO)
    assert not house.cell(TWO).quiets


def test_an_act_on_the_old_board_reaches_the_patient_in_the_new_unit() -> None:
    house = House()
    house.values(hr=80.0, abp_mean=48.0)
    red = house.alarms()["map_low"].id
    house.order("o1")
    house.move()
    house.act("acknowledge", red, ONE)
    house.order("o1", 2, ONE, task="accepted")
    house.deliver()
    assert house.alarms(TWO)["map_low"].state == "acknowledged"
    assert house.units[TWO].state.beds[BED_2].orders["o1"].task == "accepted"
    assert house.everything()["orders"] == {"o1": 1}


def test_what_comes_late_runs_after_a_patient_who_is_back_already(house: House) -> None:
    before = house.everything()
    house.move(deliver=False)  # the unit that was left is not heard for a while
    late, house.way = house.way, []
    house.move("A12")
    house.way += late
    house.deliver(twice=True)
    assert house.everything() == before
    assert house.cell(ONE).orders["active"] == 1
    assert house.alarms(ONE)["map_low"].acknowledged_by == "nurse"


def test_the_same_move_told_again_and_late_does_nothing(house: House) -> None:
    house.log.clear()
    house.move()
    moved = list(house.log)
    house.move("A12")
    house.values(3, hr=80.0, abp_mean=48.0)
    seen = (house.cell(ONE), house.cell(TWO))
    for unit, entry in moved:
        house.give(unit, entry)
    house.deliver()
    assert (house.cell(ONE), house.cell(TWO)) == seen


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.booleans()),
        st.tuples(st.just("back"), st.booleans()),
        st.tuples(st.just("order"), st.integers(0, 9)),
        st.tuples(st.just("urine"), st.integers(0, 9)),
        st.tuples(st.just("limit"), st.integers(61, 66)),
        st.tuples(st.just("restart"), st.just(0)),
        st.tuples(st.just("twice"), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 90)),
    ),
    max_size=16,
)


@given(STEPS)
@example([("move", False), ("move", False), ("limit", 61), ("wait", 60), ("move", False)])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_moves_and_is_taken_back_every_order_and_limit_is_there_once(
    steps: list[tuple[str, Any]],
) -> None:
    house = House()
    house.values(6, hr=80.0, abp_mean=48.0)
    orders, urine, limit = Counter[str](), 0.0, 0.0
    for number, (step, what) in enumerate(steps, 1):
        if step in ("move", "back"):
            house.move(
                "A02" if step == "move" else "A12", entered_first=what, deliver=number % 2 == 1
            )
        elif step == "order":
            house.order(f"o{what}-{number}")
            orders[f"o{what}-{number}"] += 1
        elif step == "urine":
            house.typed("urine", 10.0 + what)
            house.now += SECOND
            urine += 10.0 + what
        elif step == "limit":
            house.limit(float(what), number)
            limit = float(what)
        elif step == "restart":
            for unit, one in house.units.items():
                house.units[unit] = IcuUnit(unit, "h1", one.dump())
        elif step == "twice":
            house.deliver(twice=True)
        else:
            house.now += what * SECOND
    house.deliver()
    here = house.units[house.place].state
    found = house.everything()
    assert found["orders"] == orders
    assert here.beds[BEDS[house.place]].record.lost == pytest.approx(urine)
    assert len(found["alarms"]) == 1 == sum(found["alarms"].values()), "the red is there, once"
    assert house.alarms()["map_low"].state in ("active", "latched")
    own = [one for one in here.limits.values() if one.patient_id == WHO]
    assert [one.limit for one in own] == ([limit] if limit else [])
    assert house.cell().patient is not None
    other = TWO if house.place == ONE else ONE
    if BEDS[other] in house.units[other].state.beds:
        assert house.cell(other).patient is None
