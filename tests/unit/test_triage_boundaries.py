"""Every limit that stands in a table of triage holds exactly where it is printed."""

from __future__ import annotations

from typing import Any

import pytest

from hospital_ops.clinical import news2
from hospital_ops.clinical.bands import Bands
from hospital_ops.clinical.bounds import BOUNDS
from hospital_ops.clinical.tables import own, table
from triage import age, chart, net
from triage.engine import assess

WELL: dict[str, Any] = {
    "hr_bpm": 80,
    "rr_bpm": 16,
    "temp_c": 37.0,
    "spo2_pct": 98,
    "avpu": "A",
    "sbp_mmhg": 124,
    "dbp_mmhg": 70,
    "on_oxygen": False,
}
CHILDREN = {
    0.75: {"hr_bpm": 130, "rr_bpm": 37},
    3: {"hr_bpm": 105, "rr_bpm": 28},
    8: {"hr_bpm": 90, "rr_bpm": 20},
}


def patient(years: float = 40, **vitals: Any) -> dict[str, Any]:
    return {
        "age_years": years,
        "signs": [],
        "vitals": {**WELL, **CHILDREN.get(years, {}), **vitals},
    }


NEWS2_BANDS = {
    "rr_bpm": news2.RR,
    "spo2_scale1_pct": news2.SPO2_SCALE_1,
    "spo2_scale2_pct_on_air": news2.SPO2_SCALE_2_AIR,
    "spo2_scale2_pct_on_oxygen": news2.SPO2_SCALE_2_OXYGEN,
    "sbp_mmhg": news2.SBP,
    "hr_bpm": news2.HR,
    "temp_c": news2.TEMPERATURE,
}


@pytest.mark.parametrize("name", NEWS2_BANDS)
def test_news2_points_change_exactly_at_the_printed_edges(name: str) -> None:
    bands: Bands = NEWS2_BANDS[name]
    rows = table("news2")["params"][name]
    step = 0.1 if name == "temp_c" else 1
    for row, below, above in zip(rows, [None, *rows], [*rows[1:], None], strict=False):
        for edge in (row["min"], row["max"]):
            if edge is not None:
                assert bands(edge) == row["score"]
        if below is not None:
            assert bands(row["min"] - step) == below["score"]
        if above is not None:
            assert bands(row["max"] + step) == above["score"]


def test_news2_rounds_to_the_printed_resolution_before_it_scores() -> None:
    assert news2.RR(20.4) == 0
    assert news2.RR(20.5) == 2
    assert news2.TEMPERATURE(38.04) == 0
    assert news2.TEMPERATURE(38.05) == 1


STEP_3 = [(40.0, limit) for limit in chart.ADULT_LIMITS] + [
    (years, limit) for years in CHILDREN for limit in chart.limits_at(age.from_years(years))
]


@pytest.mark.parametrize(("years", "limit"), STEP_3, ids=str)
def test_a_step_3_vital_is_abnormal_only_beyond_its_limit(
    years: float, limit: chart.Limits
) -> None:
    step = BOUNDS[limit.key].resolution
    code = f"vital_{limit.key}"
    for edge, side in ((limit.low, -1), (limit.high, 1)):
        if edge is None:
            continue
        at = assess(patient(years, **{limit.key: edge}))
        beyond = assess(patient(years, **{limit.key: round(edge + side * step, 1)}))
        assert code not in [reason["code"] for reason in at.reasons]
        reason = next(reason for reason in beyond.reasons if reason["code"] == code)
        assert reason["threshold"] == f"{'<' if side < 0 else '>'}{edge:g}"
        assert chart.RANK[beyond.colour] >= chart.RANK["yellow"]
        assert beyond.review_required


@pytest.mark.parametrize("years", [40.0, *CHILDREN])
def test_every_tick_of_a_chart_gives_the_colour_it_is_printed_under(years: float) -> None:
    rows = table("iitt")["adult" if years >= 12 else "child"]
    for colour in ("red", "yellow"):
        for row in rows[colour]:
            if "rule" in row:
                continue
            found = assess({**patient(years), "signs": [row["id"]]})
            assert found.colour == colour, row["id"]
            assert row["id"] in found.criteria


def test_pregnancy_criteria_are_red_on_both_charts() -> None:
    for row in table("iitt")["adult"]["red_pregnant"]:
        signs = [] if "rule" in row else [row["id"]]
        vitals = {"sbp_mmhg": 160} if "rule" in row else {}
        adult = assess({**patient(28, **vitals), "signs": signs, "pregnant": True})
        child = assess({**patient(8, **vitals), "signs": signs, "pregnant": True})
        assert (adult.colour, adult.criteria) == ("red", [row["id"]])
        assert (child.colour, child.criteria) == ("red", ["pregnant_adult_red"])


@pytest.mark.parametrize(
    ("hr", "colour"),
    [
        (49, "red"),
        (50, "yellow"),
        (59, "yellow"),
        (60, "green"),
        (130, "green"),
        (131, "yellow"),
        (150, "yellow"),
        (151, "red"),
    ],
)
def test_the_two_heart_rate_bands_of_adults_are_not_confused(hr: int, colour: str) -> None:
    assert assess(patient(hr_bpm=hr)).colour == colour


@pytest.mark.parametrize(
    ("years", "limit"),
    [(0.01, 60), (0.5, 70), (1, 72), (5, 80), (9, 88), (9.9, 88), (10, 90), (15, 90)],
)
def test_low_pressure_of_a_child_is_caught_below_the_limit_of_its_age(
    years: float, limit: int
) -> None:
    def codes(pressure: int) -> list[str]:
        found = assess({"age_years": years, "signs": [], "vitals": {"sbp_mmhg": pressure}})
        return [reason["code"] for reason in found.net_reasons]

    assert "child_hypotension" not in codes(limit)
    assert "child_hypotension" in codes(limit - 1)
    assert net.hypotension_limit(age.from_years(16)) is None


@pytest.mark.parametrize(("key", "low", "high"), net.MEWC)
def test_a_maternal_criterion_fires_only_beyond_its_limit(
    key: str, low: float | None, high: float | None
) -> None:
    for edge, side in ((low, -1), (high, 1)):
        if edge is None:
            continue
        inputs = {**patient(28), "pregnant": True}
        for value, expected in ((edge, 0), (edge + side, 1)):
            found = assess({**inputs, "vitals": {**inputs["vitals"], key: value}})
            assert sum(r["code"] == "mewc" for r in found.net_reasons) == expected


def test_news2_moves_the_proposal_but_never_the_chart() -> None:
    found = assess(patient(sbp_mmhg=80))
    assert (found.colour, found.net_colour, found.proposed) == ("green", "yellow", "yellow")
    assert found.review_required


def test_every_code_a_page_may_show_has_words_in_both_languages() -> None:
    iitt = table("iitt")
    codes = {row["id"] for row in iitt["signs"]}
    for name in ("adult", "child"):
        for group in ("red", "red_pregnant", "yellow"):
            codes |= {row["id"] for row in iitt[name].get(group, ())}
    codes |= {row["id"] for row in table("safety_net")["rules"]}
    codes |= {f"vital_{key}" for key in (*chart.STEP_3_KEYS, "avpu")} | {"incomplete"}
    words = own("words")
    assert not codes - set(words)
    assert all(entry["en"] and entry["ru"] for entry in words.values())


def test_a_rule_without_a_source_or_a_limit_is_off() -> None:
    for row in table("safety_net")["rules"]:
        if row.get("limit", 0) is None:
            assert row["id"] not in net.ON
