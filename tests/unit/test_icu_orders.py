"""Orders at the bed: they move along the drawn states only, and the board counts what is due."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital_ops import identity, wire
from hospital_ops.board import BedCell, decode_bed
from hospital_ops.clock import SECOND, from_iso
from hospital_ops.deciding import Stamped
from hospital_ops.errors import Conflict
from icu.bedside_orders import DUE_SOON_US, MINUTE_US, BedsideOrder, escalation, taken
from icu.orders import (
    ACTS,
    DONE,
    REACHABLE,
    REQUESTED,
    RUNNING,
    Plan,
    Stage,
    Standing,
    acts_from,
    after,
    step,
)
from icu.state import BedState
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


def admission(
    mrn: str, trigger: str, bed: str, *, prior_bed: str = "", at: int = NOON
) -> wire.Admission:
    return wire.Admission(
        unit="h1-icu-1", source="s", message_id=f"{mrn} {trigger} {at}", identity=b"", mode="Demo",
        received_at=at, trigger=trigger, patient=wire.PatientFacts(mrn=mrn), event_at=at, bed=bed,
        prior_bed=prior_bed,
    )  # fmt: skip


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


ONCE = Plan()
ACT_LISTS = st.lists(st.sampled_from(sorted({act for act, _ in ACTS})), max_size=14)


def lived(acts: list[str], plan: Plan = ONCE, due: int = 0) -> list[wire.OrderChanged]:
    """The events of an order that people did `acts` to; what cannot happen is refused."""
    standing, now = Standing(REQUESTED, 1, due), NOON
    events = [changed(1, due_at=due)]
    for act in acts:
        now += 7 * MINUTE_US
        if act not in acts_from(standing.stage):
            continue
        standing = step(act, standing, plan, now)
        events.append(
            changed(
                len(events) + 1,
                standing.stage,
                due_at=standing.due_at,
                occurrence=standing.occurrence,
                at=now,
                act=act,
            )
        )
    return events


@given(ACT_LISTS, st.sampled_from([0, 5 * MINUTE_US, 60 * MINUTE_US]), st.data())
def test_late_replayed_and_shuffled_events_never_move_an_order_back(
    acts: list[str], every_us: int, data: st.DataObject
) -> None:
    """Whatever arrives in whatever order and however often: each look is at least as late as the
    one before, what has ended stays ended, and in the end the order stands as its last event says.
    """
    events = lived(acts, Plan(every_us), NOON if every_us else 0)
    heard = data.draw(st.permutations([*events, *data.draw(st.lists(st.sampled_from(events)))]))
    known: dict[str, BedsideOrder] = {}
    for event in heard:
        before = known.get("o1")
        known = taken(known, event)
        if before is not None:
            assert known["o1"].version >= before.version
            assert known["o1"].occurrence >= before.occurrence
            if before.request in ENDED:
                assert known["o1"].request in ENDED
    last = events[-1]
    assert (known["o1"].version, known["o1"].request, known["o1"].task) == (
        last.version, last.request, last.task,
    )  # fmt: skip


@given(st.sampled_from(sorted(REACHABLE)), st.sampled_from(sorted(REACHABLE)))
def test_an_event_that_no_act_could_have_caused_changes_nothing(start: Stage, to: Stage) -> None:
    """Also under a newer number: the hospital's own system may send what it likes."""
    known = taken({}, changed(1, start))
    after_it = taken(known, changed(2, to))["o1"].stage
    assert after_it == (to if to in REACHABLE[start] else start)


@given(st.integers(5, 300), st.lists(st.integers(1, 400), max_size=12), st.integers(0, 6))
def test_a_recurring_order_keeps_to_its_grid_and_counts_what_was_missed(
    every_min: int, waits: list[int], times: int
) -> None:
    plan = Plan(every_min * MINUTE_US, times)
    standing, now, done, missed = Standing(REQUESTED, 1, NOON), NOON, 0, 0
    for wait in waits:
        if standing.stage != REQUESTED:
            break
        now += wait * MINUTE_US
        standing = step("complete", standing, plan, now)
        done, missed = done + 1, missed + standing.missed
        if standing.stage == REQUESTED:
            assert (standing.due_at - NOON) % plan.every_us == 0
            assert standing.due_at > now
            assert standing.occurrence == 1 + done + missed
    if times:
        assert standing.occurrence <= times


HOUR = 60 * MINUTE_US


def test_a_dose_given_late_makes_the_next_one_due_a_whole_distance_later() -> None:
    """Due 14:50, given 20:44: the next is due at 02:44, not six minutes later."""
    plan = Plan(6 * HOUR, spaced=True)
    given = NOON + 5 * HOUR + 54 * MINUTE_US
    following = step("complete", Standing(REQUESTED, 2, NOON), plan, given)
    assert following == Standing(REQUESTED, 3, given + 6 * HOUR, 0)
    early = step("complete", Standing(REQUESTED, 2, NOON), plan, NOON - HOUR)
    assert early.due_at == NOON + 6 * HOUR


@given(st.integers(5, 300), st.lists(st.integers(1, 900), min_size=1, max_size=12))
def test_no_dose_is_ever_due_sooner_than_its_distance_after_the_one_before(
    every_min: int, waits: list[int]
) -> None:
    plan = Plan(every_min * MINUTE_US, spaced=True)
    standing, now = Standing(REQUESTED, 1, NOON), NOON
    for wait in waits:
        now += wait * MINUTE_US
        standing = step("complete", standing, plan, now)
        assert standing.due_at >= now + plan.every_us


def test_what_is_not_a_dose_keeps_to_its_grid_however_late_it_was_done() -> None:
    late = step("complete", Standing(REQUESTED, 1, NOON), Plan(HOUR), NOON + 50 * MINUTE_US)
    assert late.due_at == NOON + HOUR


def test_a_done_that_was_none_makes_the_same_time_due_again_and_ends_only_what_had_ended() -> None:
    plan = Plan(6 * HOUR, spaced=True)
    done = step("complete", Standing(REQUESTED, 1, NOON), plan, NOON)
    again = step("undo", done, plan, NOON + MINUTE_US, NOON)
    assert (again.stage, again.due_at) == (REQUESTED, NOON)
    ended = step("undo", Standing(DONE, 1, NOON), Plan(), NOON)
    assert ended.stage == Stage("entered-in-error", "completed")


def test_the_last_occurrence_completes_the_order() -> None:
    plan = Plan(60 * MINUTE_US, times=2)
    first = step("complete", Standing(REQUESTED, 1, NOON), plan, NOON + MINUTE_US)
    assert first == Standing(REQUESTED, 2, NOON + 60 * MINUTE_US, 0)
    assert step("complete", first, plan, NOON + 61 * MINUTE_US).stage == DONE


def test_what_was_on_hold_is_not_overdue_for_the_time_of_the_pause() -> None:
    plan = Plan(60 * MINUTE_US)
    held = step("hold", Standing(REQUESTED, 1, NOON), plan, NOON)
    resumed = step("resume", held, plan, NOON + 150 * MINUTE_US)
    assert resumed == Standing(REQUESTED, 1, NOON + 180 * MINUTE_US, 0)


def test_an_overdue_order_goes_to_the_next_person_step_by_step_and_is_told_once_a_step() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    board_at(unit, NOON, changed(1, due_at=NOON + SECOND))
    told, steps = [], []
    for minute in range(0, 90, 5):
        at = NOON + 2 * SECOND + minute * MINUTE_US
        decisions = unit.decide([Stamped(at, wire.Tick(at=0))])
        told += [e.detail for e in decisions.outputs if isinstance(e, wire.Audited)]
        cell = unit.cell("h1-icu-1-01")
        assert cell is not None
        steps.append(decode_bed(cell).orders["escalated"])
    assert told == ["step 2: charge nurse", "step 3: physician on call"]
    assert steps == sorted(steps)
    assert steps[-1] == 1


def test_whoever_takes_an_overdue_order_on_gets_the_time_anew() -> None:
    late = NOON + 40 * MINUTE_US
    assert escalation("laboratory", "routine", REQUESTED, NOON, NOON, late)[0] == 2
    assert escalation("laboratory", "routine", RUNNING, NOON, late, late + SECOND)[0] == 1


def test_an_infusion_that_runs_is_not_overdue_but_a_sample_that_was_begun_is() -> None:
    late = NOON + 200 * MINUTE_US
    assert escalation("infusion", "stat", RUNNING, NOON, NOON, late)[0] == 0
    assert escalation("laboratory", "stat", RUNNING, NOON, NOON, late)[0] == 3


def test_a_patient_who_changes_beds_takes_the_orders_along() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    mrn, other = "m1", "h1-icu-1-02"
    patient = identity.patient_id("h1", mrn)
    unit.decide([Stamped(NOON, admission(mrn, "A01", "h1-icu-1-01"))])
    board_at(unit, NOON, changed(1, patient_id=patient))
    moved = admission(mrn, "A02", other, prior_bed="h1-icu-1-01", at=NOON + SECOND)
    assert board_at(unit, NOON + SECOND, moved).orders["active"] == 0
    there = unit.cell(other)
    assert there is not None
    assert decode_bed(there).orders["active"] == 1
    late = changed(2, DONE, patient_id=patient)  # it still names the bed of the first day
    unit.decide([Stamped(NOON + 2 * SECOND, late)])
    there = unit.cell(other)
    assert there is not None
    assert decode_bed(there).orders["active"] == 0


def test_the_next_patient_of_a_bed_has_none_of_the_orders_of_the_one_before() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    patient = identity.patient_id("h1", "m1")
    unit.decide([Stamped(NOON, admission("m1", "A01", "h1-icu-1-01"))])
    assert board_at(unit, NOON, changed(1, patient_id=patient)).orders["active"] == 1
    home = admission("m1", "A03", "h1-icu-1-01", at=NOON + SECOND)
    following = admission("m2", "A01", "h1-icu-1-01", at=NOON + 2 * SECOND)
    assert board_at(unit, NOON + 3 * SECOND, home, following).orders["active"] == 0


def test_a_snapshot_of_the_version_before_still_loads_with_its_orders() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    board_at(unit, NOON, changed(1, due_at=NOON + SECOND))
    state = unit.state
    old = {"o1": ["o1", 1, "laboratory", "lactate", "active", "requested", NOON + SECOND]}
    fields = msgspec.msgpack.decode(unit.dump())
    beds = fields[list(type(state).__struct_fields__).index("beds")]
    bed = beds["h1-icu-1-01"]
    bed[list(BedState.__struct_fields__).index("orders")] = old
    again = IcuUnit("h1-icu-1", "h1", msgspec.msgpack.encode(fields))
    later = board_at(again, NOON + 5 * SECOND, wire.Tick(at=0))
    assert later.orders["overdue"] == 1


def test_an_order_is_counted_active_then_due_then_overdue_as_time_passes() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    due = NOON + 2 * DUE_SOON_US
    assert board_at(unit, NOON, changed(1, due_at=due)).orders == {
        "active": 1, "due": 0, "overdue": 0, "escalated": 0,
    }  # fmt: skip
    soon = board_at(unit, due - SECOND, wire.Tick(at=0))
    assert soon.orders["due"] == 1
    late = board_at(unit, due + SECOND, wire.Tick(at=0))
    assert late.orders == {"active": 1, "due": 0, "overdue": 1, "escalated": 0}


def test_a_completed_order_leaves_the_board() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    board_at(unit, NOON, changed(1))
    assert board_at(unit, NOON + SECOND, changed(2, DONE)).orders["active"] == 0


def test_a_repeat_from_the_relay_changes_nothing() -> None:
    unit = IcuUnit("h1-icu-1", "h1")
    before = board_at(unit, NOON, changed(1), changed(2, Stage("active", "accepted")))
    assert board_at(unit, NOON + SECOND, changed(1)) == before
