"""A unit and a patient may have limits of their own; a red is never loosened by any of them."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.clock import SECOND
from hospital_ops.codes import by_key
from icu.ages import BANDS, Age
from icu.load.replay import Question, Value, age_of, may_apply, replayed, standing
from icu.rules import HIGH, LIMIT_RULES, Limit, LimitRule, limits_of
from icu.site_limits import limits_for, name_of, safe_range
from icu.state import UnitState
from tests.alarm_ward import BED, START, UNIT, Ward

SPO2, MAP = by_key["spo2"].code, by_key["abp_mean"].code
OTHER_BED = f"{UNIT}-02"


def change(
    version: int,
    rule: str = "spo2_low",
    code: str = SPO2,
    limit: float | None = None,
    delay_s: float | None = None,
    patient_id: str = "",
) -> wire.LimitSet:
    band = "" if patient_id else "adult"
    return wire.LimitSet(UNIT, rule, code, band, version, limit, delay_s, "dr-k", 1, patient_id)


def named(*changes: wire.LimitSet) -> dict[str, wire.LimitSet]:
    return {name_of(one.rule, one.code, one.band, one.patient_id): one for one in changes}


def patient_of(ward: Ward, bed: str = BED) -> str:
    return ward.unit.state.beds[bed].history[-1].patient_id


def looser(limit: Limit, table: Limit) -> bool:
    if limit.delay_us > table.delay_us:
        return True
    return limit.limit < table.limit if table.of.side == "low" else limit.limit > table.limit


NUMBERS = st.none() | st.floats(-50, 400) | st.just(float("nan")) | st.integers(-50, 400).map(float)


@settings(max_examples=50)
@given(figures=st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS))
def test_nothing_that_a_site_sets_makes_a_red_later_looser_or_silent(
    figures: tuple[float | None, ...],
) -> None:
    for rule, band in product(LIMIT_RULES, BANDS):
        reds_hold(rule, band, figures)


def reds_hold(rule: LimitRule, band: str, figures: tuple[float | None, ...]) -> None:
    """Whatever is set for a rule, for the unit and the patient, its table's reds ring by it."""
    unit = wire.LimitSet(UNIT, rule.rule.id, rule.code, band, 1, figures[0], figures[1], "a", 1)
    own = wire.LimitSet(UNIT, rule.rule.id, rule.code, "", 1, figures[2], figures[3], "b", 1, "p")
    age = age_of(band)
    table = {limit.of.key: limit for limit in limits_of(rule.code, *age)}
    held = {limit.of.key: limit for limit in limits_for(named(unit, own), "p", rule.code, age)}
    assert held.keys() == table.keys()
    for key, limit in held.items():
        if limit.of.rule.latching:
            assert limit == table[key]
        elif limit.priority == HIGH:
            assert not looser(limit, table[key])
        for red in table.values():
            if red.priority == HIGH and red.of.side == limit.of.side == "low":
                assert limit.limit >= red.limit
            if red.priority == HIGH and red.of.side == limit.of.side == "high":
                assert limit.limit <= red.limit


def test_the_limit_of_a_unit_holds_until_it_is_taken_back_and_the_alarm_says_who_approved() -> None:
    ward = Ward()
    ward.send(20, spo2=89.0)
    assert ward.alarms()["spo2_low"].limit_by == ""
    ward.give(change(1, limit=88.0))
    assert "spo2_low" not in ward.alarms()
    ward.send(20, spo2=89.0)
    assert "spo2_low" not in ward.alarms()
    ward.send(20, spo2=87.0)
    rang = ward.alarms()["spo2_low"]
    assert (rang.limit, rang.limit_by, rang.delay_s) == (88.0, "dr-k", 15.0)
    ward.send(1, spo2=89.0)
    ward.give(change(2))
    ward.send(20, spo2=89.0)
    assert ward.alarms()["spo2_low"].limit == 90.0
    assert ward.alarms()["spo2_low"].limit_by == ""


def test_a_longer_delay_holds_for_what_is_waiting_already() -> None:
    ward = Ward()
    ward.send(10, spo2=89.0)
    ward.give(change(1, delay_s=30.0))
    ward.send(15, spo2=89.0)
    assert "spo2_low" not in ward.alarms()
    ward.send(8, spo2=89.0)
    assert ward.alarms()["spo2_low"].delay_s == 30.0


def test_an_older_act_that_is_told_again_changes_nothing() -> None:
    ward = Ward()
    ward.give(change(3))
    ward.give(change(1, limit=86.0))
    ward.send(20, spo2=89.0)
    assert ward.alarms()["spo2_low"].limit == 90.0


def test_limits_survive_the_owner_and_a_snapshot_of_the_version_before_loads() -> None:
    ward = Ward()
    ward.give(change(1, limit=88.0))
    ward.restart()
    ward.send(20, spo2=89.0)
    assert "spo2_low" not in ward.alarms()
    fields = list(wire.decoder(list)(ward.unit.dump()))
    known = fields[: UnitState.__struct_fields__.index("limits")]
    before = wire.decoder(UnitState)(wire.encode(known))
    assert (before.limits, before.silencing) == ({}, {})


def test_a_patient_has_a_stricter_red_of_their_own_and_nobody_else_has() -> None:
    ward = Ward()
    ward.admission("A01", OTHER_BED, "m2", "1960-01-01")
    ward.give(change(1, "map_low", MAP, limit=65.0, patient_id=patient_of(ward)))
    for _ in range(12):
        ward.message(BED, {"abp_mean": 63.0})
        ward.message(OTHER_BED, {"abp_mean": 63.0})
        ward.wait(1)
    assert ward.alarms()["map_low"].limit == 65.0
    assert not [alarm for alarm in ward.cell(OTHER_BED).alarms if alarm.code == "map_low"]
    ward.give(change(2, "map_low", MAP, limit=50.0, patient_id=patient_of(ward)))
    ward.send(12, abp_mean=58.0)
    assert ward.alarms()["map_low"].limit == 60.0


def test_the_patients_own_limit_comes_before_that_of_the_unit() -> None:
    own = change(1, limit=87.0, patient_id="p")
    held = limits_for(named(change(1, limit=92.0, delay_s=20.0), own), "p", SPO2, Age("adult", 60))
    low = next(limit for limit in held if limit.of.rule.id == "spo2_low")
    assert (low.limit, low.delay_us, low.by) == (87.0, 20_000_000, "dr-k")


def test_the_safe_range_ends_one_step_looser_and_at_the_red() -> None:
    def held(code: str, rule: str, band: str = "adult") -> tuple[float, float] | None:
        age = age_of(band)
        limit = next(x for x in limits_of(code, *age) if x.of.rule.id == rule)
        return safe_range(limit, *age)

    hr = by_key["hr"].code
    assert held(SPO2, "spo2_low") == (85.0, 100.0)
    assert held(hr, "hr_low") == (40.0, 120.0)
    assert held(hr, "hr_high") == (50.0, 140.0)
    assert held(MAP, "map_low") == (60.0, 110.0)
    assert held(SPO2, "spo2_desat") is None


def test_a_replay_starts_from_what_the_unit_has_set_and_few_alarms_are_not_applied() -> None:
    changes = named(change(1, limit=92.0))
    question = Question("spo2_low", SPO2, limit=89.0)
    assert standing(question, changes).limit == 92.0
    dips = [
        Value(BED, START + (100 * n + s) * SECOND, 91.0 if s < 20 else 97.0, "1960-01-01")
        for n in range(30)
        for s in range(0, 40)
    ]
    found = replayed(dips, question, changes) | {"whole": True}
    assert (found["rang"], found["would_ring"], found["approved_by"]) == (30, 0, "dr-k")
    assert may_apply(found)
    assert not may_apply(replayed(dips[:-40], question, changes) | {"whole": True})
    unsafe = Question("spo2_low", SPO2, limit=81.0)
    assert not may_apply(replayed(dips, unsafe, changes) | {"whole": True})
