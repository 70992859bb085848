"""Twelve leads: findings with evidence, and the many reasons not to speak of ST."""

import json
from typing import Any

import numpy as np
import pytest

from hospital_ops.clinical.ecg_rules import stemi_limit_mv
from hospital_ops.commands.ecg import main
from hospital_ops.ecg.quality import judge
from hospital_ops.ecg.synthetic import twelve_leads
from hospital_ops.ecg.twelve import analyse

RATE = 500
Leads = dict[str, np.ndarray[Any, Any]]


def leads(pattern: str = "sinus", per_min: int = 72) -> Leads:
    made = twelve_leads(per_min, 10, RATE, pattern)
    return {name: np.array(values) / 1000 for name, values in made.items()}


def finding(answer: dict[str, Any], code: str) -> dict[str, Any]:
    found = [each for each in answer["findings"] if each["code"] == code]
    assert found, f"{code} is not among {[each['code'] for each in answer['findings']]}"
    return dict(found[0])


def test_an_ordinary_ecg_has_ordinary_measures() -> None:
    answer = analyse(leads(), RATE, age_years=50, sex="M")
    measures = answer["measurements"]
    assert answer["quality"]["acceptable"]
    assert answer["rhythm"]["codes"] == ["sinus"]
    assert measures["heart_rate_per_min"] == pytest.approx(72, abs=3)
    assert 60 <= measures["qrs_ms"] <= 120
    assert 100 <= measures["pr_ms"] <= 220
    assert 300 <= measures["qt_ms"] <= 460
    assert -30 <= measures["axis_deg"] <= 90


def test_nothing_found_is_never_called_excluded() -> None:
    for pattern in ("sinus", "atrial_fibrillation"):
        for each in analyse(leads(pattern), RATE, age_years=50, sex="M")["findings"]:
            assert each["state"] in ("found", "not_found", "not_assessed")
            if each["state"] == "not_found":
                assert each["text"] == "not found, not excluded"


@pytest.mark.parametrize("pattern", ["anterior_stemi", "inferior_stemi"])
def test_raised_st_is_found_with_its_leads_times_and_millivolts(pattern: Any) -> None:
    found = finding(analyse(leads(pattern), RATE, age_years=50, sex="M"), "stemi_criteria")
    assert found["state"] == "found"
    for mark in found["evidence"]:
        assert 0 <= mark["time_s"] <= 10
        limit = stemi_limit_mv(mark["lead"], "M", 50)
        assert abs(mark["mv"]) >= limit - 0.001


def test_atrial_fibrillation_has_no_sinus() -> None:
    rhythm = analyse(leads("atrial_fibrillation"), RATE, age_years=50, sex="M")["rhythm"]
    assert "sinus" not in rhythm["codes"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reduced": "monitor filter"}, "monitor filter"),
        ({"age_years": 12}, "under 18"),
    ],
)
def test_st_is_not_assessed_where_it_would_mislead(change: Any, words: Any) -> None:
    given = {"age_years": 50, "sex": "M"} | change
    found = finding(analyse(leads("anterior_stemi"), RATE, **given), "stemi_criteria")
    assert found["state"] == "not_assessed"
    assert words in found["text"]


def scarred(*, tall: bool) -> Leads:
    """QS in V1 to V3 with a raised plateau; `tall`: with the voltage of a thick heart."""
    made, times = leads("anterior_stemi"), np.arange(10 * RATE) / RATE
    beats = times[np.flatnonzero(np.diff((made["II"] > 0.6).astype(int)) == 1)]

    def bells(after_s: float, width_s: float) -> np.ndarray[Any, Any]:
        offsets = times[:, None] - beats[None, :] - after_s
        return np.asarray(np.exp(-((offsets / width_s) ** 2) / 2).sum(axis=1))

    for name in ("V1", "V2", "V3"):
        made[name] = (-2.6 if tall else -1.5) * bells(0.02, 0.018) + 0.35 * bells(0.16, 0.07)
    for name in ("V5", "V6") if tall else ():
        made[name] = leads()[name] + 2.5 * bells(0.02, 0.012)
    return made


def test_no_infarction_is_read_into_a_thick_heart_swapped_leads_or_few_samples() -> None:
    told: dict[str, Any] = {"age_years": 50, "sex": "M"}
    plain = analyse(scarred(tall=False), RATE, **told)
    assert finding(plain, "acute_ischaemia")["state"] == "found"
    thick = analyse(scarred(tall=True), RATE, **told)
    assert finding(thick, "lvh_voltage")["state"] == "found"
    slow = {name: curve[::3] for name, curve in scarred(tall=False).items()}
    swapped = scarred(tall=False)
    swapped |= {"I": -swapped["I"], "II": swapped["III"], "III": swapped["II"]}
    swapped |= {"aVR": -(swapped["I"] + swapped["II"]) / 2}
    for answer in (thick, analyse(slow, RATE / 3, **told), analyse(swapped, RATE, **told)):
        assert finding(answer, "stemi_criteria")["state"] == "not_assessed"
        assert "acute_ischaemia" not in [each["code"] for each in answer["findings"]]


def test_leads_whose_gains_disagree_are_not_judged_in_millivolts() -> None:
    wrong = leads("anterior_stemi")
    wrong["II"] = wrong["II"] * 2
    found = finding(analyse(wrong, RATE, age_years=50, sex="M"), "stemi_criteria")
    assert found["state"] == "not_assessed"
    assert "gains" in found["text"]


def test_exchanged_arm_electrodes_are_named_and_st_is_not_judged() -> None:
    right = leads()
    wrong = right | {
        "I": -right["I"],
        "II": right["III"],
        "III": right["II"],
        "aVR": right["aVL"],
        "aVL": right["aVR"],
    }
    wrong["aVR"] = -(wrong["I"] + wrong["II"]) / 2
    answer = analyse(wrong, RATE, age_years=50, sex="M")
    assert finding(answer, "limb_leads_swapped")["state"] == "found"
    assert finding(answer, "stemi_criteria")["state"] == "not_assessed"
    codes = [each["code"] for each in analyse(right, RATE, age_years=50, sex="M")["findings"]]
    assert "limb_leads_swapped" not in codes


def test_a_bad_recording_says_why_it_is_not_acceptable() -> None:
    broken = leads()
    broken["V3"] = np.zeros_like(broken["V3"])
    quality = judge(broken, RATE)
    assert not quality.acceptable
    assert quality.leads["V3"].state == "off"
    assert any("V3" in reason for reason in quality.reasons)
    assert quality.trust()["V3"] == 0
    found = finding(analyse(broken, RATE, age_years=50, sex="M"), "stemi_criteria")
    assert found["state"] == "not_assessed"


def test_a_saturated_lead_is_named_and_st_is_not_judged() -> None:
    driven = leads("anterior_stemi")
    driven["V3"] = np.clip(driven["V3"] * 40, -5, 5)  # the amplifier stands at its rails
    quality = judge(driven, RATE)
    assert quality.leads["V3"].state == "saturated"
    assert not quality.acceptable
    assert any("V3" in reason for reason in quality.reasons)
    assert quality.trust()["V3"] == 0
    found = finding(analyse(driven, RATE, age_years=50, sex="M"), "stemi_criteria")
    assert found["state"] == "not_assessed"


def widened() -> Leads:
    """A left bundle branch block: broad and up in I, aVL, V5, V6, broad and down in V1 to V3."""
    made, times = leads(), np.arange(10 * RATE) / RATE
    beats = times[np.flatnonzero(np.diff((made["II"] > 0.6).astype(int)) == 1)]
    bells = sum(np.exp(-(((times - (beat + 0.03)) / 0.035) ** 2) / 2) for beat in beats)
    heights = {"I": 1.4, "II": 0.7, "V1": -1.6, "V2": -1.4, "V3": -0.8, "V5": 1.2, "V6": 1.4}
    for name, height in heights.items():
        made[name] = made[name] * 0.3 + height * bells
    made["III"] = made["II"] - made["I"]
    made["aVR"] = -(made["I"] + made["II"]) / 2
    made["aVL"] = made["I"] - made["II"] / 2
    made["aVF"] = made["II"] - made["I"] / 2
    return made


def test_st_is_not_judged_beside_a_left_bundle_branch_block_or_high_voltage() -> None:
    blocked = analyse(widened(), RATE, age_years=60, sex="F")
    assert finding(blocked, "lbbb")["state"] == "found"
    assert finding(blocked, "stemi_criteria")["state"] == "not_assessed"
    tall = {name: trace * (3 if name in ("V1", "V5") else 1) for name, trace in leads().items()}
    high = analyse(tall, RATE, age_years=60, sex="F")
    assert finding(high, "lvh_voltage")["state"] == "found"
    assert finding(high, "stemi_criteria")["state"] == "not_assessed"


def test_unknown_sex_takes_the_lower_limit_and_says_so() -> None:
    answer = analyse(leads("anterior_stemi"), RATE)
    found = finding(answer, "stemi_criteria")
    assert found["state"] == "found"
    assert "lower limit" in found["text"]


def test_no_lead_at_all_working_is_said_and_no_error() -> None:
    answer = analyse({name: np.zeros(5000) for name in leads()}, RATE)
    assert answer["rhythm"]["codes"] == ["not_assessed"]
    assert answer["findings"] == []


def test_the_commands_print_one_line_of_json(tmp_path: Any, capsys: Any) -> None:
    path = tmp_path / "ecg.csv"
    made = leads()
    rows = [",".join(made)] + [
        ",".join(f"{v:.3f}" for v in row) for row in zip(*made.values(), strict=True)
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    assert main(["beats", str(path), "--lead", "v5", "--rate", "500", "--step-mv", "1"]) == 0
    beats = json.loads(capsys.readouterr().out)
    assert beats["sampling_rate_hz"] == 500
    assert beats["lead"] == "V5"
    assert len(beats["beats"]) == pytest.approx(12, abs=1)
    assert main(["analyse", str(path), "--rate", "500", "--step-mv", "1", "--age", "50"]) == 0
    assert {"measurements", "rhythm", "findings", "quality"} <= json.loads(
        capsys.readouterr().out
    ).keys()


def test_a_file_that_is_no_ecg_is_answered_in_words(tmp_path: Any, capsys: Any) -> None:
    path = tmp_path / "picture.bin"
    path.write_bytes(b"\x00\x01\x02" * 400)
    assert main(["beats", str(path)]) == 1
    assert json.loads(capsys.readouterr().out).keys() == {"error", "detail"}
