"""The board's list of a case's ECGs: any order and any repeats give the same."""

from __future__ import annotations

from array import array
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from triage.ecgs import KEPT, with_ecg
from triage.unit import EdUnit

NOW = 1_772_359_200 * SECOND
CASE = "0b5a3c9e-6d0f-4a53-9f43-0b5a3c9e6d0f"


def entry(number: int, stage: str, findings: tuple[str, ...] = ()) -> wire.EcgReceived:
    lead = wire.EcgLead("II", 0.005, 0.0, array("h", range(500)).tobytes())
    return wire.EcgReceived(
        unit="h1-ed",
        case=CASE,
        ecg=f"ecg-{number}",
        source="device:h1-tablet-1",
        message_id=f"ecg-{number}",
        identity=b"",
        received_at=NOW + number * SECOND,
        mode="Test",
        stage=stage,
        at=NOW + number * SECOND,
        rate_hz=500.0,
        leads=(lead,) if stage == "stored" else (),
        findings=findings,
    )


STAGES = st.sampled_from(("receiving", "refused", "stored"))
ENTRIES = st.lists(st.builds(entry, st.integers(0, 5), STAGES), max_size=12)


@given(ENTRIES, st.randoms())
def test_any_order_and_any_repeats_give_the_same_list(
    entries: list[wire.EcgReceived], chance: object
) -> None:
    def listed(some: list[wire.EcgReceived]) -> tuple[object, ...]:
        known: tuple[dict[str, object], ...] = ()
        for one in some:
            known = with_ecg(known, one)
        return known

    again = [*entries, *entries[: len(entries) // 2]]
    chance.shuffle(again)  # type: ignore[attr-defined]
    assert listed(again) == listed(entries)


def test_a_whole_ecg_has_its_length_and_an_unfinished_one_says_so() -> None:
    coming, whole = with_ecg((), entry(1, "receiving")), with_ecg((), entry(1, "stored"))
    assert (coming[0]["complete"], coming[0]["duration_s"]) == (False, 0.0)
    assert (whole[0]["complete"], whole[0]["duration_s"]) == (True, 1.0)
    assert with_ecg(whole, entry(1, "receiving")) == whole


def test_the_list_has_an_end() -> None:
    known: tuple[dict[str, object], ...] = ()
    for number in range(KEPT + 5):
        known = with_ecg(known, entry(number, "stored"))
    assert len(known) == KEPT
    assert known[-1]["id"] == f"ecg-{KEPT + 4}"


def test_a_finding_of_infarction_is_a_reason_to_propose_red() -> None:
    unit = EdUnit("h1-ed")
    facts = wire.CaseFacts("h1-ed", CASE, "device:x", "1", NOW, "Test", {"age_years": 61})
    unit.decide([Stamped(NOW, facts)])
    before = unit.state.cases[CASE].triage["proposed"]
    unit.decide([Stamped(NOW + SECOND, entry(1, "stored", ("stemi",)))])
    case = unit.state.cases[CASE]
    assert before != "red"
    assert case.triage["proposed"] == "red"
    assert case.facts["ecg_findings"] == ["stemi"]
    assert unit.cell(CASE) is not None


def test_an_ecg_that_is_read_again_for_a_child_takes_its_finding_back_and_no_other() -> None:
    unit = EdUnit("h1-ed")

    def takes(*entries: wire.Entry) -> dict[str, Any]:
        unit.decide([Stamped(NOW, one) for one in entries])
        return unit.state.cases[CASE].triage

    said = {"destination": "h1-ed", "age_years": 15, "signs": [], "ecg_findings": ["qtc_long"]}
    facts = wire.CaseFacts("h1-ed", CASE, "device:x", "1", NOW, "Test", said)
    before = takes(facts, entry(1, "stored", ("stemi_criteria",)), entry(2, "stored"))
    assert before["proposed"] == "red"
    assert takes(entry(1, "reread"))["proposed"] != "red"
    case = unit.state.cases[CASE]
    assert case.facts["ecg_findings"] == ["qtc_long"]
    assert [(ecg["id"], ecg["stage"], ecg["leads"]) for ecg in case.ecgs] == [
        ("ecg-1", "stored", ["II"]), ("ecg-2", "stored", ["II"])
    ]  # fmt: skip
    assert takes(entry(9, "reread", ("stemi_criteria",)))["proposed"] != "red", "of no ECG of ours"
