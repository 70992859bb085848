"""Values of a case: whose they are, when they were measured, and what is not shown."""

from __future__ import annotations

import pytest

from hospital_ops import wire
from hospital_ops.board import CaseCell, case_json, decode_case
from hospital_ops.clock import SECOND, iso
from hospital_ops.deciding import Stamped
from hospital_ops.identity import derived
from tests.unit.test_ed_calls import CASE, UNIT, Ward, facts
from tests.unit.test_triage_items import ANNA, BORIS, HR, Street
from triage.calls import NET_US
from triage.engine import assess
from triage.unit import EdUnit
from web.render import Renderer
from web.views.case import case_view, outside

CALM = facts(signs=[], on_oxygen=False)


def pulse(
    ward: Ward, number: float, at: int = 0, mode: str = "Demo", name: str = "e"
) -> wire.Observed:
    event = str(derived("pulse", name))
    seen = wire.Observation(HR, number, "/min", at or ward.now, event_id=event)
    return wire.Observed(UNIT, "tablet", name, b"", ward.now, mode, (seen,), case=CASE)


@pytest.mark.parametrize("ahead_s", [61, 90, 300])
def test_a_tablet_whose_clock_is_a_little_ahead_is_set_right_and_its_red_rings(
    ahead_s: int,
) -> None:
    ward = Ward()
    ward.takes(CALM, pulse(ward, 170, ward.now + ahead_s * SECOND))
    assert ward.cell().values[HR].at == ward.now
    assert ward.cell().call is not None
    assert ward.cell().not_shown == {}


def test_the_values_of_one_message_keep_their_distance_when_its_clock_is_set_right() -> None:
    ward = Ward()
    times = {name: ward.now + s * SECOND for name, s in (("old", -300), ("one", 70), ("two", 90))}
    rows = tuple(
        wire.Observation(HR, 60.0 + n, "/min", at, event_id=str(derived("e", name)))
        for n, (name, at) in enumerate(times.items())
    )
    ward.takes(CALM, wire.Observed(UNIT, "t", "m", b"", ward.now, "Demo", rows[::-1], case=CASE))
    recent = ward.unit.state.cases[CASE].recent[HR]
    assert [(one.shown.value, (one.shown.at - ward.now) // SECOND) for one in recent] == [
        (60.0, -300), (61.0, -20), (62.0, 0)
    ]  # fmt: skip


def test_a_value_of_a_wholly_wrong_clock_is_not_shown_and_the_case_says_so() -> None:
    ward = Ward()
    ward.takes(CALM, pulse(ward, 170, ward.now + 3600 * SECOND))
    assert HR not in ward.cell().values
    assert case_json(ward.cell(), ward.now)["not_shown"] == {"clock": 1}


def test_what_a_demo_or_test_device_sends_is_not_filed_to_a_real_patient() -> None:
    ward = Ward()
    real = wire.replaced(CALM, mode="Real")
    ward.takes(real, pulse(ward, 170), pulse(ward, 170, mode="Test", name="f"))
    assert (ward.cell().mode, ward.cell().values) == ("Real", {})
    assert ward.cell().call is None
    assert ward.cell().not_shown == {"mode": 2}
    ward.takes(pulse(ward, 171, mode="Real", name="g"))
    assert ward.cell().values[HR].value == 171


def test_test_values_that_came_before_the_crew_said_it_is_real_do_not_stay() -> None:
    ward = Ward()
    ward.takes(pulse(ward, 170, mode="Test"))
    assert ward.cell().mode == "Test"
    ward.takes(wire.replaced(CALM, mode="Real"))
    assert (ward.cell().mode, ward.cell().values) == ("Real", {})


def test_what_was_moved_is_taken_back_where_it_is_now_however_the_tablet_asks() -> None:
    street = Street()
    wrong = street.value(ANNA, "wrong", 170)
    drug = street.item(ANNA, "drug", "treatment", what="aspirin")
    street.move(ANNA, BORIS, wrong, drug)
    street.item(ANNA, "back", "withdrawal", of=wrong)  # sent to the case where it was typed
    street.item(BORIS, "back too", "withdrawal", of=drug)
    assert HR not in street.cell(BORIS).values
    assert street.cell(BORIS).items == ()
    street.value(ANNA, "wrong", 170)  # said again
    assert HR not in street.cell(ANNA).values
    assert HR not in street.cell(BORIS).values


def test_a_value_is_taken_back_by_its_own_id_also_after_a_reroute() -> None:
    street = Street()
    right = street.value(ANNA, "first", 80)
    gone = street.value(ANNA, "second", 182)
    street.item(ANNA, "b", "withdrawal", of=gone)
    told = street.cell(ANNA)
    unit = EdUnit("h2-ed")

    def takes(*entries: wire.Entry) -> CaseCell:
        unit.decide([Stamped(street.at, entry) for entry in entries])
        encoded = unit.cell(ANNA)
        assert encoded is not None
        return decode_case(encoded)

    entered = wire.CaseEntered(
        unit="h2-ed", case=ANNA, came_from="h1-ed", cell=wire.encode(told), at=street.at,
        by="Hale", source="Hale", received_at=street.at, mode="Demo",
    )  # fmt: skip
    late = wire.Observation(HR, 182.0, "/min", street.at, event_id=gone)
    again = wire.Observed("h2-ed", "t", "m", b"", street.at, "Demo", (late,), case=ANNA)
    assert takes(entered, again).values[HR].value == 80, "what was taken back stays so"
    back = wire.CaseItem(
        "h2-ed", ANNA, str(derived("w")), "withdrawal", street.at, "t", street.at, "Demo",
        {"of": right},
    )  # fmt: skip
    assert HR not in takes(back).values


def test_an_arrival_told_late_counts_from_when_the_crew_pressed_it() -> None:
    ward = Ward()
    ward.takes(CALM)
    ward.passes(420 * SECOND)
    pressed = ward.now - 420 * SECOND
    ward.takes(
        wire.CaseStep(UNIT, CASE, "arrival", pressed, "device:t", "device:t", ward.now, "Demo")
    )
    assert ward.cell().arrived_at == pressed
    assert ward.cell().arrivals == {"crew": iso(pressed)}
    ward.passes(NET_US - 420 * SECOND)
    assert ward.cell().untaken


def test_a_red_whose_arrival_is_told_after_the_net_still_rings_until_somebody_hears() -> None:
    ward = Ward()
    ward.passes(NET_US, each=60 * SECOND)
    pressed = ward.now - NET_US
    ward.takes(
        facts(),
        wire.CaseStep(UNIT, CASE, "arrival", pressed, "device:t", "device:t", ward.now, "Demo"),
    )
    ward.passes(20 * SECOND)
    assert ward.cell().untaken
    assert ward.cell().call is not None


def test_not_pregnant_with_a_ticked_sign_of_pregnancy_is_never_green() -> None:
    vitals = {"hr_bpm": 80, "rr_bpm": 16, "temp_c": 37.0, "spo2_pct": 98, "avpu": "A"}
    told = {"age_years": 30, "sex": "F", "vitals": vitals, "signs": ["preg_heavy_bleeding"]}
    found = assess({**told, "pregnant": False}).as_json()
    assert (found["colour"], found["proposed"]) == ("incomplete", "incomplete")
    assert "pregnant" in found["missing"]
    assert assess({**told, "signs": [], "pregnant": False}).proposed == "green"


@pytest.mark.parametrize(
    ("language", "words"), [("en", "F est. under 12 years"), ("ru", "ж ок. до 12 лет")]
)
def test_an_estimated_age_stands_on_the_board_in_words(language: str, words: str) -> None:
    ward = Ward()
    ward.takes(facts(age_years=None, age_band="lt12y", age_estimated=True, sex="F"))
    frame = Renderer("UTC").frame(language, ward.now)
    assert case_view(ward.cell(), frame).person == words


def test_a_child_of_an_estimated_age_is_not_held_against_the_limits_of_adults() -> None:
    ward = Ward()
    ward.takes(CALM, pulse(ward, 140))
    shown = ward.cell().values[HR]
    assert outside(HR, shown, {"age_years": 40})
    assert not outside(HR, shown, {"age_band": "lt2m"})
    assert not outside(HR, shown, {"age_band": "lt12y", "age_sub_band": "1to4y"})
    assert outside(HR, wire.replaced(shown, value=190.0), {"age_band": "lt12y"})
    assert outside(HR, shown, {"age_band": "12to50y"})
