"""What must not follow a patient: revoked agreements, an earlier stay's limits, echoes."""

from __future__ import annotations

import pytest

from hospital_ops import wire
from hospital_ops.clock import SECOND
from streams.archive import left_for
from tests.two_units import BED_1, BED_2, ONE, TWO, WHO, House


@pytest.mark.parametrize("back", ["A02", "A12"])
def test_limits_of_treatment_that_were_revoked_do_not_come_back_with_the_patient(back: str) -> None:
    house = House()
    house.agree("treatment_limits")
    house.move()
    assert "treatment_limits" in house.cell().flags
    house.agree()
    house.move(back)
    assert not {"treatment_limits"} & set(house.cell().flags)


def test_what_was_agreed_on_last_is_what_the_former_unit_shows_again() -> None:
    house = House()
    house.agree("treatment_limits")
    house.move()
    house.agree("comfort_care")
    house.move()
    assert house.cell().patient.agreed == ("comfort_care",)  # type: ignore[union-attr]


@pytest.mark.parametrize("named", [True, False])
def test_what_was_agreed_on_in_an_earlier_stay_holds_in_no_later_one(named: bool) -> None:
    house = House()
    house.move()
    house.agree("treatment_limits")
    house.limit(61.0, 5)
    house.now += SECOND
    house.give(TWO, house.admission(TWO, "A03", BED_2))
    house.now += 90 * 24 * 3600 * SECOND
    house.place = ONE
    house.give(ONE, house.admission(ONE, "A01", BED_1))
    house.limit(66.0, 1)
    house.now += 90 * SECOND
    if named:
        house.move()
    else:  # PV1-6 was empty: the archive tells the unit that was left
        house.place, came = TWO, house.admission(TWO, "A02", BED_2)
        house.give(TWO, came)
        assert house.cell().patient.agreed == ()  # type: ignore[union-attr]
        house.give(ONE, left_for(came, ONE, BED_1))
        house.deliver()
    assert house.cell().patient.agreed == ()  # type: ignore[union-attr]
    own = [one.limit for one in house.units[TWO].state.limits.values() if one.patient_id == WHO]
    assert own == [66.0]


def test_an_agreement_that_is_told_late_and_twice_changes_nothing_newer() -> None:
    house = House()
    house.agree("treatment_limits")
    old = house.log[-1][1]
    house.agree("comfort_care")
    house.give(ONE, old)
    assert house.cell().patient.agreed == ("comfort_care",)  # type: ignore[union-attr]


def test_nothing_goes_round_between_two_units_of_which_each_sent_the_patient_to_the_other() -> None:
    house = House()
    house.order("o1")
    house.move()
    house.now += 60 * SECOND
    back = house.now
    house.now = back + 5 * SECOND  # back in the first unit and discharged there: told first
    house.give(ONE, house.admission(ONE, "A03", BED_1))
    house.now = back + 10 * SECOND
    left = house.admission(TWO, "A02", "", BED_2, (ONE, BED_1))
    house.give(TWO, wire.replaced(left, event_at=back))
    house.order("o1", 3, ONE)
    passed = 0
    while house.way:
        house.give(*house.way.pop(0))
        passed += 1
        assert passed < 10


def test_a_red_that_rings_in_the_new_unit_is_not_silenced_by_who_took_it_on_in_the_old_one() -> (
    None
):
    house = House()
    house.values(hr=80.0, abp_mean=48.0)
    house.act("acknowledge", house.alarms()["map_low"].id)
    house.move(deliver=False)
    house.values(10, hr=80.0, abp_mean=47.0)
    assert house.alarms()["map_low"].state == "active"
    house.deliver()
    assert house.alarms()["map_low"].state == "active"


def test_an_acknowledgement_that_runs_after_a_patient_twice_is_of_one_burst() -> None:
    house = House()
    house.values(hr=80.0, abp_mean=48.0)
    red = house.alarms()["map_low"].id
    house.move()
    house.act("acknowledge", red, ONE)
    sent = list(house.way)
    house.deliver()
    assert house.alarms()["map_low"].state == "acknowledged"
    house.values(hr=80.0, abp_mean=30.0)  # worse: it rings anew
    assert house.alarms()["map_low"].state == "active"
    for unit, entry in sent:  # its sender was killed and sends again
        house.give(unit, entry)
    assert house.alarms()["map_low"].state == "active"


def test_after_a_day_nothing_is_passed_on() -> None:
    house = House()
    house.move()
    house.now += 25 * 3600 * SECOND
    house.order("o9", unit=ONE)
    assert not house.way


@pytest.mark.parametrize("values_first", [False, True])
def test_the_beats_of_who_comes_from_another_unit_are_held_against_those_before(
    values_first: bool,
) -> None:
    house = House()
    house.values(70, hr=80.0, abp_mean=80.0)
    known, other = bytes(range(58)), bytes((n * 37 + 11) % 127 for n in range(58))
    shape = wire.BeatShape(ONE, BED_1, house.now, house.now, "Test", {"II": known}, 0)
    house.give(ONE, shape)
    house.move(deliver=False)
    if values_first:
        house.values(3, hr=80.0)
    house.deliver()
    seen = wire.BeatShape(TWO, BED_2, house.now, house.now, "Test", {"II": other}, 0)
    house.give(TWO, seen)
    assert "check_beats" in house.cell().flags


@pytest.mark.parametrize("comes", ["A01", "A02", "A13"])
def test_an_own_limit_of_an_earlier_stay_in_the_same_unit_holds_in_no_later_one(comes: str) -> None:
    house = House()
    house.limit(66.0)
    house.now += SECOND
    house.give(ONE, house.admission(ONE, "A03", BED_1))
    house.now += 3600 * SECOND
    house.give(ONE, house.admission(ONE, comes, BED_1))
    house.now += 60 * SECOND
    house.values(40, hr=80.0, abp_mean=65.5)
    own = [one.limit for one in house.units[ONE].state.limits.values()]
    rings = house.alarms().get("map_low")
    if comes == "A13":  # the discharge was an error: the stay that was goes on
        assert own == [66.0]
        assert rings is not None
        assert rings.limit == 66.0
        return
    assert own == []
    assert rings is None
    house.limit(67.0)
    house.values(40, hr=80.0, abp_mean=65.5)
    assert house.alarms()["map_low"].limit == 67.0
    house.give(ONE, house.admission(ONE, comes, BED_1))  # told again of who lies here already
    assert [one.limit for one in house.units[ONE].state.limits.values()] == [67.0]
