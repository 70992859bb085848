"""A patient goes to another unit of the house: what is theirs goes along, once, and comes back."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.board import AlarmCell, BedCell, decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.codes import by_key
from hospital_ops.deciding import Stamped
from hospital_ops.identity import patient_id
from icu.unit import IcuUnit

ONE, TWO = "h1-icu-1", "h1-icu-2"
BED_1, BED_2 = f"{ONE}-01", f"{TWO}-05"
BEDS = {ONE: BED_1, TWO: BED_2}
START = 1_772_359_337 * SECOND
MRN = "m1"
WHO = patient_id("h1", MRN)
MAP = by_key["abp_mean"]


class House:
    """Two units; what one has for the other waits on the way until it is delivered."""

    def __init__(self) -> None:
        self.units = {unit: IcuUnit(unit, "h1") for unit in BEDS}
        self.now, self.count = START, 0
        self.told: list[wire.Alerted] = []
        self.way: list[tuple[str, wire.Entry]] = []
        self.log: list[tuple[str, wire.Entry]] = []
        self.place = ONE
        self.give(ONE, self.admission(ONE, "A01", BED_1))

    def give(self, unit: str, entry: wire.Entry) -> None:
        """One entry at this moment."""
        self.log.append((unit, entry))
        decided = self.units[unit].decide([Stamped(self.now, entry)])
        self.told += [event for event in decided.outputs if isinstance(event, wire.Alerted)]
        self.way += decided.elsewhere

    def deliver(self, twice: bool = False) -> None:
        """What is on its way arrives, in order; twice where its sender was killed in between."""
        while self.way:
            unit, entry = self.way.pop(0)
            self.give(unit, entry)
            if twice:
                self.give(unit, entry)

    def admission(
        self, unit: str, trigger: str, bed: str, prior: str = "", to: tuple[str, str] = ("", "")
    ) -> wire.Admission:
        """An ADT event of this moment."""
        self.count += 1
        person = wire.PatientFacts(MRN, "Family", "Given", "F", "1960-01-01")
        return wire.Admission(
            unit, "adt", str(self.count), str(self.count).encode(), self.now, "Test", trigger,
            person, self.now, bed=bed, prior_bed=prior, to_unit=to[0], to_bed=to[1],
        )  # fmt: skip

    def move(self, trigger: str = "A02", entered_first: bool = False, deliver: bool = True) -> None:
        """To the other unit: both units are told, in either order."""
        left, goal = self.place, TWO if self.place == ONE else ONE
        self.now += SECOND
        told = [
            (left, self.admission(left, trigger, "", BEDS[left], (goal, BEDS[goal]))),
            (
                goal,
                wire.replaced(self.admission(goal, trigger, BEDS[goal]), from_unit=left),
            ),
        ]
        for unit, entry in reversed(told) if entered_first else told:
            self.give(unit, entry)
        self.place = goal
        if deliver:
            self.deliver()

    def values(self, seconds: int = 8, **values: Any) -> None:
        """What the monitor at the patient's bed sends, each second."""
        unit, bed = self.place, BEDS[self.place]
        for _ in range(seconds):
            self.count += 1
            rows = tuple(
                wire.Observation(by_key[k].code, v, by_key[k].ucum, determined_at=self.now)
                for k, v in values.items()
            )
            key = str(self.count).encode()
            self.give(
                unit,
                wire.Observed(
                    unit, "loop", key.decode(), key, self.now, "Test", rows, bed=bed, device="mon"
                ),
            )
            self.now += SECOND
            self.give(unit, wire.Tick(self.now))

    def typed(self, key: str, value: float | str) -> None:
        """Somebody enters a value at the bed."""
        self.count += 1
        row = wire.Observation(
            by_key[key].code, value, by_key[key].ucum, determined_at=self.now, origin="typed"
        )
        name = str(self.count).encode()
        unit, bed = self.place, BEDS[self.place]
        self.give(
            unit,
            wire.Observed(
                unit, "nurse", name.decode(), name, self.now, "Test", (row,), bed=bed,
                device=wire.CHART,
            ),
        )  # fmt: skip

    def order(self, order: str, version: int = 1, unit: str = "", **more: Any) -> None:
        """An order as it stands after an act."""
        unit = unit or self.place
        entry = wire.OrderChanged(
            unit, order, version, BEDS[unit], WHO, "medication", "Norepinephrine", "active",
            "requested", self.now - 60 * SECOND, "doctor", self.now, "Test",
        )  # fmt: skip
        self.give(unit, wire.replaced(entry, **more))

    def limit(self, number: float, version: int = 1) -> None:
        """The patient's own lower limit of the mean pressure, stricter than the table's."""
        self.give(
            self.place,
            wire.LimitSet(
                self.place, "map_low", MAP.code, "", version, number, None, "doctor", self.now, WHO
            ),
        )

    def agree(self, *agreed: str) -> None:
        """What two people have agreed on holds from now on."""
        self.now += SECOND
        self.give(
            self.place,
            wire.CareAgreed(self.place, WHO, agreed, "doctor", self.now, "Test"),
        )

    def act(self, act: str, alarm: str, unit: str = "") -> None:
        """Somebody acknowledges or pauses."""
        unit = unit or self.place
        self.give(
            unit,
            wire.AlarmAct(
                unit, BEDS[unit], alarm, act, self.now, "nurse", "nurse", "web", self.now, "Test"
            ),
        )

    def cell(self, unit: str = "") -> BedCell:
        """The bed of a unit as its board has it."""
        unit = unit or self.place
        cell = self.units[unit].cell(BEDS[unit])
        assert cell is not None
        return decode_bed(cell)

    def alarms(self, unit: str = "") -> dict[str, AlarmCell]:
        """The alarms of the bed by rule."""
        return {alarm.code: alarm for alarm in self.cell(unit).alarms}

    def everything(self) -> dict[str, Counter[Any]]:
        """What the house holds of the patient, wherever it lies: nothing twice, nothing lost."""
        states = [unit.state for unit in self.units.values()]
        beds = [bed for state in states for bed in state.beds.values()]
        return {
            "orders": Counter(o.order for bed in beds for o in bed.orders.values()),
            "alarms": Counter(a.id for bed in beds for a in bed.alarms.values() if not a.technical),
            "urine": Counter(r.at for bed in beds for r in bed.record.spots.get("urine", ())),
        }


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


def test_what_was_agreed_on_in_an_earlier_stay_holds_in_no_later_one() -> None:
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
    house.move()
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
