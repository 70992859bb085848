"""The engine in the words of the ward: what it proposes, why, and what it says about gaps."""

from __future__ import annotations

import math
from typing import Any

import pytest

from hospital_ops.clinical.rules import Rule
from hospital_ops.errors import ConfigurationError
from triage import complaints
from triage.counterfactuals import counterfactuals
from triage.engine import assess

WELL = {
    "hr_bpm": 80,
    "rr_bpm": 16,
    "temp_c": 37.0,
    "spo2_pct": 98,
    "avpu": "A",
    "sbp_mmhg": 124,
    "on_oxygen": False,
}


def case(**changes: Any) -> dict[str, Any]:
    vitals = {**WELL, **changes.pop("vitals", {})}
    return {"age_years": 40, "signs": [], "vitals": vitals, **changes}


def test_a_well_adult_is_green_with_nothing_missing() -> None:
    found = assess(case())
    assert (found.proposed, found.missing, found.reasons) == ("green", [], [])
    assert found.scores["news2"]["total"] == 0


def test_a_value_of_nan_is_missing_and_named_and_never_green() -> None:
    found = assess(case(vitals={"rr_bpm": math.nan}))
    assert (found.proposed, found.missing) == ("incomplete", ["rr_bpm"])
    assert found.warnings[0]["code"] == "not_a_number"
    assert found.colour_if_normal == "green"


@pytest.mark.parametrize("value", [True, "98", 351, -1, [], {}])
def test_a_heart_rate_no_body_can_have_is_never_scored(value: Any) -> None:
    found = assess(case(vitals={"hr_bpm": value}))
    assert "hr_bpm" in found.missing
    assert found.proposed == "incomplete"


def test_an_implausible_value_still_raises_and_asks_to_be_confirmed() -> None:
    found = assess(case(vitals={"hr_bpm": 12}))
    assert found.proposed == "red"
    assert found.warnings[0]["code"] == "implausible"


def test_signs_that_nobody_asked_for_are_missing() -> None:
    inputs = case()
    del inputs["signs"]
    found = assess(inputs)
    assert (found.proposed, found.missing) == ("incomplete", ["signs"])


def test_a_measured_fever_counts_with_a_stiff_neck() -> None:
    found = assess(case(signs=["stiff_neck"], vitals={"temp_c": 39.4}))
    assert found.criteria == ["neuro_any_two"]
    assert set(found.reasons[0]["value"]) == {"stiff_neck", "hypothermia_or_fever"}


def test_a_sign_of_the_other_chart_is_kept_and_named() -> None:
    found = assess(case(signs=["cold_extremities"]))
    assert found.proposed == "green"
    assert found.warnings[0]["code"] == "sign_of_other_chart"


def test_a_pregnancy_sign_says_that_she_is_pregnant_unless_somebody_denies_it() -> None:
    said = assess(case(signs=["preg_active_labour"]))
    assert (said.colour, said.criteria) == ("red", ["preg_active_labour"])
    denied = assess(case(signs=["preg_active_labour"], pregnant=False))
    assert denied.review_required
    assert denied.warnings[0]["code"] == "pregnancy_contradiction"


@pytest.mark.parametrize("finding", ["stemi", {"code": "STEMI"}, {"code": "stemi", "state": "x"}])
def test_an_ecg_with_infarction_is_red_for_review(finding: Any) -> None:
    found = assess(case(ecg_findings=[finding]))
    assert (found.colour, found.criteria) == ("red", ["ecg_acute_ischaemia"])
    assert found.review_required


@pytest.mark.parametrize(
    "finding", ["sinus_rhythm", {"code": "stemi", "state": "not_found"}, {"code": None}, 7]
)
def test_an_ecg_that_found_nothing_changes_nothing(finding: Any) -> None:
    assert assess(case(ecg_findings=[finding])).proposed == "green"


def test_a_patient_without_an_age_stands_above_every_yellow_one() -> None:
    unknown = case()
    del unknown["age_years"]
    found = assess(unknown)
    graver = assess(case(signs=["wheezing", "agitation"], vitals={"rr_bpm": 29}))
    assert (found.proposed, found.missing) == ("incomplete", ["age"])
    assert graver.proposed == "yellow"
    assert found.urgency > graver.urgency


def test_a_blood_pressure_that_could_not_be_measured_is_red() -> None:
    inputs = case(not_measurable=["sbp_mmhg"])
    del inputs["vitals"]["sbp_mmhg"]
    found = assess(inputs)
    assert (found.colour, found.proposed) == ("green", "red")


def test_what_would_change_names_the_nearest_step_of_a_vital() -> None:
    inputs = case(vitals={"hr_bpm": 128})
    changes = counterfactuals(inputs, assess(inputs))
    assert {"input": "hr_bpm", "from": 128, "to": 131, "colour": "yellow"} in changes


def test_what_would_change_names_the_missing_answer_first() -> None:
    inputs = case()
    del inputs["vitals"]["temp_c"]
    changes = counterfactuals(inputs, assess(inputs))
    temperature = [change for change in changes if change["input"] == "temp_c"]
    assert changes[0]["from"] is None
    assert {change["colour"] for change in temperature} >= {"green", "yellow"}


def test_a_complaint_lists_at_most_three_conditions_and_never_a_colour() -> None:
    shown = complaints.to_rule_out("chest_pain", {"tearing_pain", "sudden_onset"})
    assert shown[0]["code"] == "aortic_dissection"
    assert len(shown) == 3
    assert complaints.find("боль в груди") == complaints.find("Chest pain")
    assert complaints.to_rule_out("no such complaint", set()) == []
    assert assess(case(complaint="chest_pain")).urgency == assess(case()).urgency
    assert "acute_chest_pain" in complaints.signs_to_ask("chest_pain", adult=True)


def test_a_finding_against_lowers_a_condition_but_never_removes_it() -> None:
    codes = [row["code"] for row in complaints.to_rule_out("palpitations", {"clear_other_cause"})]
    assert "pe" in codes or len(codes) == complaints.MOST_SHOWN


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [({"hr": 49}, True), ({"hr": 50}, False), ({"hr": None}, None), ({}, None)],
)
def test_a_missing_number_leaves_a_rule_unknown(
    numbers: dict[str, float | None], expected: bool | None
) -> None:
    assert Rule("hr<50 or hr>150").check(numbers, ()) is expected


@pytest.mark.parametrize("text", ["__import__('os')", "a.b", "1 < 2", "f(a)>1", "a +", "hr<'5'"])
def test_a_rule_outside_the_forms_of_the_tables_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        Rule(text)
