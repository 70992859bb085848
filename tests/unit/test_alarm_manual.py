"""docs/alarms.md says what the tables and the code say."""

from __future__ import annotations

from hospital_ops.clinical.tables import table
from icu import technical
from icu.explained import rule_json
from icu.manual import manual
from icu.rules import BY_KEY, LIMIT_RULES, limits_of, words
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
