"""Orders, goals and order sets in Russian: every number stays, units and ways are the ward's."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from hospital_ops.clinical.tables import table
from hospital_ops.errors import MessageError
from icu import order_sets, order_targets
from web.views.orderwords import goal, plain_units
from web.words import words_of

RU, EN = words_of("ru"), words_of("en")
HOUSE: dict[str, Any] = json.loads(files("icu").joinpath("order_sets_ru.json").read_text("utf-8"))
ITEMS = [item for one in table("order_sets")["sets"] for item in one["items"]]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("noradrenaline, 0.1 ug/kg/min, MAP 65–75 mm[Hg]",
         "noradrenaline, 0,1 мкг/кг/мин, АД ср 65–75 мм рт. ст."),
        ("Цефтриаксон, 2 g, iv", "Цефтриаксон, 2 г, в/в"),
        ("Парацетамол 1 g iv", "Парацетамол 1 г в/в"),
        ("Инсулин, 0.05–0.1 U/kg/h, ≤ 6 U/h", "Инсулин, 0,05–0,1 ЕД/кг/ч, ≤ 6 ЕД/ч"),
        ("FiO2 40 %, PEEP 8 cm[H2O], f 16 /min", "FiO2 40 %, PEEP 8 см вод. ст., f 16 /мин"),
        ("Гидрокортизон 50 mg, inhaled", "Гидрокортизон 50 мг, ингаляционно"),
        ("NaCl 0.9 %, 4.5 mL/kg", "NaCl 0,9 %, 4,5 мл/кг"),
        # What somebody typed is not read as what it is not.
        ("Витамин B12, 2.5.2026 в 10.30", "Витамин B12, 2.5.2026 в 10.30"),
        ("Консультация po протоколу", "Консультация po протоколу"),
        ("5 gloves, 3 Ursofalk", "5 gloves, 3 Ursofalk"),
    ],
)  # fmt: skip
def test_a_line_keeps_its_numbers_and_has_the_units_of_the_ward(written: str, said: str) -> None:
    assert plain_units(written, RU) == said


def test_in_english_a_line_stays_as_it_was_written_but_for_units_that_no_ward_says() -> None:
    assert plain_units("X, 0.1 ug/kg/min, 2 g, iv", EN) == "X, 0.1 µg/kg/min, 2 g, iv"


def test_goals_say_mean_and_systolic_apart_and_have_their_units() -> None:
    mean = {"parameter": "map", "low": 65.0, "high": 75.0, "unit": "mm[Hg]"}
    assert goal(mean, RU) == "АД ср 65–75 мм рт. ст."
    assert goal(mean, EN) == "MAP 65–75 mmHg"
    urine = {"parameter": "urine", "low": 0.5, "high": None, "unit": "mL/kg/h"}
    assert goal(urine, RU) == "диурез ≥ 0,5 мл/кг/ч"
    for item in ITEMS:
        if item["target"]:
            said = goal(item["target"], RU)
            assert re.search("[А-Яа-яЁё]|RASS|SpO|CO", said.partition(" ")[0]), said


def test_a_goal_of_a_pressure_that_may_be_mean_or_systolic_is_asked_about() -> None:
    with pytest.raises(MessageError) as refused:
        order_targets.checked("САД 65 до 75")
    assert refused.value.code == "ambiguous_target"
    for text, parameter in (("АД ср 65-75", "map"), ("АД сист. выше 90", "sbp")):
        found = order_targets.checked(text)
        assert found is not None
        assert found["parameter"] == parameter


def test_what_the_table_says_in_english_only_is_said_in_russian_with_every_number() -> None:
    english = {table("order_sets")["population"]}
    english |= {item["when"] for item in ITEMS if item.get("when")}
    doses = [item["dose_rule"] for item in ITEMS if item["dose_rule"]]
    english |= {dose[name] for dose in doses for name in ("rule", "needs") if dose.get(name)}
    assert english == set(HOUSE["words"])
    for said, russian in HOUSE["words"].items():
        numbers = [one.replace(".", ",") for one in re.findall(r"\d+(?:\.\d+)?", said)]
        assert re.findall(r"\d+(?:,\d+)?", russian) == numbers, said


def test_texts_of_the_table_that_call_two_pressures_by_one_name_are_told_apart() -> None:
    unclear = {item["text"]["en"] for item in ITEMS if "САД" in item["text"]["ru"]}
    assert unclear == set(HOUSE["items"])
    for said, russian in HOUSE["items"].items():
        assert ("АД ср" in russian) == ("MAP" in said)
        assert ("АД сист." in russian) == ("SBP" in said)
        kept = {item["text"]["en"]: item["text"]["ru"] for item in ITEMS}[said]
        assert re.findall(r"\d+", russian) == re.findall(r"\d+", kept)


def test_the_english_of_the_table_stays_beside_the_russian() -> None:
    shown = order_sets.as_json("sepsis", "ru", None)
    ruled = [item for item in shown["items"] if item["dose_rule"]]
    assert ruled[0]["dose_rule"]["rule"] == "не менее 30 мл/кг за первые 3 ч"
    assert ruled[0]["dose_rule"]["rule_in_table"] == "at least 30 mL/kg in the first 3 h"
    assert shown["population"].startswith("взрослые")
