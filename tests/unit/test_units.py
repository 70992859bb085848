"""Codes, units and ages: other spellings are understood, nothing is guessed."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops.codes import VITALS, ages, by_code, by_key, by_loinc, by_mdc
from hospital_ops.units import conversion, in_range, mdc_number, to_ucum

ALIASES = json.loads((files("hospital_ops") / "codes_aliases.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("spelled", "unit"),
    [
        ("mmHg", "mm[Hg]"),
        ("mm(hg)", "mm[Hg]"),
        ("мм рт.ст.", "mm[Hg]"),
        ("cmH2O", "cm[H2O]"),
        ("cmH₂O", "cm[H2O]"),
        ("°C", "Cel"),
        ("°С", "Cel"),  # the second is Cyrillic
        ("degF", "[degF]"),
        ("bpm", "/min"),
        ("{beat}/min", "/min"),
        ("breaths/min", "/min"),
        ("уд/мин", "/min"),
        ("264864", "/min"),
        ("0004-17a0", "Cel"),
        ("MDC_DIM_MMHG", "mm[Hg]"),
        ("mcg/kg/min", "ug/kg/min"),
        ("10^9/L", "10*9/L"),
        ("ml", "mL"),
    ],
)
def test_a_vendors_spelling_becomes_ucum(spelled: str, unit: str) -> None:
    assert to_ucum(spelled) == unit


@given(st.text(max_size=12))
def test_an_unknown_spelling_is_no_unit(text: str) -> None:
    unit = to_ucum(text)
    assert unit is None or to_ucum(unit) == unit


@pytest.mark.parametrize(
    ("key", "sent", "value", "expected"),
    [
        ("temp", "[degF]", 100.4, 38.0),
        ("temp", "K", 310.15, 37.0),
        ("etco2", "kPa", 5.0, 37.5031),
        ("peep", "mbar", 7.1, 7.24001),
        ("peep", "hPa", 10, 10.1972),
        ("hb", "g/L", 74, 7.4),
        ("glucose", "mg/dL", 180.16, 10.0),
        ("lactate", "mg/dL", 18.016, 2.0),
        ("bilirubin", "mg/dL", 2, 34.2),
        ("vt", "L", 0.45, 450),
        ("fio2", "1", 0.4, 40),
        ("platelets", "10*3/uL", 18, 18),
        ("k", "meq/L", 4.1, 4.1),
        ("norepinephrine", "mg/kg/min", 0.0001, 0.1),
        ("hr", "/min", 80.1, 80.1),
    ],
)
def test_values_are_converted_to_the_unit_of_the_table(
    key: str, sent: str | None, value: Any, expected: Any
) -> None:
    change = conversion(by_key[key], sent)
    assert change.problem == ""
    assert change.unit == by_key[key].ucum
    assert change(value) == pytest.approx(expected, rel=1e-5)


def test_creatinine_stays_in_the_unit_received_and_is_judged_by_the_tables_limits() -> None:
    change = conversion(by_key["creatinine"], "mg/dL")
    assert (change.unit, change(1.2)) == ("mg/dL", 1.2)
    assert change.to_table == 88.42


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("hr", "mm[Hg]"),
        ("temp", ""),
        ("glucose", ""),
        ("abp_sys", ""),
        ("etco2", "%"),
        ("temp", None),
    ],
)
def test_a_missing_unknown_or_impossible_unit_is_a_problem_in_words(
    key: str, sent: str | None
) -> None:
    assert conversion(by_key[key], sent).problem


@pytest.mark.parametrize("key", ["hr", "pr", "rr", "spo2"])
def test_a_unit_that_cannot_be_mistaken_may_be_missing(key: str) -> None:
    assert conversion(by_key[key], "").problem == ""


def test_every_row_of_the_table_has_a_known_unit_and_a_public_code() -> None:
    assert len(by_code) == len(VITALS) == len(by_key)
    for vital in VITALS:
        assert vital.code == (vital.loinc or vital.key)
        assert vital.reject_outside is None or in_range(
            vital.reject_outside[0], vital.reject_outside
        )
        if vital.plausible and vital.reject_outside:
            low, high = vital.plausible
            assert vital.reject_outside[0] <= low <= high <= vital.reject_outside[1]


def test_every_alias_names_its_source_and_a_row_of_the_table() -> None:
    for name in ("mdc", "ref_id", "loinc", "plain", "private"):
        for row in ALIASES[name]:
            assert row["source"]
            assert row["key"] in by_key
    apart = {row["code"] for row in ALIASES["apart"]}
    assert not apart & set(by_mdc)


def test_the_tables_notes_are_followed() -> None:
    assert {by_mdc[n].key for n in (149530, 149514, 149538)} == {"pr"}
    assert by_loinc["3150-6"].code == "3150-0"
    assert by_key["on_oxygen"].code == "on_oxygen"


def test_an_mdc_number_is_decimal_or_partition_and_term_in_hexadecimal() -> None:
    assert mdc_number("0002-4bb8") == 150456
    assert mdc_number("150456") == 150456
    assert mdc_number("１５０４５６") is None
    assert mdc_number("HR") is None


@pytest.mark.parametrize(
    ("code", "origin", "period_s", "expected"),
    [
        ("8867-4", "monitor", None, ("continuous", 5, 15)),
        ("8867-4", "monitor", 1, ("continuous", 5, 15)),
        ("8867-4", "monitor", 10, ("continuous", 30, 50)),
        ("8867-4", "typed", None, ("spot", 0, 0)),
        ("8480-6", "monitor", None, ("spot", 0, 0)),
        ("8480-6", "monitor", 300, ("cyclic", 450, 900)),
        ("8310-5", "monitor", 1, ("continuous", 5, 15)),
        ("8310-5", "monitor", 3600, ("cyclic", 5400, 10800)),
        ("2823-3", "laboratory", None, ("spot", 0, 0)),
        ("9269-2", "monitor", None, ("spot", 0, 0)),
        ("MASIMO_PVI", "monitor", None, ("continuous", 5, 15)),
    ],
)
def test_a_value_ages_by_its_class_and_origin(
    code: str, origin: str, period_s: float | None, expected: Any
) -> None:
    assert ages(code, origin, period_s) == expected
