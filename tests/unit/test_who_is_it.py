"""Whose values these are: numbers that become one, claims that were looked at, demo devices."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from hospital_ops import bindings, identity, wire
from hospital_ops.board import decode_bed
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from icu.unit import IcuUnit
from streams.rows import OF_A_DEMO, Batch, Taken
from tests.filing import named

UNIT, BED, OTHER = "h1-icu-1", "h1-icu-1-01", "h1-icu-1-02"
START = 1_790_000_000 * SECOND
NOW = datetime(2026, 1, 1, tzinfo=UTC)
PULSE = "8867-4"


def value(at: int, mrn: str = "", mode: str = "Real", bed: str = BED) -> wire.Observed:
    name = f"{at} {mrn} {mode} {bed}"
    return wire.Observed(
        unit=UNIT, source="loopback", message_id=name, received_at=at, mode=mode, bed=bed,
        identity=hashlib.sha256(name.encode()).digest(), device="monitor", mrn=mrn,
        observations=(wire.Observation(code=PULSE, value=80.0, unit="/min", determined_at=at),),
    )  # fmt: skip


def stay(at: int, mrn: str, trigger: str = "A01", **more: Any) -> wire.Admission:
    return wire.Admission(
        unit=UNIT, source="adt", message_id=f"{at}", identity=f"{at} {mrn}".encode(),
        received_at=at, mode="Real", trigger=trigger, patient=wire.PatientFacts(mrn=mrn),
        event_at=at, **({"bed": BED} | more),
    )  # fmt: skip


def merge(at: int, old: str, new: str) -> wire.Merged:
    return wire.Merged(UNIT, "adt", at, "Real", new, (old,), at)


def act(at: int, what: str = "confirm_patient") -> wire.BedAct:
    return wire.BedAct(
        unit=UNIT, bed=BED, act=what, at=at, by="nurse", role="nurse", source="nurse",
        received_at=at, mode="Real",
    )  # fmt: skip


def told(*entries: wire.Entry) -> IcuUnit:
    """The unit after the entries, a second apart."""
    unit = IcuUnit(UNIT, "h1")
    for second, entry in enumerate(entries):
        unit.decide([Stamped(START + second * SECOND, entry)])
    return unit


def flags(unit: IcuUnit, bed: str = BED) -> tuple[str, ...]:
    cell = unit.cell(bed)
    assert cell is not None
    return decode_bed(cell).flags


def stored(*entries: wire.Entry) -> list[tuple[str | None, str]]:
    """(patient, remark) of each value, as the archive files them."""
    batch = Batch(NOW, {})
    for number, entry in enumerate(entries):
        batch.take(
            Taken(UNIT, "in", f"{START // 1000 + number}-0", wire.encode(entry), b"x", entry)
        )
    values = named("measurement", (row for rows in batch.values for row in rows.plain(NOW)))
    return [(row["patient_id"], row["remark"]) for row in values]


UNKNOWN, KNOWN = "NN-17", "4711"
WHO = identity.patient_id("h1", UNKNOWN)


def at(second: int) -> int:
    return START + second * SECOND


def test_an_unknown_person_who_gets_a_name_is_not_somebody_else_under_the_new_number() -> None:
    entries = (stay(at(0), UNKNOWN), merge(at(1), UNKNOWN, KNOWN))
    unit = told(*entries, value(at(2), KNOWN), value(at(3), UNKNOWN))
    assert "check_patient" not in flags(unit)
    cell = unit.cell(BED)
    assert cell is not None
    patient = decode_bed(cell).patient
    assert patient is not None
    assert (patient.mrn, patient.patient_id) == (KNOWN, WHO)
    filed = stored(*entries, value(at(2), KNOWN), value(at(3), UNKNOWN))
    assert [who for who, _ in filed] == [WHO, WHO]


def test_a_claim_of_the_other_number_before_the_merge_is_settled_by_it() -> None:
    unit = told(stay(at(0), UNKNOWN), value(at(1), KNOWN))
    assert "check_patient" in flags(unit)
    unit.decide([Stamped(at(2), merge(at(2), UNKNOWN, KNOWN))])
    assert "check_patient" not in flags(unit)


def test_a_move_and_a_discharge_under_the_new_number_are_of_whoever_lay_there_under_the_old() -> (
    None
):
    entries = (
        stay(at(0), UNKNOWN), merge(at(1), UNKNOWN, KNOWN),
        stay(at(2), KNOWN, "A02", bed=OTHER, prior_bed=BED),
    )  # fmt: skip
    unit = told(*entries)
    assert unit.state.beds[BED].history[-1].patient_id == ""
    moved = unit.state.beds[OTHER].history[-1]
    assert (moved.patient_id, moved.mrn, moved.is_called(UNKNOWN)) == (WHO, KNOWN, True)
    unit.decide([Stamped(at(3), stay(at(3), KNOWN, "A03", bed=OTHER))])
    assert unit.state.beds[OTHER].history[-1].patient_id == ""
    assert stored(*entries, value(at(4), KNOWN, bed=OTHER))[0][0] == WHO


def test_somebody_of_another_hospital_with_the_same_number_is_left_alone() -> None:
    history = bindings.bound((), bindings.Binding(at(0), identity.patient_id("h2", "1"), "1"))
    assert bindings.merged(history, merge(at(1), "1", "2"), "h1") == history


def test_however_many_numbers_become_one_each_is_known() -> None:
    merges = [merge(at(1), old, new) for old, new in (("A", "B"), ("B", "C"), ("C", "D"))]
    binding = told(stay(at(0), "A"), *merges).state.beds[BED].history[-1]
    assert binding.mrn == "D"
    assert all(binding.is_called(number) for number in "ABCD")


def test_check_patient_stays_until_somebody_has_looked_and_comes_again_for_another_claim() -> None:
    unit = told(stay(at(0), "1"), value(at(1), "2"))
    assert "check_patient" in flags(unit)
    unit.decide([Stamped(at(2), act(at(2)))])
    assert "check_patient" not in flags(unit)
    unit.decide([Stamped(at(3), value(at(3), "2"))])
    assert "check_patient" not in flags(unit)  # somebody has looked: the sender is not corrected
    unit.decide([Stamped(at(4), value(at(4), "3"))])
    assert "check_patient" in flags(unit)
    unit.decide([Stamped(at(5), stay(at(5), "4"))])
    unit.decide([Stamped(at(6), value(at(6), "2"))])
    assert "check_patient" in flags(unit)  # the confirmation was of the patient before


def test_what_was_confirmed_is_filed_under_nobody_all_the_same() -> None:
    assert (
        stored(stay(at(0), "1"), value(at(1), "2"), act(at(2)), value(at(3), "2"))
        == [(None, stored(stay(at(0), "1"), value(at(1), "2"))[0][1])] * 2
    )


def test_a_demo_device_is_never_filed_under_a_real_patient() -> None:
    for mode in ("Demo", "Test"):
        entries = (stay(at(0), "1"), value(at(1), "1", mode))
        assert "check_patient" in flags(told(*entries))
        assert stored(*entries) == [(None, OF_A_DEMO)]
    assert stored(stay(at(0), "1"), value(at(1), "1"))[0][0] == identity.patient_id("h1", "1")


def test_a_snapshot_of_before_knows_nothing_of_merges_and_loads() -> None:
    unit = told(stay(at(0), "1"), value(at(1)))
    again = IcuUnit(UNIT, "h1", unit.dump())
    again.decide([Stamped(at(2), merge(at(2), "1", "2"))])
    assert again.state.beds[BED].history[-1].mrn == "2"
