"""The banded scores change exactly at every edge their tables print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hospital_ops.clinical.bands import Bands, resolution_of
from hospital_ops.clinical.scores import SCORES, score
from hospital_ops.clinical.tables import own, table

VECTORS = Path(__file__).parents[1] / "vectors"


def tables() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    sources = {"mews": table("scores")["mews"], "apache2": table("scores")["apache2"]}
    sources |= {name: table("sats_tews")[name] for name in table("sats_tews")["versions"]}
    for source, rows in sources.items():
        for key, bands in rows.items():
            if isinstance(bands, list):
                found[f"{source}.{key}"] = bands
    return found


TABLES = tables()


@pytest.mark.parametrize("name", TABLES)
def test_points_change_exactly_at_the_printed_edges(name: str) -> None:
    rows = sorted(TABLES[name], key=lambda row: -1e9 if row["min"] is None else row["min"])
    step = resolution_of(rows)
    bands = Bands(rows, step, rounded=not name.startswith("apache2"))
    for place, row in enumerate(rows):
        if row["min"] is not None:
            assert bands(row["min"]) == row["score"]
            assert bands(round(row["min"] - step, 4)) == rows[place - 1]["score"]
        if row["max"] is not None:
            assert bands(row["max"]) == row["score"]
            assert bands(round(row["max"] + step, 4)) == rows[place + 1]["score"]


@pytest.mark.parametrize(("temp", "points"), [(38.45, 0), (38.5, 1), (38.99, 1), (39.0, 3)])
def test_apache_cuts_a_value_between_two_cells(temp: float, points: int) -> None:
    assert score("apache2_item", {"temp_c": temp})["points"] == points


def test_every_reason_of_every_score_has_words_in_both_languages() -> None:
    words = own("words")
    for name in SCORES:
        for text in (VECTORS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            for reason in score(name, json.loads(text)["inputs"])["reasons"]:
                assert reason["code"] in words, f"{name}: {reason['code']}"


def test_a_gcs_part_that_cannot_be_tested_gives_no_total() -> None:
    found = score("gcs", {"eye": 3, "verbal": "NT", "motor": 5})
    assert (found["total"], found["missing"]) == (None, ["verbal"])


def test_vasopressin_per_minute_needs_a_weight() -> None:
    assert score("vis", {"vasopressin_u_min": 0.02})["error"] == "missing_input"


def test_a_pressure_pair_that_cannot_be_is_refused() -> None:
    assert score("map", {"sbp_mmhg": 90, "dbp_mmhg": 95})["error"] == "implausible_pair"


def test_a_partial_news2_never_says_low_risk() -> None:
    found = score("news2", {"hr_bpm": 80})
    assert (found["total"], found["risk"], found["partial"]) == (0, None, True)
    assert score("news2", {"hr_bpm": 131, "rr_bpm": 25, "spo2_pct": 90})["risk"] == "high"


def test_no_news_passes_while_an_organ_known_yesterday_is_missing() -> None:
    before = {"resp": 3, "cv": 3}
    assert (
        score("dynamics", {"organs_prev": before, "organs_today": {"resp": 0}})["dynamics"]
        == "not_assessed"
    )
    dead = {"sofa_prev": 3, "sofa_today": 3, "death": True, "physician_confirmed": True}
    found = score("dynamics", dead)
    assert (found["dynamics"], found["sms_ready"]) == ("negative", False)
