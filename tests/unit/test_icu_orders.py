"""Orders at the bed: they move along the drawn states only, and the board counts what is due."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import wire
from hospital_ops.board import BedCell, decode_bed
from hospital_ops.clock import SECOND, from_iso
from hospital_ops.deciding import Stamped
from hospital_ops.errors import Conflict
from icu.orders import (
    ACTS,
    DONE,
    DUE_SOON_US,
    REQUESTED,
    BedsideOrder,
    Stage,
    acts_from,
    after,
    is_open,
    taken,
)
from icu.unit import IcuUnit

NOON = from_iso("2026-11-21T12:00:00Z")
ENDED = ("completed", "revoked", "entered-in-error")


def changed(version: int, stage: Stage = REQUESTED, **more: Any) -> wire.OrderChanged:
    fields: dict[str, Any] = {
        "unit": "h1-icu-1", "order": "o1", "version": version, "bed": "h1-icu-1-01",
        "patient_id": "p", "kind": "laboratory", "text": "lactate", "request": stage.request,
        "task": stage.task, "due_at": 0, "by": "Dr Ray", "at": NOON, "mode": "Demo",
    } | more  # fmt: skip
    return wire.OrderChanged(**fields)


def board_at(unit: IcuUnit, at: int, *entries: wire.Entry) -> BedCell:
    unit.decide([Stamped(at, entry) for entry in entries])
    encoded = unit.cell("h1-icu-1-01")
    assert encoded is not None
    return decode_bed(encoded)


@given(st.lists(st.sampled_from(sorted({act for act, _ in ACTS})), max_size=12))
def test_no_series_of_acts_leads_out_of_the_drawn_states_or_back_from_an_end(
    acts: list[str],
) -> None:
    stage = REQUESTED
    for act in acts:
        if act in acts_from(stage):
            ended = stage.request in ENDED
            stage = after(act, stage)
            assert not ended or stage.request == "entered-in-error"
        else:
            with pytest.raises(Conflict):
                after(act, stage)


@given(st.permutations(range(1, 6)), st.data())
def test_late_and_repeated_events_never_move_an_order_back(
    order: list[int], data: st.DataObject
) -> None:
    """Whatever arrives in whatever order: in the end the order is done, as its last event says."""
    stages = {1: REQUESTED, 2: Stage("active", "accepted"), 3: Stage("active", "in-progress"),
              4: Stage("on-hold", "in-progress"), 5: DONE}  # fmt: skip
    known: dict[str, BedsideOrder] = {}
    for version in [*order, data.draw(st.sampled_from(order))]:
        before = known["o1"].version if known else 0
        known = taken(known, changed(version, stages[version]))
        assert known["o1"].version >= before
    assert not is_open(known["o1"])


def test_an_order_is_counted_active_then_due_then_overdue_as_time_passes() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    due = NOON + 2 * DUE_SOON_US
    assert board_at(unit, NOON, changed(1, due_at=due)).orders == {
        "active": 1, "due": 0, "overdue": 0,
    }  # fmt: skip
    soon = board_at(unit, due - SECOND, wire.Tick(at=0))
    assert soon.orders["due"] == 1
    late = board_at(unit, due + SECOND, wire.Tick(at=0))
    assert late.orders == {"active": 1, "due": 0, "overdue": 1}


def test_a_completed_order_leaves_the_board() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    board_at(unit, NOON, changed(1))
    assert board_at(unit, NOON + SECOND, changed(2, DONE)).orders["active"] == 0


def test_a_repeat_from_the_relay_changes_nothing() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    before = board_at(unit, NOON, changed(1), changed(2, Stage("active", "accepted")))
    assert board_at(unit, NOON + SECOND, changed(1)) == before
