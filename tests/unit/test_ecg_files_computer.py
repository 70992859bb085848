"""The computer's reading of a case's ECG: findings with their leads, and never a fault."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hospital_ops import wire
from hospital_ops.ecg import synthetic
from hospital_ops.ecg.computer import found, read_by_computer
from hospital_ops.ecg.files.recording import EcgRecording


def recorded(leads: dict[str, list[int]], rate_hz: float = 500) -> EcgRecording:
    return EcgRecording(
        leads={name: np.array(values) / 1000 for name, values in leads.items()},
        rate_hz=rate_hz,
        started_at=None,
        device="",
        ids={},
        source_format="samples",
    )


def test_an_infarction_is_found_with_its_leads_and_fits_the_wire() -> None:
    leads = synthetic.twelve_leads(84, pattern="anterior_stemi", seed=3)
    reading = read_by_computer(recorded(leads), {"age_years": 61, "sex": "F"})
    assert "stemi_criteria" in found(reading)
    evidence = next(one for one in reading["findings"] if one["code"] == "stemi_criteria")
    assert {"V2", "V3"} <= {mark["lead"] for mark in evidence["evidence"]}
    assert wire.from_json(wire.to_json(reading)) == reading


@pytest.mark.parametrize(
    ("facts", "read"),
    [
        ({"age_years": 6}, False),
        ({"age_days": 3}, False),
        ({"age_band": "lt8d"}, False),
        ({"age_band": "lt2m"}, False),
        ({"age_band": "lt12y", "age_sub_band": "5to11y"}, False),
        ({"age_band": "12to50y"}, False),
        ({"age_band": "12to50y", "adult": True}, True),
        ({"age_band": "gt50y"}, True),
        ({"age_band": "lt12y", "age_years": 40}, True),  # the exact age wins
    ],
)
def test_nothing_is_said_of_st_under_18_nor_where_the_estimated_age_may_be_under_18(
    facts: dict[str, Any], read: bool
) -> None:
    leads = synthetic.twelve_leads(84, pattern="anterior_stemi", seed=3)
    reading = read_by_computer(recorded(leads), facts)
    assert ("stemi_criteria" in found(reading)) == read
    assert not set(found(reading)) & {"acute_ischaemia", "lbbb_sgarbossa"}
    assert reading["read_for"] == facts


@pytest.mark.parametrize(("low_cut_hz", "read"), [(None, True), (0.05, True), (0.5, False)])
def test_nothing_is_said_of_st_behind_a_monitors_filter(
    low_cut_hz: float | None, read: bool
) -> None:
    leads = synthetic.twelve_leads(84, pattern="anterior_stemi", seed=3)
    recording = replace(recorded(leads), low_cut_hz=low_cut_hz)
    reading = read_by_computer(recording, {"age_years": 61, "sex": "F"})
    assert ("stemi_criteria" in found(reading)) == read
    said = {one["code"]: one for one in reading["findings"]}
    assert ("monitor filter" in said["stemi_criteria"]["text"]) != read


def test_a_healthy_heart_has_no_infarction_and_nothing_is_excluded() -> None:
    reading = read_by_computer(recorded(synthetic.twelve_leads(72, seed=3)), {})
    assert "stemi_criteria" not in found(reading)
    assert all("not" in one["text"] for one in reading["findings"] if one["state"] != "found")


@pytest.mark.parametrize(
    "leads",
    [
        {"X": [0] * 5000},
        {"I": [0] * 5000},
        {"I": [0, 1]},
        {"I": [7] * 5000, "II": [7] * 5000},
    ],
)
def test_what_cannot_be_read_by_a_computer_says_so(leads: dict[str, list[int]]) -> None:
    reading = read_by_computer(recorded(leads), {"age_years": "old", "sex": 7})
    assert not found(reading)
    assert "failed" in reading or reading["quality"]


def test_a_lead_that_was_off_does_not_stop_the_reading() -> None:
    recording = recorded(synthetic.twelve_leads(72, seed=3))
    recording.leads["V6"][:] = np.nan
    assert "failed" not in read_by_computer(recording, {"age_days": 9000})
