"""Orders, reports and the sheet for paper speak the ward's language, units and values included."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops.board import BedCell, Shown
from hospital_ops.clock import SECOND, iso
from icu.rules import words as rule_words
from tests.unit.test_worklist import row
from web.render import Renderer
from web.views import handover, orders, wardsheet
from web.views.indicators import input_name
from web.views.values import Frame

NOW = 1_772_359_337 * SECOND
MAP = "76214-6"


def frame(language: str) -> Frame:
    return Renderer("UTC").frame(language, NOW)


@pytest.mark.parametrize(
    ("language", "goal"), [("en", "MAP 65–75 mmHg"), ("ru", "АД ср 65–75 мм рт. ст.")]
)
def test_a_goal_is_said_in_the_wards_words(language: str, goal: str) -> None:
    target = {"parameter": "map", "low": 65.0, "high": 75.0, "unit": "mm[Hg]", "text": "MAP 65"}
    shown = orders.order(row(1, 30, target=target, text="noradrenaline"), frame(language))
    assert shown.target == goal
    inside = orders.order(row(1, 30, text="noradrenaline, MAP 65–75 mm[Hg]"), frame(language))
    assert inside.text == f"noradrenaline, {goal}"


def test_a_report_in_russian_names_values_and_alarms_in_russian() -> None:
    value = {"code": "8867-4", "value": 90.0, "unit": "/min", "at": iso(NOW)}
    alarm = {
        "rule": "map_low", "words": rule_words("map_low"), "priority": "high", "number": 2,
        "first": iso(NOW), "last": iso(NOW),
    }  # fmt: skip
    theirs = alarm | {"rule": "device_alarm", "words": "** DESAT"}
    told: dict[str, Any] = {
        "stay": "s", "bed": "b", "person": dict.fromkeys(("family", "given", "mrn", "sex",
        "birth_date"), ""), "mode": "Test", "admitted_at": iso(NOW), "ended_at": None,
        "from": iso(NOW), "to": iso(NOW), "values": [value], "lowest": [],
        "alarms": [alarm, theirs], "orders": [], "care": [], "balance": {"in_ml": 5},
    }  # fmt: skip
    shown = handover.report(told, frame("ru"))
    assert shown["latest"][0]["name"] == "ЧСС"
    assert [one["text"] for one in shown["alarms"]] == [rule_words("map_low", "ru"), "** DESAT"]
    assert shown["balance"][0][1] == "5 мл"


@pytest.mark.parametrize(
    ("language", "said", "sofa"),
    [
        ("en", "Noradrenaline 0.1 µg/kg/min, MAP 65 mmHg", "≥4 ("),
        ("ru", "Noradrenaline 0,1 мкг/кг/мин, АД ср 65 мм рт. ст.", "≥4 ("),
    ],
)
def test_a_report_says_orders_in_the_wards_units_and_which_parts_of_sofa_are_missing(
    language: str, said: str, sofa: str
) -> None:
    order = {
        "kind": "infusion", "words": "Noradrenaline 0.1 ug/kg/min, MAP 65 mm[Hg]", "done": False,
        "held": False, "due_at": None, "changed_at": iso(NOW), "changed_by": "ray",
    }  # fmt: skip
    told: dict[str, Any] = {
        "stay": "s", "bed": "b", "person": dict.fromkeys(("family", "given", "mrn", "sex",
        "birth_date"), ""), "mode": "Test", "admitted_at": iso(NOW), "ended_at": None,
        "from": iso(NOW), "to": iso(NOW), "values": [], "lowest": [], "alarms": [],
        "orders": [order], "care": [],
        "sofa": {"value": 4, "total": 4, "state": "incomplete", "missing": ["platelets"]},
    }  # fmt: skip
    shown = handover.report(told, frame(language))
    assert shown["open"][0]["words"] == said
    assert shown["sofa"].startswith(sofa)
    assert input_name("platelets", frame(language).words) in shown["sofa"]
    assert handover.report(told | {"sofa": None}, frame(language))["sofa"] == ""


def test_the_sheet_for_paper_comes_in_both_languages() -> None:
    cell = BedCell("b", "1", None, {MAP: Shown(70.0, "mm[Hg]", NOW)})
    named = [wardsheet.sheet([cell], None, frame(one))[0]["measured"][0] for one in ("ru", "en")]
    assert [one["unit"] for one in named] == ["мм рт. ст.", "mmHg"]
    assert named[0]["name"] != named[1]["name"]
