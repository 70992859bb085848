"""Beats, fibrillation and infarction in excerpts of real recordings, where they are at hand."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.ecg_sets import beat_records, counted, ludb_words
from hospital_ops.ecg.beats import detect
from hospital_ops.ecg.files.reading import read
from hospital_ops.ecg.rhythm import LETHAL, UnitRhythm
from hospital_ops.ecg.twelve import analyse

RECORDINGS = Path(
    os.environ.get("HOSPITAL_OPS_RECORDINGS", Path(__file__).parents[3] / "shared" / "data")
)


@pytest.mark.parametrize("name", ["ludb", "nstdb_118_excerpt"])
def test_beats_of_recorded_hearts_are_where_people_labelled_them(name: Any) -> None:
    right = extra = missed = 0
    for record in beat_records(name):
        found = counted(record, detect(record.lead, record.rate_hz))
        right, extra, missed = right + found[0], extra + found[1], missed + found[2]
    least = 0.99 if name == "ludb" else 0.9
    assert 2 * right >= least * (2 * right + extra + missed)


def test_a_recorded_fibrillation_sounds_within_ten_seconds() -> None:
    path = RECORDINGS / "cudb" / "cu01"
    if not path.with_suffix(".hea").is_file():
        return
    recording, onset_s = read(path), 53541 / 250
    rate = recording.rate_hz
    low, high = round((onset_s - 40) * rate), round((onset_s + 12) * rate)
    lead = np.nan_to_num(next(iter(recording.leads.values())))[None, low:high]
    found = UnitRhythm(rate).push(lead)[0]
    lethal = [each.at_s for each in found if set(each.codes) & set(LETHAL)]
    assert lethal
    assert 40 <= lethal[0] <= 50


@pytest.mark.parametrize(("name", "flagged"), [("21", True), ("64", True), ("135", False)])
def test_recorded_infarction_is_flagged_and_a_healthy_heart_is_not(name: Any, flagged: Any) -> None:
    path = RECORDINGS / "ludb" / name
    if not path.with_suffix(".hea").is_file():
        return
    age, sex, _ = ludb_words(path)
    recording = read(path)
    answer = analyse(dict(recording.leads), recording.rate_hz, age_years=age, sex=sex)
    found = {each["code"] for each in answer["findings"] if each["state"] == "found"}
    assert bool(found & {"stemi_criteria", "acute_ischaemia"}) == flagged
