"""Who walks in: times within which to be seen, names that are alike, what has to be ruled out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from starlette.datastructures import FormData

from hospital_ops.board import CaseCell, DecisionCell, Shown, case_json
from hospital_ops.clock import SECOND, from_iso
from hospital_ops.errors import MessageError
from triage.complaints import MOST_SHOWN, to_rule_out
from triage.namesakes import Arrival, warnings_of
from triage.targets import measure_by, see_by, target_us
from web.entered import FieldError, values_of
from web.render import Renderer
from web.routes.cases import entry_of
from web.routes.newvalues import changed_facts
from web.views.casedesk import desk_view
from web.views.casepage import render
from web.views.edboard import shift_began
from web.views.page import Page
from web.views.walkin import VITALS, age_of, form_view, number_of
from web.words import words_of

NOON = from_iso("2026-11-21T12:00:00Z")
MINUTE = 60 * SECOND


def cell(colour: str, **more: Any) -> CaseCell:
    given: dict[str, Any] = {
        "case": "c", "facts": {}, "values": {"8867-4": Shown(80.0, "/min", NOON + MINUTE)},
        "triage": {"proposed": colour}, "step": "arrived", "arrived_at": NOON,
    }  # fmt: skip
    return CaseCell(**given | more)


@pytest.mark.parametrize(("colour", "minutes"), [("red", 0), ("yellow", 60), ("green", 240)])
def test_a_patient_is_to_be_seen_within_the_published_time_of_the_colour(
    colour: str, minutes: int
) -> None:
    assert see_by(cell(colour)) == NOON + minutes * MINUTE
    assert measure_by(cell(colour)) == (NOON + (minutes + 1) * MINUTE if minutes else 0)


def test_an_incomplete_patient_waits_no_longer_than_a_yellow_one() -> None:
    assert target_us("incomplete") == target_us("yellow")


def test_the_clock_stops_when_somebody_took_over_or_decided_here_and_not_on_the_road() -> None:
    before = DecisionCell("yellow", "Dr Ray", NOON - MINUTE, 1)
    here = DecisionCell("yellow", "Dr Ray", NOON + MINUTE, 1)
    assert see_by(cell("yellow", decision=before)) == NOON + 60 * MINUTE
    assert see_by(cell("yellow", decision=here)) == 0
    assert see_by(cell("yellow", taken_over_at=NOON)) == 0
    assert measure_by(cell("yellow", decision=here)) > 0, "who waits is measured again"
    assert see_by(cell("yellow", step="coming", arrived_at=0)) == 0


def arrival(case: str, *, ended: bool = False, **facts: Any) -> Arrival:
    return Arrival(case, NOON, ended, {"family": "Ёлкин", **facts})


def test_a_namesake_who_is_here_and_somebody_who_comes_again_are_named_and_not_merged() -> None:
    mine = {"family": "ЕЛКИН", "given": "Anna", "sex": "F"}
    others = [
        arrival("here", sex="M"),
        arrival("again", ended=True, given="anna"),
        arrival("another", ended=True, given="Maria"),
        arrival("a man", ended=True, sex="M"),
        arrival("c"),
        arrival("else", family="Petrov"),
    ]
    found = {same.case: same.kind for same in warnings_of("c", mine, others)}
    assert found == {"here": "namesake", "again": "again"}
    assert warnings_of("c", {"family": ""}, others) == []


def test_conditions_of_pregnancy_are_not_listed_for_men_nor_far_beyond_the_age() -> None:
    def codes(**who: Any) -> set[str]:
        return {row["code"] for row in to_rule_out("pelvic_pain_c", [], **who)}

    assert "ectopic" in codes()
    assert "ectopic" in codes(sex="F", age_years=30)
    assert "ectopic" not in codes(sex="M")
    assert "ectopic" not in codes(sex="F", age_years=70)


def test_what_speaks_for_a_condition_moves_it_up_and_nothing_found_against_removes_it() -> None:
    for_pe = to_rule_out("chest_pain", ["leg_swelling", "haemoptysis"])
    assert len(for_pe) == MOST_SHOWN
    assert for_pe[0]["code"] == "pe"
    assert all(row["source"] for row in for_pe)


@pytest.mark.parametrize(("text", "value"), [("37,1", 37.1), ("88", 88.0), ("", None)])
def test_a_number_is_read_with_a_comma_too_and_an_empty_field_is_no_value(
    text: str, value: float | None
) -> None:
    assert number_of(text, "temp") == value


TODAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("typed", "years", "days"),
    [
        ({"age": "34"}, 34.0, None),
        ({"months": "3"}, None, 91),
        ({"age": "0", "months": "9"}, None, 274),
        ({"age": "0"}, 0.0, None),
        ({"birth_date": "2014-11-21"}, 12, None),
        ({"birth_date": "2014-11-22"}, 11, None),
        ({"birth_date": "2026-11-16"}, None, 5),
        ({"age": "40", "birth_date": "2014-11-22"}, 40.0, None),
    ],
)
def test_an_age_is_years_or_months_or_comes_from_the_birth_date(
    typed: dict[str, str], years: float | None, days: int | None
) -> None:
    assert age_of(typed, TODAY) == {"age_years": years, "age_days": days}


@pytest.mark.parametrize("typed", [{"age": "340"}, {"age": "x"}, {"birth_date": "2027-01-01"}])
def test_an_age_of_nobody_is_refused_and_none_is_none(typed: dict[str, str]) -> None:
    with pytest.raises(MessageError):
        age_of(typed, TODAY)
    assert age_of({}, TODAY) == {}


def test_a_corrected_value_is_a_value_of_its_own_and_a_page_sent_twice_is_one() -> None:
    first, again, corrected, back = (
        values_of({"spo2": value}, "c", NOON + seconds * SECOND, "Demo")[0]["event_id"]
        for value, seconds in (("98", 0), ("98", 1), ("80", 5), ("98", 60))
    )
    assert first == again
    assert len({first, corrected, back}) == 3


def test_values_of_the_page_are_read_as_from_a_tablet_and_an_impossible_one_is_named() -> None:
    typed = {"hr": "80", "temp": "37,5", "avpu": "V", "sys": ""}
    events = values_of(typed, "c", NOON, "Demo")
    assert [(event["code"], event["value"]) for event in events] == [
        ("8867-4", 80.0), ("8310-5", 37.5), ("80288-4", "V")
    ]  # fmt: skip
    for field, text in (("temp", "37..5"), ("spo2", "980")):
        with pytest.raises(FieldError) as refused:
            values_of({**typed, field: text}, "c", NOON, "Demo")
        assert refused.value.field == field


def test_new_signs_join_those_that_came_since_the_page_was_opened() -> None:
    known = CaseCell(
        case="c", facts={"signs": ["stridor", "wheezing"]}, values={}, triage={}
    )  # fmt: skip
    page: list[Any] = [("signs_shown", "wheezing"), ("signs", "heavy_bleeding"), ("oxygen", "yes")]
    assert changed_facts(known, FormData(page)) == {
        "signs": ["heavy_bleeding", "stridor"], "on_oxygen": True
    }  # fmt: skip
    same = FormData([("signs_shown", "stridor"), ("signs", "stridor"), ("oxygen", "")])
    assert changed_facts(known, same) == {}
    nobody_looked = CaseCell(case="c", facts={}, values={}, triage={})
    assert changed_facts(nobody_looked, FormData([("signs_shown", "")])) == {}
    none = FormData([("signs_shown", ""), ("signs", "none")])
    assert changed_facts(nobody_looked, none) == {"signs": []}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_a_page_that_comes_back_keeps_every_tick(language: str) -> None:
    complaint = form_view("", language)["others"][0][0]
    signs = ["heavy_bleeding", "preg_trauma"]
    html = Renderer("UTC").fill(
        "walkin.html",
        page=Page(words=words_of(language), title="", user="n", demo=True, unit="h1-ed"),
        unit="h1-ed",
        case="c",
        kept={"complaint": complaint, "on_oxygen": "yes", "pregnant": "yes", "temp": "37..5"},
        ticked=set(signs),
        said="no",
        **form_view(complaint, language),
    )
    for name, value in (("on_oxygen", "yes"), ("pregnant", "yes"), *(("signs", s) for s in signs)):
        assert f'name="{name}" value="{value}" checked' in html
    assert html.count(" checked") == 4
    assert f'<option value="{complaint}" selected>' in html
    assert 'data-other="complaint" name="complaint"' in html


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_sign_of_the_chart_can_be_reached_and_the_complaints_own_come_first(
    language: str,
) -> None:
    view = form_view("chest_pain", language)
    signs = [sign for sign, _ in (*view["first_signs"], *view["other_signs"])]
    assert len(signs) == len(set(signs)) == 63
    assert signs[0] == "acute_chest_pain"
    assert set(VITALS) == {key for key, _, _ in view["vitals"]}


@pytest.mark.parametrize(
    ("now", "began"),
    [
        ("2026-11-21T12:00:00Z", "08:00"),
        ("2026-11-21T03:00:00Z", "20:00"),
        ("2026-11-21T22:00:00Z", "20:00"),
    ],
)
def test_a_shift_begins_in_the_morning_and_in_the_evening(now: str, began: str) -> None:
    at = shift_began(Renderer("UTC").frame("en", from_iso(now)))
    assert at <= from_iso(now) < at + 12 * 3600 * SECOND
    assert at % (86_400 * SECOND) == int(began[:2]) * 3600 * SECOND


def test_a_board_tells_nobody_the_name_of_who_walked_in() -> None:
    named = cell("green", facts={"family": "Yelkin", "given": "Anna", "birth_date": "1990-01-02"})
    html = Renderer("UTC").ed_page(
        "en",
        unit="h1-ed",
        unit_name="ED",
        cases=[named],
        head=None,
        rev=1,
        now_us=NOON,
        mode="wall",
    )
    assert "Y.A." in html
    for said in (html, str(case_json(named, NOON))):
        assert not any(word in said for word in ("Yelkin", "Anna", "1990"))


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_page_of_who_is_here_has_the_fields_of_new_values_with_what_is_known(
    language: str,
) -> None:
    here = cell("yellow", facts={"signs": ["severe_pain"], "complaint": "chest_pain"})
    renderer = Renderer("UTC")
    html = render(
        renderer, language, cell=here, changes=[], now_us=NOON, user="n", demo=True, unit="h1-ed",
        may_decide=False, may_acknowledge=False, wards=[], may_acknowledge_any=True,
        desk=desk_view(here, renderer.frame(language, NOON), [], [here], []),
        entry=entry_of(here, FormData([("hr", "8O"), ("signs", "severe_pain")]), language),
    )  # fmt: skip
    assert 'action="/ed/cases/c/values"' in html
    assert 'name="signs_shown" value="severe_pain"' in html
    assert 'name="signs" value="severe_pain" checked' in html
    assert 'name="hr" inputmode="decimal" maxlength="5" value="8O"' in html
    assert "newvalues." not in html, "every word is there"
