"""What comes in at the door can be stored, belongs to one patient, and does not come from later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import bindings, events, wire
from hospital_ops.clock import SECOND, from_iso, iso
from hospital_ops.hl7.understand import Source, understand
from streams.facts import checked_facts

NOON = from_iso("2026-11-21T12:00:00Z")
SOURCE = Source(name="test", hospital="h1", networks=("127.0.0.0/8",), mode="Test")


def admission(trigger: str, event_at: int, mrn: str = "1", **more: Any) -> wire.Admission:
    return wire.Admission(
        unit="h1-icu-1", source="adt", message_id="m", identity=b"i", received_at=NOON, mode="Test",
        trigger=trigger, patient=wire.PatientFacts(mrn=mrn), event_at=event_at,
        **({"bed": "h1-icu-1-01"} | more),
    )  # fmt: skip


@given(st.text())
def test_any_text_becomes_one_that_a_database_and_a_stream_can_hold(text: str) -> None:
    kept = events.storable(text)
    assert "\x00" not in kept
    assert kept.encode("utf-8").decode("utf-8") == kept


@pytest.mark.parametrize("escape", [b"\\u0000", b"\\ud800", b"a\\udfffb"])
def test_what_an_escape_smuggles_into_json_is_replaced_and_the_rest_is_kept(escape: bytes) -> None:
    parsed = events.parse_json(b'{"complaint": "x' + escape + b'y", "age_years": 40}')
    assert parsed["age_years"] == 40
    assert "\ufffd" in parsed["complaint"]


def test_nobody_lies_in_a_bed_from_a_moment_that_has_not_come() -> None:
    bound = bindings.of_admission(admission("A01", NOON + 3600 * SECOND), "h1")
    assert bound["h1-icu-1-01"].from_at == NOON


@pytest.mark.parametrize("trigger", ["A03", "A11"])
def test_a_discharge_and_a_cancelled_admission_leave_the_bed_to_nobody(trigger: str) -> None:
    bound = bindings.of_admission(admission(trigger, NOON), "h1")
    assert bound["h1-icu-1-01"].patient_id == ""


@pytest.mark.parametrize("trigger", ["A01", "A02", "A12", "A13"])
def test_an_admission_a_move_and_their_return_bring_the_patient_to_the_bed(trigger: str) -> None:
    bound = bindings.of_admission(admission(trigger, NOON, prior_bed="h1-icu-1-02"), "h1")
    assert bound["h1-icu-1-01"].mrn == "1"


def who_lies_where(events: Iterable[wire.Admission]) -> dict[str, str]:
    """Bed -> MRN, "" for nobody, after all that was said."""
    histories: dict[str, bindings.History] = {}
    for event in events:
        for bed, binding in bindings.of_admission(event, "h1").items():
            histories[bed] = bindings.bound(histories.get(bed, ()), binding)
    return {
        bed[-2:]: history[-1].mrn if history[-1].patient_id else ""
        for bed, history in histories.items()
    }


@given(st.data(), st.sampled_from([0, 1]))
def test_a_late_discharge_of_the_patient_before_leaves_the_next_one_in_bed(
    data: st.DataObject, later: int
) -> None:
    said = [
        admission("A01", NOON - 60 * SECOND, "1"),
        admission("A01", NOON - 10 * SECOND, "2"),
        admission("A03", NOON - (10 - later) * SECOND, "1"),
    ]
    assert who_lies_where(data.draw(st.permutations(said))) == {"01": "2"}


@given(st.data(), st.sampled_from([0, 1]))
def test_two_patients_who_change_beds_both_arrive(data: st.DataObject, later: int) -> None:
    first, second = "h1-icu-1-01", "h1-icu-1-02"
    said = [
        admission("A01", NOON - 60 * SECOND, "1", bed=first),
        admission("A01", NOON - 60 * SECOND, "2", bed=second),
        admission("A02", NOON - 10 * SECOND, "1", bed=second, prior_bed=first),
        admission("A02", NOON - (10 - later) * SECOND, "2", bed=first, prior_bed=second),
    ]
    assert who_lies_where(data.draw(st.permutations(said))) == {"01": "2", "02": "1"}


def test_a_message_about_two_patients_is_refused_and_says_why() -> None:
    lines = (
        "MSH|^~\\&|M|S|||20261121120000+0000||ORU^R01^ORU_R01|two|P|2.6",
        "PID|||1^^^H^MR", "PV1||I|h1-icu-1^^h1-icu-1-06", "OBR|1|||x|||20261121120000+0000",
        "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC||61|/min|||||R",
        "PID|||2^^^H^MR", "PV1||I|h1-icu-1^^h1-icu-1-07", "OBR|1|||x|||20261121120000+0000",
        "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC||71|/min|||||R",
    )  # fmt: skip
    understood = understand("\r".join(lines).encode(), SOURCE, NOON)
    assert understood.problem is not None
    assert understood.problem.code == "several_patients"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sex", "X"), ("pregnant", "maybe"), ("on_oxygen", "no"), ("age_years", 999),
        ("age_years", -1), ("notify", "zzz"), ("eta", "9999-01-01T00:00:00Z"), ("eta", "soon"),
        ("age_band", "young"), ("adult", 1),
    ],
)  # fmt: skip
def test_a_fact_that_cannot_be_used_is_left_out_and_named(name: str, value: object) -> None:
    kept, warnings = checked_facts({"destination": "h1-ed", name: value}, NOON)
    assert name not in kept
    assert [warning.startswith(name) for warning in warnings] == [True]


def test_a_single_sign_that_came_without_its_list_is_not_lost() -> None:
    kept, warnings = checked_facts({"signs": "stridor"}, NOON)
    assert kept["signs"] == ["stridor"]
    assert warnings == []


def test_facts_that_can_be_used_pass_without_a_word() -> None:
    said = {
        "destination": "h1-ed", "age_years": 61, "sex": "F", "pregnant": False, "signs": [],
        "on_oxygen": True, "notify": "alert", "eta": iso(NOON + 600 * SECOND), "crew": "214",
    }  # fmt: skip
    assert checked_facts(said, NOON) == (said, [])
