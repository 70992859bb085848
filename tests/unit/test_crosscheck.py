"""The cross-check speaks, and silences nothing; where it doubts, it says so."""

from __future__ import annotations

import csv
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.ktas import recordings
from benchmarks.live_rhythm import facts_at
from hospital_ops.wire import Verdict, Witness
from icu.crosscheck import CHECKED, DOUBTFUL, FALSE, NO_WITNESS, STANDS, may_silence, verdict
from icu.rules import RULES
from tests.curves import ECG_II, PLETH, PLETH_RATE, CurveWard, heart, still
from web.views.alarmcheck import verdict_text
from web.words import words_of


def pulse(rate: float, gap_s: float = 0.9, quality: str = "good", **more: Any) -> Witness:
    given: dict[str, Any] = {"slowest_per_min": rate - 3, "fastest_per_min": rate + 3, **more}
    return Witness(more.pop("source", "pleth"), quality, rate, gap_s, **given)


def lead(alike: float, quality: str = "good") -> Witness:
    return Witness("131330", quality, 75.0, 0.9, alike=alike)


def word(
    rule: str, *witnesses: Witness, value: float | None = None, limit: float | None = None
) -> str:
    found = verdict(rule, value, limit, witnesses)
    return found.word if found else ""


def test_a_regular_pulse_makes_a_standstill_doubtful_to_the_reader_and_no_pulse_does_not() -> None:
    assert word("asystole", pulse(72)) == FALSE
    assert word("asystole", pulse(72, gap_s=5.0)) == STANDS
    assert word("asystole", pulse(72, quality="poor")) == DOUBTFUL
    assert word("asystole", pulse(72), Witness("abp", "poor")) == DOUBTFUL
    assert word("asystole", pulse(72), Witness("abp", "good", 70.0, 5.0)) == STANDS
    assert word("asystole", Witness("pr", "good", 72.0)) == DOUBTFUL  # it may be an old count
    assert word("asystole") == NO_WITNESS


def test_fibrillation_is_never_cross_checked_for_compressions_look_like_a_pulse() -> None:
    assert verdict("vf", None, None, [pulse(72)]) is None


def test_a_tachycardia_from_the_chambers_needs_calm_beats_and_an_unchanged_pulse() -> None:
    calm = pulse(75, unchanged=0.95)
    assert word("vt", lead(0.95), calm) == FALSE
    assert word("vt", lead(0.95)) == NO_WITNESS
    assert word("vt", lead(0.3), calm) == DOUBTFUL
    assert word("vt", lead(0.95), lead(0.95, "poor"), calm) == DOUBTFUL
    assert word("vt", lead(0.95), pulse(75, unchanged=0.4)) == STANDS


@pytest.mark.parametrize(
    ("rule", "value", "limit", "rate", "expected"),
    [
        ("brady_extreme", 30, 40, 72, FALSE),
        ("brady_extreme", 30, 40, 31, STANDS),
        ("tachy_extreme", 170, 140, 84, DOUBTFUL),  # each second beat without a pulse
        ("tachy_extreme", 170, 140, 110, FALSE),
        ("tachy_extreme", 170, 140, 168, STANDS),
    ],
)
def test_extreme_rates_are_held_against_the_pulse(
    rule: str, value: float, limit: float, rate: float, expected: str
) -> None:
    assert word(rule, pulse(rate), value=value, limit=limit) == expected


@given(
    rule=st.sampled_from(sorted(RULES)),
    said=st.sampled_from([FALSE, DOUBTFUL, STANDS, NO_WITNESS]),
    sources=st.integers(0, 3),
    enabled=st.booleans(),
    device=st.booleans(),
    documented=st.none()
    | st.frozensets(st.sampled_from(["iabp", "ecmo", "lvad", "pacing", "compressions", "other"])),
)
def test_silencing_is_possible_under_no_condition_that_forbids_it(
    rule: str,
    said: str,
    sources: int,
    enabled: bool,
    device: bool,
    documented: frozenset[str] | None,
) -> None:
    allowed = may_silence(
        rule, Verdict(said, (), sources), enabled=enabled, device=device, documented=documented
    )
    forbidden = (
        device
        or not enabled
        or documented is None
        or documented & {"iabp", "ecmo", "lvad", "pacing", "compressions"}
        or said != FALSE
        or sources < 2
        or rule not in CHECKED
    )
    assert allowed is not bool(forbidden)


def test_a_false_standstill_rings_and_says_that_it_is_probably_false() -> None:
    ward = CurveWard()
    ward.play({ECG_II: heart(75, 20), PLETH: heart(75, 20, PLETH_RATE)})
    ward.play({ECG_II: still(10), PLETH: heart(75, 10, PLETH_RATE)})
    alarm = ward.alarms()["asystole"]
    assert (alarm.state, alarm.priority) == ("active", "high")
    assert ward.urgent
    assert alarm.verdict is not None
    assert alarm.verdict.word == FALSE
    told = [event for event in ward.told if event.rule == "asystole"]
    assert told[0].verdict is not None
    english = verdict_text(alarm.verdict, words_of("en"))
    assert english.startswith("Probably false: pleth: regular pulse, 75/min.")
    assert "It rings all the same" in english


def test_every_verdict_and_reason_has_words_in_both_languages() -> None:
    sources = [[pulse(75, unchanged=u, quality=q)] for u in (0.4, 0.9) for q in ("good", "poor")]
    sources += [[Witness("pr", "good", 75.0)], [pulse(75, 6.0)], []]
    leads = [[lead(0.9)], [lead(0.1)], []]
    for rule, some, others in itertools.product(CHECKED, sources, leads):
        for value, limit in ((30.0, 40.0), (150.0, 140.0)):
            found = verdict(rule, value, limit, [*some, *others])
            for language in ("en", "ru"):
                text = verdict_text(found, words_of(language))
                assert text
                assert "check." not in text


def test_no_recorded_true_alarm_would_have_been_called_probably_false() -> None:
    home = recordings() / "challenge2015_vt"
    with (home / "alarms.csv").open(encoding="utf-8") as lines:
        true = [row["record"] for row in csv.DictReader(lines) if row["true_alarm"] == "1"]
    assert true
    for record in true[:2]:
        found = verdict("vt", None, None, facts_at(home / record, 300.0, 30.0))
        assert found is not None
        assert found.word != FALSE
