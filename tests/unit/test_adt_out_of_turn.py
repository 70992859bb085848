"""ADT out of turn: a new stay before the end of the old, a bed given away, two numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hospital_ops import bindings, identity, wire
from hospital_ops.board import decode_bed
from hospital_ops.clock import SECOND, from_datetime
from hospital_ops.deciding import Stamped
from icu.unit import IcuUnit
from streams.known.knowledge import Known, Lain, Linked, lain
from streams.rows import Batch, Taken
from tests.filing import FiledRow, filed, named

UNIT = "h1-icu-1"
ONE, TWO, THREE = (f"{UNIT}-0{n}" for n in (1, 2, 3))
START = 1_790_000_000 * SECOND
CREATININE = "2160-0"
A, B, OLD, NEW = (identity.patient_id("h1", mrn) for mrn in ("A", "B", "OLD", "NEW"))


def at(second: float) -> int:
    return START + round(second * SECOND)


def adt(trigger: str, mrn: str, second: float, bed: str = ONE, **more: Any) -> wire.Admission:
    told = more.pop("told", second)
    name = f"{trigger} {mrn} {second} {bed} {more} {told}"
    return wire.Admission(
        unit=UNIT, source="adt", message_id=name, identity=name.encode(), received_at=at(told),
        mode="Real", trigger=trigger, patient=wire.PatientFacts(mrn=mrn), event_at=at(second),
        bed=bed, **more,
    )  # fmt: skip


def merge(second: float, old: str = "OLD", new: str = "NEW") -> wire.Merged:
    return wire.Merged(UNIT, "adt", at(second), "Real", new, (old,), at(second))


def value(second: float, mrn: str = "", bed: str = ONE) -> wire.Observed:
    return wire.Observed(
        unit=UNIT, source="mon", message_id=f"{second}", identity=f"{second} {bed}".encode(),
        received_at=at(second), mode="Real", bed=bed, device="monitor", mrn=mrn,
        observations=(wire.Observation("8867-4", 80.0, "/min", at(second)),),
    )  # fmt: skip


def live(*entries: wire.Entry) -> IcuUnit:
    """The board after entries that come a second apart."""
    unit = IcuUnit(UNIT, "h1")
    for second, entry in enumerate(entries):
        unit.decide([Stamped(at(10_000 + second), entry)])
    return unit


def lies(unit: IcuUnit, bed: str = ONE) -> str:
    history = unit.state.beds[bed].history
    return history[-1].patient_id if history else ""


def flags(unit: IcuUnit, bed: str = ONE) -> tuple[str, ...]:
    cell = unit.cell(bed)
    assert cell is not None
    return decode_bed(cell).flags


def batch(*entries: wire.Entry) -> Batch:
    made = Batch(None, {})  # type: ignore[arg-type]
    for number, entry in enumerate(entries):
        made.take(Taken(UNIT, "in", f"{number}-0", wire.encode(entry), b"", entry))
    return made


def archive(*entries: wire.Entry) -> dict[str, str]:
    """Who lies where, as the archive knows it; the board has to say the same."""
    known = batch(*entries).histories
    unit = live(*entries)
    assert {bed: history[-1].patient_id for bed, history in known.items() if history} == {
        bed.bed: bed.history[-1].patient_id for bed in unit.state.beds.values() if bed.history
    }
    return {bed: history[-1].patient_id for bed, history in known.items()}


def whose(*entries: wire.Entry) -> list[FiledRow]:
    return filed(UNIT, [Stamped(at(10_000 + n), entry) for n, entry in enumerate(entries)])


# --- a new stay before the end of the old one


FIRST, SECOND_STAY = adt("A01", "A", 0, visit="1"), adt("A01", "A", 100, visit="2")


@pytest.mark.parametrize("bed", [ONE, TWO])
def test_a_new_visit_of_the_patient_who_lies_there_is_a_new_stay(bed: str) -> None:
    again = adt("A01", "A", 100, bed, visit="2")
    unit = live(FIRST, again)
    assert (lies(unit, bed), unit.state.beds[bed].history[-1].visit) == (A, "2")
    assert "check_patient" not in flags(unit, bed)  # and not one patient in two beds
    person = unit.state.beds[bed].people[A]
    assert person.admitted_at == at(100)
    assert archive(FIRST, again) == {ONE: A} if bed == ONE else {ONE: "", TWO: A}
    rows = named("patient_event", batch(FIRST, again).rows["patient_event"])
    told = [(r["trigger"], r["visit"], from_datetime(r["event_at"]), r["entry_id"]) for r in rows]
    assert told == [
        ("A01", "1", at(0), "0-0"),
        ("A03", "1", at(100) - 1, "1-0 -1"),  # what the admission says of the stay before
        ("A01", "2", at(100), "1-0"),
    ]


@pytest.mark.parametrize("ended", [90, 130])
def test_the_end_of_the_old_stay_that_is_told_after_it_does_not_end_the_new_one(ended: int) -> None:
    late = adt("A03", "A", ended, visit="1", told=140)
    assert archive(FIRST, SECOND_STAY, late) == {ONE: A}
    assert archive(FIRST, SECOND_STAY, late, adt("A03", "A", 200, visit="2")) == {ONE: ""}


def test_an_end_under_a_visit_that_nobody_has_heard_of_ends_the_stay_that_there_is() -> None:
    assert archive(FIRST, adt("A03", "A", 50, visit="9")) == {ONE: ""}
    assert archive(adt("A01", "A", 0), adt("A03", "A", 50, visit="9")) == {ONE: ""}


def test_the_same_admission_told_again_and_one_without_a_visit_begin_no_stay() -> None:
    for again in (adt("A01", "A", 100, visit="1"), adt("A01", "A", 100)):
        rows = named("patient_event", batch(FIRST, again).rows["patient_event"])
        assert [row["trigger"] for row in rows] == ["A01", "A01"]
    rows = named("patient_event", batch(FIRST, SECOND_STAY, SECOND_STAY).rows["patient_event"])
    assert [row["trigger"] for row in rows] == ["A01", "A03", "A01", "A01"]


def test_somebody_else_who_comes_into_a_bed_that_is_not_empty_is_said_to_be_there_as_before() -> (
    None
):
    unit = live(FIRST, adt("A01", "B", 100, visit="2"))
    assert lies(unit) == B
    assert "displaced" in flags(unit)
    rows = named(
        "patient_event", batch(FIRST, adt("A01", "B", 100, visit="2")).rows["patient_event"]
    )
    assert [row["trigger"] for row in rows] == ["A01", "A01"]


# --- a discharge that is taken back, or names another bed


GIVEN = [adt("A01", "A", 0), adt("A03", "A", 50), adt("A01", "B", 60)]
BACK = adt("A13", "A", 70)


def test_a_discharge_taken_back_does_not_put_anybody_over_who_lies_there_by_then() -> None:
    unit = live(*GIVEN, BACK)
    assert lies(unit) == B
    assert "displaced" in flags(unit)  # somebody has to say where A is
    assert archive(*GIVEN, BACK) == {ONE: B}
    found = whose(*GIVEN, BACK, value(55), value(65), value(80))
    assert [row.patient for row in found] == [A, B, B]
    (*_, row) = named("patient_event", batch(*GIVEN, BACK).rows["patient_event"])
    assert (row["trigger"], row["patient_id"], row["bed"]) == ("A13", A, "")  # here, without a bed
    unit.decide([Stamped(at(10_100), adt("A01", "A", 90, TWO))])
    assert "displaced" not in flags(unit)


def test_where_nothing_is_known_of_the_discharge_the_bed_stays_as_it_is() -> None:
    unit = live(GIVEN[2], BACK)
    assert lies(unit) == B
    assert "displaced" in flags(unit)
    assert archive(GIVEN[2], BACK) == {ONE: B}


def test_a_discharge_taken_back_gives_a_bed_that_is_free_again() -> None:
    assert archive(*GIVEN, adt("A03", "B", 65), BACK) == {ONE: A}
    assert archive(*GIVEN[:2], BACK) == {ONE: A}


@pytest.mark.parametrize("came", [0, 1, 2])
def test_whenever_the_next_admission_is_told_whoever_was_given_the_bed_lies_there(
    came: int,
) -> None:
    """What takes a discharge back is told after it."""
    order = [GIVEN[1], BACK]
    order.insert(came, GIVEN[2])
    assert archive(GIVEN[0], *order) == {ONE: B}


@pytest.mark.parametrize("trigger", ["A03", "A11"])
def test_an_end_of_a_stay_that_names_the_bed_of_another_leaves_them_there(trigger: str) -> None:
    told = [adt("A01", "A", 0), adt("A01", "B", 0, TWO), adt(trigger, "A", 50, TWO)]
    assert archive(*told)[TWO] == B
    # The unit hears of it by the number (`streams/told`): as it would have been told.
    assert archive(*told, adt(trigger, "A", 50, ONE)) == {ONE: "", TWO: B}


def test_an_admission_that_never_was_leaves_the_bed_to_nobody_and_later_ones_to_whoever_came() -> (
    None
):
    assert archive(adt("A01", "A", 0), adt("A11", "A", 50)) == {ONE: ""}
    assert archive(adt("A01", "A", 0), adt("A01", "B", 40), adt("A11", "A", 50)) == {ONE: B}


# --- two numbers of one person


def test_who_is_admitted_after_two_numbers_became_one_is_known_by_either() -> None:
    entries: list[wire.Entry] = [merge(0), adt("A01", "NEW", 10)]
    unit = live(*entries, value(20, "OLD"))
    assert "check_patient" not in flags(unit)
    assert [row.patient for row in whose(*entries, value(20, "OLD"), value(21, "NEW"))] == [NEW] * 2
    assert archive(*entries, adt("A03", "OLD", 30)) == {ONE: ""}


def test_one_person_in_two_beds_under_two_numbers_asks_for_a_look() -> None:
    entries: list[wire.Entry] = [adt("A01", "OLD", 0), merge(5), adt("A01", "NEW", 10, TWO)]
    unit = live(*entries)
    assert "check_patient" in flags(unit, ONE)
    assert "check_patient" in flags(unit, TWO)
    assert archive(*entries) == {ONE: OLD, TWO: OLD}
    unit = live(adt("A01", "OLD", 0), adt("A01", "NEW", 1, TWO), merge(5))
    assert "check_patient" in flags(unit, ONE)
    assert "check_patient" in flags(unit, TWO)
    unit.decide([Stamped(at(10_100), adt("A03", "OLD", 20, ONE))])
    assert "check_patient" not in flags(unit, TWO)


def test_the_numbers_of_one_person_survive_a_restart_of_the_board() -> None:
    unit = live(merge(0), adt("A01", "NEW", 10))
    again = IcuUnit(UNIT, "h1", unit.dump())
    again.decide([Stamped(at(10_050), adt("A01", "OLD", 20, TWO))])
    assert lies(again, TWO) == NEW


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_in_whatever_order_merges_are_told_the_same_numbers_are_one_person(
    data: st.DataObject,
) -> None:
    told = [merge(1, "1", "2"), merge(2, "3", "4"), merge(3, "2", "4"), merge(3, "2", "4")]
    numbers: bindings.Numbers = {}
    for one in data.draw(st.permutations(told)):
        numbers = bindings.one_person(numbers, one)
    assert set(numbers) == set("1234")
    assert set(numbers.values()) == {("1", "2", "3", "4")}


def test_the_oldest_merges_are_forgotten_first_and_whole() -> None:
    numbers: bindings.Numbers = {}
    for n in range(bindings.NUMBERS_KEPT):
        numbers = bindings.one_person(numbers, merge(n, f"old {n}", f"new {n}"))
    assert len(numbers) <= bindings.NUMBERS_KEPT
    assert all(set(numbers[own]) == set(of) for of in numbers.values() for own in of)
    assert f"old {bindings.NUMBERS_KEPT - 1}" in numbers


def started_again(stored: Batch) -> Known:
    """What a store reader knows that starts by the rows of another one."""
    events = {row["entry_id"]: row for row in named("patient_event", stored.rows["patient_event"])}
    told = [
        Lain(
            UNIT, row["bed"], from_datetime(row["from_at"]), row["patient_id"] or "", row["mrn"],
            events[row["entry_id"]]["mode"], events[row["entry_id"]]["visit"],
        )
        for row in named("binding", stored.rows["binding"])
    ]  # fmt: skip
    links = [
        (row["event_at"], Linked("h1", row["mrn"], row["into_mrn"]))
        for row in named("patient_link", stored.rows["patient_link"])
    ]
    return lain(sorted(told, key=lambda one: one.from_at), [link for _, link in sorted(links)])


def linked(second: float) -> list[wire.Entry]:
    """An A40 as a hospital has it: the record, and the word to the unit."""
    return [wire.replaced(adt("A40", "NEW", second, ""), merged=("OLD",)), merge(second)]


EVENTS: list[list[wire.Entry]] = [
    [adt("A01", "OLD", 0, ONE, visit="1")], [adt("A01", "NEW", 20, ONE, visit="2")],
    [adt("A01", "NEW", 22, TWO, visit="2")], [adt("A03", "OLD", 25, ONE, visit="1")],
    [adt("A03", "NEW", 30, ONE, visit="2")], [adt("A13", "NEW", 40, ONE, visit="2")],
    [adt("A01", "B", 35, ONE)], [adt("A03", "B", 45, ONE)], linked(10), linked(10),
    [adt("A02", "NEW", 50, THREE, prior_bed=ONE, visit="2")], [adt("A11", "B", 46, ONE)],
]  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(EVENTS), min_size=1, max_size=12))
def test_in_whatever_order_and_however_often_all_three_readers_say_the_same(
    told: list[list[wire.Entry]],
) -> None:
    """The board, the archive, and an archive that starts again."""
    entries = [entry for one in told for entry in one]
    archive(*entries)
    stored = batch(*entries)
    again = started_again(stored)
    for bed, history in stored.histories.items():
        for second in range(60):
            here, there = (bindings.at(h, at(second)) for h in (history, again.histories[bed]))
            said = {
                (one.patient_id, *(one.is_called(name) for name in ("OLD", "NEW", "B")))
                for one in (here or bindings.Binding(0), there or bindings.Binding(0))
                if one.patient_id
            }
            assert len(said) <= 1, (bed, second)
            assert bool(here and here.patient_id) == bool(there and there.patient_id)
    assert stored.numbers == again.numbers


# --- a result that comes after its own correction


def result(second: float, number: float, status: str, told: float) -> wire.Observed:
    one = wire.Observation(
        CREATININE, number, "umol/L", at(second), origin="laboratory", status=status
    )
    return wire.replaced(
        value(second), source="lab", device="lab", identity=f"{number} {status} {told}".encode(),
        received_at=at(told), observations=(one,),
    )  # fmt: skip


@pytest.mark.parametrize("status", ["C", "D", "W"])
def test_a_result_that_its_own_correction_has_overtaken_holds_neither_here_nor_there(
    status: str,
) -> None:
    first, corrected = result(0, 900.0, "", 30), result(0, 90.0, status, 20)
    for entries in ([first, corrected], [corrected, first]):
        unit = live(adt("A01", "A", -5), *entries)
        shown = unit.state.beds[ONE].values[CREATININE]
        assert shown.value == 90.0
        (taken,) = {one.about: one for one in batch(*entries).results}.values()
        assert (taken.number, taken.reason) == (90.0, f"OBX-11 {status}")
    # The word is said again by whichever message brings the earlier result, in a later batch too.
    before, known = batch(corrected), Batch(None, {})  # type: ignore[arg-type]
    known.said.known = before.said.fresh
    known.take(Taken(UNIT, "in", "9-0", wire.encode(first), b"", first))
    (again,) = known.results
    assert (again.number, again.owner) == (90.0, 0)


@pytest.mark.parametrize("status", ["D", "W"])
def test_what_was_withdrawn_and_is_told_anew_is_a_new_result_here_and_there(status: str) -> None:
    withdrawn = wire.replaced(result(0, 900.0, status, 20), sent_at=at(20))
    anew = wire.replaced(result(0, 80.0, "", 40), sent_at=at(40))
    unit = live(adt("A01", "A", -5), withdrawn, anew)
    assert unit.state.beds[ONE].values[CREATININE].value == 80.0
    assert [one.number for one in batch(withdrawn, anew).results] == [900.0]  # its own alone
    before = wire.replaced(anew, sent_at=at(10))  # and not what was made before it
    assert [one.number for one in batch(withdrawn, before).results] == [900.0, 900.0]
