"""Orders of the hospital's own system: theirs in their words, never moved back, never ours."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import identity, wire
from hospital_ops.board import decode_bed
from hospital_ops.clock import SECOND, from_iso, to_datetime
from hospital_ops.deciding import Stamped
from icu.bedside_orders import BedsideOrder, taken
from icu.orders import ACCEPTED, DONE, REACHABLE, REQUESTED, RUNNING, Stage
from icu.unit import IcuUnit
from streams.rows import Batch, Taken

NOON = from_iso("2026-11-21T12:00:00Z")
UNIT, BED, SOURCE = "h1-icu-1", "h1-icu-1-01", "his"
PLACER, FILLER = "4711^HIS", "99^LAB"
ORDER = identity.hospital_order("h1", SOURCE, PLACER, FILLER)
WORDS = {REQUESTED: "NW SC", ACCEPTED: "SC SC", RUNNING: "SC IP", DONE: "SC CM"}


def said(minute: int, stage: Stage = REQUESTED, **more: Any) -> wire.OrderChanged:
    """What that system says of its order at a minute after noon."""
    at = NOON + minute * 60 * SECOND
    fields: dict[str, Any] = {
        "unit": UNIT, "order": ORDER, "version": at, "bed": BED, "patient_id": "p",
        "kind": "laboratory", "text": "lactate", "request": stage.request, "task": stage.task,
        "due_at": 0, "by": SOURCE, "at": at, "mode": "Test", "owner": "hospital",
        "source": SOURCE, "placer": PLACER, "filler": FILLER,
        "said": WORDS.get(stage, "SC ??"), "message_id": f"M{minute}",
        "identity": identity.message_identity(SOURCE, f"M{minute}", stage.task.encode()),
        "received_at": at,
    } | more  # fmt: skip
    return wire.OrderChanged(**fields)


def after(*sayings: wire.OrderChanged) -> BedsideOrder:
    """Where the order stands once all was heard, in this order."""
    known: dict[str, BedsideOrder] = {}
    for entry in sayings:
        known = taken(known, entry)
    return known[ORDER]


def test_the_same_number_of_the_same_system_is_the_same_order_and_never_a_native_one() -> None:
    assert identity.hospital_order("h1", SOURCE, PLACER, "") == ORDER
    others = {
        identity.hospital_order("h2", SOURCE, PLACER, FILLER),
        identity.hospital_order("h1", "other", PLACER, FILLER),
        identity.hospital_order("h1", SOURCE, "", PLACER),
        str(identity.uuid7()),
    }
    assert len(others) == 4
    assert ORDER not in others


def test_their_status_stands_beside_ours_with_their_numbers() -> None:
    order = after(said(0, filler=""), said(5, RUNNING))
    assert (order.stage, order.said) == (RUNNING, "SC IP")
    assert (order.owner, order.placer, order.filler) == ("hospital", PLACER, FILLER)
    assert order.conflict == ""


def test_what_comes_late_from_that_system_never_moves_its_order_back() -> None:
    order = after(said(0), said(9, DONE), said(5, RUNNING))
    assert (order.stage, order.said, order.conflict) == (DONE, "SC CM", "")


def test_what_cannot_be_is_shown_as_a_conflict_until_it_is_resolved() -> None:
    done = said(5, DONE)
    order = after(said(0), done, said(9, RUNNING))
    assert (order.stage, order.said) == (DONE, "SC CM")
    assert (order.conflict, order.conflict_at) == ("SC IP", said(9).version)
    mistaken = said(12, Stage("entered-in-error", "completed"), said="OC CA")
    order = after(said(0), done, said(9, RUNNING), mistaken)
    assert (order.request, order.conflict) == ("entered-in-error", "")


def test_two_sayings_of_one_moment_are_a_conflict_and_the_same_one_again_is_none() -> None:
    assert after(said(0), said(0)).conflict == ""
    order = after(said(0), said(0, RUNNING))
    assert (order.stage, order.conflict) == (REQUESTED, "SC IP")


def test_nobody_but_its_owner_changes_an_order() -> None:
    ours = said(3, DONE, owner="native", said="")
    assert after(said(0), ours).stage == REQUESTED
    assert after(said(0, owner="native"), said(3, DONE)).stage == REQUESTED
    # An act of ours that the table does not hold is no conflict with anybody.
    assert after(said(0, DONE, owner="native"), said(3, owner="native")).conflict == ""


STAGES = st.sampled_from([REQUESTED, ACCEPTED, RUNNING, DONE, Stage("revoked", "requested")])


@given(st.lists(st.tuples(st.integers(0, 20), STAGES), min_size=1, max_size=12), st.randoms())
def test_no_order_of_sayings_leads_back_and_repetition_changes_nothing(
    sayings: list[tuple[int, Stage]], chance: Any
) -> None:
    entries = [said(minute, stage) for minute, stage in sayings]
    heard = [*entries, *chance.choices(entries, k=len(entries))]
    known: dict[str, BedsideOrder] = {}
    for entry in heard:
        before = known.get(ORDER)
        known = taken(known, entry)
        if before is not None:
            assert known[ORDER].stage in REACHABLE[before.stage]
            assert known[ORDER].version >= before.version
        assert taken(known, entry) == known


def test_the_board_counts_what_contradicts_itself_and_says_nothing_of_it_otherwise() -> None:
    unit = IcuUnit(UNIT, "h1")
    admitted = wire.Admission(
        unit=UNIT, source="adt", message_id="1", identity=b"1", received_at=NOON, mode="Test",
        trigger="A01", patient=wire.PatientFacts(mrn="1"), event_at=NOON, bed=BED,
    )  # fmt: skip
    patient = identity.patient_id("h1", "1")
    found = []
    sayings = (said(1, patient_id=patient), said(1, RUNNING, patient_id=patient))
    entries: tuple[wire.Entry, ...] = (admitted, *sayings)
    for at, entry in enumerate(entries):
        unit.decide([Stamped(NOON + at, entry)])
        cell = unit.cell(BED)
        assert cell is not None
        found.append(decode_bed(cell).orders)
    assert "conflicts" not in found[1]
    assert (found[1]["active"], found[2]["active"], found[2]["conflicts"]) == (1, 1, 1)
    assert IcuUnit(UNIT, "h1", unit.dump()).cell(BED) == unit.cell(BED)


def test_each_saying_is_archived_once_and_a_native_order_is_not_among_them() -> None:
    batch = Batch(to_datetime(NOON), {})
    for number, entry in enumerate((said(0), said(5, DONE), said(6, owner="native", version=2))):
        batch.take(Taken(UNIT, "in", f"{number}-0", wire.encode(entry), b"MSH|", entry))
    rows = batch.rows["hospital_order_event"]
    assert [(row[2], row[10], row[15:17]) for row in rows] == [
        (ORDER, "NW SC", REQUESTED), (ORDER, "SC CM", DONE),
    ]  # fmt: skip
    assert len(batch.rows["message"]) == len(batch.claims) == 2
