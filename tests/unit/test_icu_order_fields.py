"""What can be ordered, how it is understood, and what is looked at before it is signed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops.clock import SECOND, from_iso
from hospital_ops.errors import MessageError, NotFound
from icu import adjusting, offers, order_sets, order_targets
from icu.order_checks import Finding, Known, asking, checked, unanswered
from icu.order_kinds import KINDS, Wanted, wanted
from icu.rules import RULES

NOON = from_iso("2026-11-21T12:00:00Z")
NORADRENALINE = {"drug": "noradrenaline", "rate": 0.1, "rate_unit": "ug/kg/min"}
DRUG = {"drug": "a", "route": "iv"}


def order(kind: str, text: str, **details: Any) -> Wanted:
    return Wanted(kind, text, details)


def found(findings: list[Finding], check: str) -> list[str]:
    return [finding.state for finding in findings if finding.check == check]


def test_an_infusion_with_its_goal_reads_as_one_line() -> None:
    sent = {"kind": "infusion", "details": NORADRENALINE, "target": "MAP 65 to 75"}
    made = wanted(sent, NOON)
    assert made.text == "noradrenaline, 0.1 ug/kg/min, MAP 65–75 mm[Hg]"
    assert made.target == {"parameter": "map", "low": 65.0, "high": 75.0, "unit": "mm[Hg]"}


@pytest.mark.parametrize(
    ("words", "low", "high"),
    [
        ("MAP 65 to 75", 65, 75),
        ("SpO2 88-92 %", 88, 92),
        ("SpO2 above 92", 92, None),
        ("HR < 110", None, 110),
        ("АД ср 65–75", 65, 75),
        ("ЧСС не более 110", None, 110),
        ("temp 36,0 to 37,7", 36, 37.7),
    ],
)
def test_a_goal_is_understood_as_it_is_said(words: str, low: float, high: float | None) -> None:
    target = order_targets.checked(words)
    assert target is not None
    assert (target["low"], target["high"]) == (low, high)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({}, "bad_kind"),
        ({"kind": "spell", "text": "x"}, "bad_kind"),
        ({"kind": "medication"}, "bad_text"),
        ({"kind": "medication", "text": "x" * 501}, "bad_text"),
        ({"kind": "medication", "details": {"dose": 5}}, "missing_field"),
        ({"kind": "medication", "details": DRUG | {"dose": 5}}, "missing_field"),
        ({"kind": "medication", "details": {"drug": "a", "route": "by owl"}}, "bad_field"),
        ({"kind": "medication", "details": DRUG | {"size": 1}}, "unknown_field"),
        ({"kind": "infusion", "details": NORADRENALINE | {"rate": -1}}, "bad_field"),
        ({"kind": "infusion", "details": NORADRENALINE | {"rate": float("nan")}}, "bad_field"),
        ({"kind": "infusion", "details": NORADRENALINE | {"rate": True}}, "bad_field"),
        ({"kind": "infusion", "details": NORADRENALINE, "target": "MAP 75 to 65"}, "bad_target"),
        ({"kind": "infusion", "details": NORADRENALINE, "target": "luck 7"}, "bad_target"),
        ({"kind": "infusion", "text": "x", "target": {"parameter": "map"}}, "bad_target"),
        ({"kind": "infusion", "text": "x", "target": "SpO2 above 300"}, "bad_target"),
        ({"kind": "consult", "text": "x", "target": "MAP 65 to 75"}, "bad_target"),
        ({"kind": "ventilation", "details": {"fio2_percent": 2000}}, "bad_field"),
        ({"kind": "laboratory", "text": "x", "due_at": "noon"}, "bad_time"),
        ({"kind": "laboratory", "text": "x", "due_at": "2026-11-21T12:00:00"}, "bad_time"),
        ({"kind": "laboratory", "text": "x", "repeat": {"every_min": 0}}, "bad_repeat"),
        ({"kind": "diet", "text": "x", "repeat": {"every_min": 60, "times": -1}}, "bad_repeat"),
        ({"kind": "laboratory", "text": "x", "priority": "soon"}, "bad_priority"),
        ({"kind": "laboratory", "details": ["lactate"]}, "bad_details"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_order_is_refused_with_a_code_and_a_sentence(
    sent: dict[str, Any], code: str
) -> None:
    with pytest.raises(MessageError) as refused:
        wanted(sent, NOON)
    assert refused.value.code == code
    assert len(refused.value.reason) > 10


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 1, 1e9, float("nan"), "", "x", "MAP 65 to 75", "map 7", "2026-11-21T12:00:00Z",
     [], ["x"], {}, {"every_min": 60}, {"every_min": 60, "until": "x"}, {"drug": "x"},
     {"parameter": "map", "low": 65}, {"parameter": "map", "low": "x"}, {"mode": "PC"},
     {"drug": "x", "route": "iv", "dose": float("inf"), "dose_unit": "mg"}]
)  # fmt: skip


@given(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(sorted(KINDS))},
        optional={
            name: ODD for name in ("text", "details", "target", "priority", "due_at", "repeat")
        },
    )
)
def test_whatever_is_sent_is_an_order_or_an_error_in_words(sent: dict[str, Any]) -> None:
    try:
        made = wanted(sent, NOON)
    except MessageError:
        return
    assert made.text


def test_a_recurring_order_without_a_time_is_due_now() -> None:
    made = wanted({"kind": "laboratory", "text": "lactate", "repeat": {"every_min": 240}}, NOON)
    assert made.due_at == NOON
    assert made.plan.every_us == 240 * 60 * SECOND


def test_an_allergy_is_found_in_whatever_ending_the_drug_is_written() -> None:
    known = Known(allergies=("пенициллин", "latex"))
    findings = checked([order("medication", "цефтриаксон")], known)
    assert found(findings, "allergy") == ["clear"]  # classes of drugs are not known here
    findings = checked([order("medication", "Пенициллина натриевая соль")], known)
    assert found(findings, "allergy") == ["found"]
    assert found(checked([order("procedure", "Latex catheter")], known), "allergy") == ["found"]


@pytest.mark.parametrize(
    ("substance", "text", "state"),
    [
        ("пенициллин", "бензилпенициллина натриевая соль", "found"),
        ("Penicillin", "Phenoxymethylpenicillin 500 mg", "found"),
        ("ASA", "asa 100 mg", "found"),
        ("йод", "йодсодержащий контраст", "found"),
        ("йод", "найода нет", "clear"),
        ("latex", "paracetamol", "clear"),
    ],
)
def test_an_allergy_is_found_by_a_short_name_and_inside_a_longer_word(
    substance: str, text: str, state: str
) -> None:
    findings = checked([order("medication", text)], Known(allergies=(substance,)))
    assert found(findings, "allergy") == [state]


def test_nobody_asked_about_allergies_is_not_the_same_as_none_known() -> None:
    drug = order("medication", "cefazolin")
    assert found(checked([drug], Known()), "allergy") == ["unknown"]
    assert found(checked([drug], Known(none_known=True)), "allergy") == ["clear"]
    assert not asking(checked([order("imaging", "CT")], Known()))


def test_a_check_says_what_it_was_compared_with_also_when_nothing_was_found() -> None:
    known = Known(allergies=("latex",), open_orders=(("1", "infusion", "propofol"),))
    findings = checked([order("medication", "cefazolin")], known)
    against = {finding.check: finding.against for finding in findings}
    assert against == {"allergy": ("latex",), "duplicate": ("propofol",), "words": ()}


def test_the_same_drug_as_an_injection_and_an_infusion_is_a_duplicate() -> None:
    known = Known(none_known=True, open_orders=(("1", "infusion", "Noradrenaline"),))
    findings = checked([order("medication", "noradrenaline ")], known)
    assert found(findings, "duplicate") == ["found"]


@pytest.mark.parametrize(
    ("said", "open_order", "state"),
    [
        ("Норадреналин 0,1 мкг/кг/мин", "норадреналин 0,2 мкг/кг/мин", "found"),
        ("Noradrenaline 0.1 ug/kg/min", "Норадреналин 0,1 мкг/кг/мин", "found"),
        ("Adrenaline 1 mg", "Норадреналин 0,1 мкг/кг/мин", "clear"),
        ("Продолжить парацетамол 1 г", "Парацетамола 1 г в/в", "found"),
        ("Paracetamol 1 g iv", "Metamizole 1 g iv", "clear"),
        ("0.9 % saline: bolus", "0.9 % saline first litre", "found"),
        ("Continue metoprolol", "Continue aspirin", "clear"),
    ],
)
def test_a_drug_written_with_its_dose_in_words_is_compared_by_its_name(
    said: str, open_order: str, state: str
) -> None:
    known = Known(none_known=True, weight_kg=80, open_orders=(("1", "infusion", open_order),))
    findings = checked([order("medication", said)], known)
    assert found(findings, "duplicate") == [state]
    assert found(findings, "words") == ["not_compared"]  # and it says so


@pytest.mark.parametrize("said", ["0,1 мкг/кг/мин", "0.1 mcg/kg/min", "5 мг / кг", "2 mL/KG"])
def test_a_dose_by_weight_in_words_asks_for_the_weight(said: str) -> None:
    findings = checked([order("infusion", f"Добутамин {said}")], Known(none_known=True))
    assert found(findings, "weight") == ["unknown"]


@pytest.mark.parametrize(
    ("substance", "said"),
    [("Амоксициллин", "Амоксиклав 1,2 г"), ("адреналин", "Epinephrine 1 mg"),
     ("Noradrenaline", "норэпинефрин")],
)  # fmt: skip
def test_an_allergy_finds_a_name_that_begins_alike_and_the_same_drug_in_another_language(
    substance: str, said: str
) -> None:
    findings = checked([order("medication", said)], Known(allergies=(substance,)))
    assert found(findings, "allergy") == ["found"]


def test_the_items_of_one_set_are_not_taken_for_each_other() -> None:
    two = [Wanted("infusion", text, {}, item=n) for n, text in
           enumerate(["0.9 % saline: bolus", "0.9 % saline first litre"])]  # fmt: skip
    assert found(checked(two, Known(none_known=True)), "duplicate") == ["clear", "clear"]


def test_a_reason_is_for_the_findings_that_were_seen_and_for_no_other() -> None:
    drug = [order("medication", "DBLDRUG 1 g")]
    seen = [finding.digest for finding in asking(checked(drug, Known()))]
    assert unanswered(checked(drug, Known()), "", seen)
    assert not unanswered(checked(drug, Known()), "none by family", seen)
    twice = Known(open_orders=(("1", "medication", "DBLDRUG 1 g"),))
    allergic = Known(allergies=("DBLDRUG",))
    for by_then in (twice, allergic):
        assert unanswered(checked(drug, by_then), "none by family", seen)
    assert unanswered(checked(drug, Known()), "none by family", [])
    assert not unanswered(checked(drug, Known()), "", [], draft=True)
    assert unanswered(checked(drug, twice), "", [], draft=True)  # not written down twice


def test_two_of_the_same_in_one_signing_are_found() -> None:
    twice = [order("laboratory", "lactate"), order("laboratory", "Lactate")]
    assert found(checked(twice, Known()), "duplicate") == ["clear", "found"]


def test_a_dose_by_weight_asks_for_the_weight() -> None:
    drug = order("infusion", "noradrenaline", **NORADRENALINE)
    assert found(checked([drug], Known(none_known=True)), "weight") == ["unknown"]
    known = Known(none_known=True, weight_kg=80.0, weight_status="typed")
    assert found(checked([drug], known), "weight") == ["clear"]


@pytest.mark.parametrize("order_set", order_sets.ids())
@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_item_of_every_set_can_be_signed_as_it_is_shown(
    order_set: str, language: str
) -> None:
    shown = order_sets.as_json(order_set, language, None)
    items = [{"item": item["item"], "text": item["text"]} for item in shown["items"]]
    made = order_sets.signed(order_set, {"version": shown["version"], "items": items}, NOON)
    assert [each.text for each in made] == [item["text"] for item in shown["items"]]
    for each, item in zip(made, shown["items"], strict=True):
        minutes = item["due_min"]
        assert each.due_at == (NOON + minutes * 60 * SECOND if minutes is not None else 0)
        assert each.target is None or each.target["low"] == item["target"]["low"]


def test_nothing_of_a_set_is_ticked_beforehand_but_monitoring() -> None:
    for order_set in order_sets.ids():
        for item in order_sets.as_json(order_set, "en", None)["items"]:
            assert item["ticked"] == (item["type"] == "monitoring")


def test_what_the_physician_changed_is_what_is_ordered() -> None:
    version = order_sets.version("sepsis")
    item = {"item": 5, "text": "Noradrenaline 0.1", "due_min": 15,
            "target": {"parameter": "map", "low": 70, "high": 80}}  # fmt: skip
    [made] = order_sets.signed("sepsis", {"version": version, "items": [item]}, NOON)
    assert made.text == "Noradrenaline 0.1"
    assert made.due_at == NOON + 15 * 60 * SECOND
    assert made.target is not None
    assert made.target["high"] == 80


@pytest.mark.parametrize(
    ("order_set", "sent"),
    [
        ("sepsis", {"version": "old", "items": [{"item": 0}]}),
        ("sepsis", {"items": [{"item": 0}]}),
        ("sepsis", {"version": order_sets.version("sepsis"), "items": []}),
        ("sepsis", {"version": order_sets.version("sepsis"), "items": [{"item": 99}]}),
        ("sepsis", {"version": order_sets.version("sepsis"), "items": [{"item": True}]}),
        ("sepsis", {"version": order_sets.version("sepsis"), "items": ["0"]}),
    ],
)  # fmt: skip
def test_a_changed_set_or_an_item_that_is_not_of_it_is_refused(
    order_set: str, sent: dict[str, Any]
) -> None:
    with pytest.raises(MessageError):
        order_sets.signed(order_set, sent, NOON)


@pytest.mark.parametrize(
    ("words", "born", "offered"),
    [
        ("MAP 65 to 75", "1960-01-01", {("map_low", 65.0), ("map_high", 75.0)}),
        ("MAP above 60", "1960-01-01", set()),  # it holds already
        ("SpO2 88 to 92", "1960-01-01", {("spo2_low", 88.0), ("spo2_high", 92.0)}),
        ("HR below 110", "1960-01-01", set()),
    ],
)
def test_a_goal_for_map_or_spo2_offers_the_alarm_limits_and_no_other(
    words: str, born: str, offered: set[tuple[Any, ...]]
) -> None:
    found = offers.offers(order_targets.checked(words), born, NOON)
    keys = {(each.rule, each.offered) for each in found}
    assert keys == {each[:2] for each in offered}
    assert all(not RULES[each.rule].latching for each in found)
    for each in found:
        assert each.now is None or each.now != each.offered


def test_a_set_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound):
        order_sets.signed("luck", {"version": "", "items": [{"item": 0}]}, NOON)


@pytest.mark.parametrize(
    "sent",
    [
        {"kind": []},
        {"kind": "diet", "text": "x", "priority": ["stat"]},
        {"kind": "diet", "details": {"diet": "x", "energy_kcal": 10**400}},
        {"kind": "nursing", "text": "x", "target": {"parameter": "map", "low": 10**400}},
        {"kind": "nursing", "text": "x", "target": "MAP 65" + " " * 50_000 + "x"},
    ],
)
def test_what_is_of_the_wrong_kind_or_size_is_answered_in_words(sent: dict[str, Any]) -> None:
    with pytest.raises(MessageError):
        wanted(sent, 0)


INFUSION = Wanted(
    "infusion", "noradrenaline, 0.1 ug/kg/min", NORADRENALINE | {"max_rate": 0.5},
    {"parameter": "map", "low": 65.0, "high": None, "unit": "mm[Hg]"},
)  # fmt: skip


def test_another_rate_keeps_what_was_before() -> None:
    made, changed = adjusting.adjusted(INFUSION, {"rate": 0.2}, NOON)
    assert made.details["rate"] == 0.2
    assert made.target == INFUSION.target
    assert (changed["before"]["rate"], changed["after"]["rate"]) == (0.1, 0.2)
    assert "0.2 ug/kg/min" in made.text
    goal, changed = adjusting.adjusted(INFUSION, {"target": "MAP 70 to 80"}, NOON)
    assert goal.details == INFUSION.details
    assert changed["before"]["target"]["low"] == 65
    words = Wanted("infusion", "Норадреналин 0,1 мкг/кг/мин", {})
    made, changed = adjusting.adjusted(words, {"text": "Норадреналин 0,2 мкг/кг/мин"}, NOON)
    assert changed["before"] == {"text": "Норадреналин 0,1 мкг/кг/мин"}


@pytest.mark.parametrize(
    ("order", "sent", "code"),
    [
        (INFUSION, {"rate": 0.6}, "above_max"),
        (INFUSION, {"rate": 0.1}, "no_change"),
        (INFUSION, {}, "no_change"),
        (INFUSION, {"rate": "x"}, "bad_field"),
        (Wanted("infusion", "x", {}), {"rate": 1}, "words_only"),
        (Wanted("laboratory", "x", {}), {"text": "y"}, "not_adjusted"),
    ],
)
def test_a_rate_that_cannot_be_is_refused_in_words(
    order: Wanted, sent: dict[str, Any], code: str
) -> None:
    with pytest.raises(MessageError) as refused:
        adjusting.adjusted(order, sent, NOON)
    assert refused.value.code == code
