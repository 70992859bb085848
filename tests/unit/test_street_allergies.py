"""What was told of allergies on the way: on the case, in the checks of orders, in words."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hospital_ops.access import ALL_UNITS, Principal, Role
from hospital_ops.clock import SECOND, iso
from hospital_ops.errors import MessageError
from icu.order_checks import Known, checked, from_json
from icu.order_kinds import Wanted
from streams.crew_intake import allergy_said
from triage.handover.sheet import allergies_of
from web.views.caseitems import allergy_words
from web.views.orders import finding, who_said
from web.views.values import Frame
from web.words import words_of

NOW = 1_772_359_200 * SECOND
EN = Frame(words_of("en"), NOW, ZoneInfo("UTC"))
DRUG = Wanted("medication", "Benzylpenicillin 4 million IE", {})


def who(role: Role) -> Principal:
    return Principal(actor="x", role=role, hospital="h1", units=ALL_UNITS, key="k", mode="Test")


def said(role: Role = Role.TABLET, **sent: Any) -> dict[str, Any]:
    return allergy_said({n: v for n, v in sent.items() if n != "none_known"}, sent, who(role))


def test_an_allergy_is_a_substance_or_that_none_are_known_and_never_both_or_nothing() -> None:
    assert said(what="latex", who="wife") == {"what": "latex", "who": "wife", "role": "tablet"}
    assert said(none_known=True, reaction="x") == {"none_known": True, "role": "tablet"}
    for wrong in ({}, {"what": "  "}, {"what": "latex", "none_known": True}):
        with pytest.raises(MessageError):
            said(**wrong)


def test_a_sender_cannot_say_that_a_nurse_has_asked() -> None:
    sent = {"what": "latex", "role": "nurse"}
    assert allergy_said({"what": "latex"}, sent, who(Role.TABLET))["role"] == "tablet"


def test_the_page_of_the_case_says_who_was_told_and_that_nobody_has_confirmed_it() -> None:
    line = {"kind": "allergy", "what": "penicillin", "reaction": "rash", "who": "wife"}
    crew = allergy_words({**line, "role": "tablet"}, EN)
    assert crew == "penicillin (rash), told by wife, told to the crew, not confirmed"
    nurse = allergy_words({**line, "role": "nurse"}, EN)
    assert nurse.endswith("asked in the emergency department")
    assert allergy_words({"none_known": True, "role": "crew"}, EN).startswith("none known")


def test_the_hand_over_sheet_lists_what_was_told() -> None:
    item = {"kind": "allergy", "what": "latex", "role": "tablet", "by": "t", "at": iso(NOW)}
    (line,) = allergies_of({"items": [item, {"kind": "note", "at": iso(NOW)}]})
    assert (line["what"], line["by"], line["none_known"]) == ("latex", "t", False)


def test_an_order_is_checked_against_what_the_crew_was_told_and_says_so() -> None:
    known = Known(allergies=("penicillin", "latex"), told_only=("penicillin",))
    found = next(one for one in checked([DRUG], known) if one.check == "allergy")
    assert (found.state, found.found, found.told_only) == (
        "found",
        ("penicillin",),
        ("penicillin",),
    )
    assert "penicillin (told before, not confirmed)" in finding(found, EN.words)
    assert from_json([found.as_json()]) == [found]
    before = {name: said for name, said in found.as_json().items() if name != "told_only"}
    assert from_json([before])[0].told_only == (), "an order that was signed before"


def test_no_medicine_rests_on_none_known_that_nobody_has_confirmed() -> None:
    told = Known(none_known=True, told_only=("",))
    found = next(one for one in checked([DRUG], told) if one.check == "allergy")
    assert found.asks
    assert "nobody has confirmed" in finding(found, EN.words)
    found = next(one for one in checked([DRUG], Known(none_known=True)) if one.check == "allergy")
    assert not found.asks


def test_the_bed_names_who_heard_it_and_who_asked_again() -> None:
    row = {
        "substance": None, "told_by": "wife", "heard": "crew", "recorded_by": "tablet-7",
        "reaction": "", "confirmed": True,
        "recorded_at": iso(NOW), "confirmed_by": "nurse.h1", "confirmed_at": iso(NOW),
    }  # fmt: skip
    line = who_said(row, EN)
    assert line.startswith("none known: told by wife; heard by the crew (tablet-7)")
    assert "confirmed by nurse.h1" in line
    waits = {"substance": "latex", "reaction": "hives", "confirmed": False, "confirmed_at": None}
    line = who_said(row | waits, EN)
    assert line.startswith("latex (hives): ")
    assert line.endswith("not confirmed yet")
