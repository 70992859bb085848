"""docs/alarms.md says what the tables and the code say."""

from __future__ import annotations

import re

from hospital_ops.clinical.tables import table
from icu import technical
from icu.explained import cited, condition_words, rule_json
from icu.manual import manual
from icu.rules import BY_KEY, LIMIT_RULES, ROWS, limits_of, words
from tests.alarm_ward import START
from tests.house import ROOT


def test_the_manual_is_as_the_tables_are() -> None:
    written = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")
    assert written == manual(), "run: python -m icu.manual > docs/alarms.md"


def test_the_manual_names_every_rule() -> None:
    page = manual()
    missing = [row["id"] for row in table("alarms")["rules"] if f"`{row['id']}`" not in page]
    assert not missing


def test_what_rings_has_words_in_both_languages() -> None:
    ringing = {each.rule.id for each in LIMIT_RULES} | {
        "no_data", "silent_sensor", "spo2_sensor_off", "signal_poor", "line_damped", "implausible",
        "nibp_overdue", "clock_offset", "unbound_device", "second_sender", "monitoring_paused",
        "limits_missing", "limits_missing_age", "device_alarm",
    }  # fmt: skip
    for rule in sorted(ringing):
        for language in ("en", "ru"):
            assert words(rule, language) != rule, f"{rule} has no words in {language}"
        assert words(rule, "en") != words(rule, "ru")


def test_every_limit_rule_of_the_table_that_is_on_is_read() -> None:
    numeric = {
        row["id"]
        for row in table("alarms")["rules"]
        if row["default"] == "on" and row["limits"] and row["kind"] == "physiological"
    }
    assert numeric - {each.rule.id for each in LIMIT_RULES} == {"asystole", "vf", "vt"}
    assert len(BY_KEY) == len(LIMIT_RULES)


def test_an_explanation_names_the_limit_and_its_source() -> None:
    told = rule_json("map_low", "76214-6", "1960-01-01", START)
    assert (told["limit"], told["age_band"], told["delay_s"]) == (60.0, "adult", 5.0)
    assert "Mindray" in told["limit_source"]
    unknown = rule_json("map_low", "76214-6", "", START)
    assert unknown["limit"] is None


def test_no_limit_holds_for_a_code_without_rules() -> None:
    assert limits_of("3150-0", "adult", 40) == ()
    assert technical.Held("no_data").about == ""


def test_a_russian_page_says_in_russian_where_each_limit_comes_from() -> None:
    names = {"codes", "json", "observation", "classes", "unbound", "device", "md"}
    sources = {row["source"] for row in ROWS.values() if row["source"]} | {
        limit["source"]
        for row in ROWS.values()
        for limit in (row["limits"] or {}).values()
        if limit and limit.get("source")
    }
    assert len(sources) > 50
    for source in sources:
        left = set(re.findall(r"(?<![A-Za-z])[a-z]{2,}", cited(source, "ru"))) - names
        assert not left, f"{source}: {sorted(left)} stays English"
        assert "default_limits" not in cited(source, "en")


def test_a_russian_page_says_in_russian_when_a_rule_holds() -> None:
    here = {each.rule.id for each in LIMIT_RULES} | {"asystole", "vf", "vt", "device_alarm"}
    for rule in sorted(here):
        said = condition_words(rule, "ru")
        assert re.search("[а-я]", said), rule
        assert said != condition_words(rule, "en")
