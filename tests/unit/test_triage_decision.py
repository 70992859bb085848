"""What a physician decides is checked: fixed words, a reason for another colour, suggestions."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops.errors import MessageError
from triage.decision import CARE, DESTINATIONS, checked_decision
from triage.engine import assess
from triage.pathways import PATHWAYS, items_of, opened_by
from triage.suggestions import suggest

CALM = {"hr_bpm": 80, "rr_bpm": 16, "temp_c": 37.0, "spo2_pct": 98, "avpu": "A"}


def sent(**more: Any) -> dict[str, Any]:
    return {"colour": "red", "version": 0, **more}


@pytest.mark.parametrize("destination", [*DESTINATIONS, "h1-icu-1", ""])
def test_a_destination_is_a_word_of_the_list_or_a_unit_of_the_hospital(destination: str) -> None:
    wanted = checked_decision(sent(destination=destination), "red", {"h1-icu-1"})
    assert wanted.destination == destination


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"destination": "somewhere"}, "bad_destination"),
        ({"destination": "h2-icu-1"}, "bad_destination"),
        ({"care": ["leeches"]}, "bad_care"),
    ],
)
def test_an_unknown_destination_or_care_is_refused_in_words(
    more: dict[str, Any], code: str
) -> None:
    with pytest.raises(MessageError) as refused:
        checked_decision(sent(**more), "red", {"h1-icu-1"})
    assert refused.value.code == code
    assert "resuscitation" in refused.value.reason


def proposal(age: float = 61, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    facts = {"age_years": age, "signs": [], **more}
    return assess({**facts, "vitals": CALM}).as_json(), facts


def test_each_suggestion_has_its_reason_and_source_and_no_care_comes_twice() -> None:
    for signs in (["acute_focal_neuro"], ["heavy_bleeding"], ["ecg_acute_ischaemia"], []):
        found = suggest(*proposal(signs=signs))
        assert all(row["care"] in CARE and row["code"] and row["source"] for row in found)
        assert len({row["care"] for row in found}) == len(found)


def test_an_infarct_on_the_ecg_suggests_the_catheter_laboratory() -> None:
    triage, facts = proposal(signs=["ecg_acute_ischaemia"])
    assert [row["id"] for row in opened_by(triage, facts)] == ["stemi"]
    assert [row["care"] for row in suggest(triage, facts)] == ["resuscitation", "cath_lab"]


def test_what_has_no_source_is_neither_suggested_nor_on_a_checklist() -> None:
    """The theatre of the trauma list has no source: it is off until the site sets it."""
    triage, facts = proposal(signs=["high_risk_trauma"])
    assert "theatre" not in [row["care"] for row in suggest(triage, facts)]
    assert all(item["source"] for name in PATHWAYS for item in items_of(name))


def test_a_checklist_opens_by_the_crews_flag_too_and_a_calm_case_opens_none() -> None:
    assert opened_by(*proposal()) == []
    assert [row["id"] for row in opened_by(*proposal(pathways=["sepsis"]))] == ["sepsis"]


def test_a_red_child_opens_the_childrens_list_and_a_red_adult_does_not() -> None:
    child = [row["id"] for row in opened_by(*proposal(age=4, signs=["stridor"]))]
    adult = [row["id"] for row in opened_by(*proposal(age=40, signs=["stridor"]))]
    assert "child" in child
    assert "child" not in adult
