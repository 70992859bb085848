"""An ADT event taken into a unit with all that hangs on the person: who lies where, and what goes
along to another bed or another unit, stays behind or ends. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hospital_ops import wire
from hospital_ops.board import PatientCell, Shown
from icu import (
    admissions,
    alarms,
    bedside_orders,
    carrying,
    kin,
    left,
    quiet,
    silencing,
    tracking,
)
from icu.alarms import Turn
from icu.state import BedState, UnitState

BedOf = Callable[[str], BedState]


@dataclass(slots=True)
class Moved:
    """What an event came to."""

    dirty: set[str] = field(default_factory=set)  # cells to show anew
    turns: dict[str, Turn] = field(default_factory=dict)  # beds of which something went or came
    person: PatientCell | None = None
    elsewhere: list[tuple[str, wire.Entry]] = field(default_factory=list)  # for other units


def take(state: UnitState, bed_of: BedOf, event: wire.Admission) -> Moved:
    """Binds and frees the beds of the event; what hangs on the patient follows."""
    found, early = Moved(), dict[str, Turn]()
    if (leaves := carrying.leaving(state, event)) is not None:
        early[leaves.bed] = turn = Turn(state, leaves, state.now)
        who = turn.patient_id
        carried = carrying.packed(turn)
        found.elsewhere.append((event.to_unit, carrying.sent(state, event, who, carried)))
    touched = [state.beds[name] for name in (event.prior_bed, event.bed) if name in state.beds]
    own = {bed.bed: carrying.own_values(bed) for bed in touched}
    before = {bed.bed: left.of(bed) for bed in touched}
    anew = carrying.anew(state, event)
    found.person, changed, moved = admissions.take(state, bed_of, event)
    if anew and carrying.bed_of(state, event.patient.mrn) is not None:
        carrying.forget_limits(state, found.person.patient_id)
    carrying.came_back(state, event, found.person)
    found.dirty.update(changed, kin.near(state, (found.person.patient_id,)))
    tracking.move(state, moved)
    for name in moved:
        turn = found.turns[name] = Turn(state, bed_of(name), state.now)
        if name in early:
            turn.events, turn.red = early[name].events, early[name].red
    _along(moved, found.turns, own)
    for name, who in moved.items():
        if who and name in before and name not in early and _bed_of(state, who) is None:
            left.keep(state, name, who, before[name])
    _back(state, found, moved, before, anew=anew)
    return found


def _back(
    state: UnitState,
    found: Moved,
    moved: dict[str, str],
    before: dict[str, left.Known],
    *,
    anew: bool,
) -> None:
    """Whoever had left and lies here again: a leaving taken back, or a new stay."""
    who = found.person.patient_id if found.person else ""
    turn = next((turn for turn in found.turns.values() if who and turn.patient_id == who), None)
    if turn is None or who in moved.values():
        return
    if anew:
        left.forget(state, who)
        return
    # What the empty bed has heard since they left is theirs; of somebody else's stay nothing is.
    since, heard = turn.bed.history[-1].from_at, before.get(turn.bed.bed)
    empty = not moved.get(turn.bed.bed) and heard is not None and heard.record.began_at >= since
    left.back(turn, heard.record if empty and heard else None)


def entered(state: UnitState, bed_of: BedOf, entry: wire.StayEntered) -> Moved:
    """Somebody comes from another unit with all that is known there; done once."""
    if not carrying.is_new(state, entry):
        return Moved()
    # Whoever has left again since is not put to bed: a cancelled move counts from an older moment.
    over = carrying.left_since(state, entry.admission)
    found = Moved() if over else take(state, bed_of, entry.admission)
    bed = carrying.bed_of(state, entry.admission.patient.mrn)
    if bed is not None:
        turn = found.turns.setdefault(bed.bed, Turn(state, bed, state.now))
        carrying.unpacked(turn, entry)
    elif (onward := carrying.onward(state, entry)) is not None:
        found.elsewhere.append(onward)
    return found


def _bed_of(state: UnitState, patient_id: str) -> BedState | None:
    beds = state.beds.values()
    return next((b for b in beds if b.history and b.history[-1].patient_id == patient_id), None)


def _along(moved: dict[str, str], turns: dict[str, Turn], own: dict[str, dict[str, Shown]]) -> None:
    """Alarms, silences, orders and results go along to another bed, or end where they are."""
    silencing.let_ring(turns.values())
    for name, who in moved.items():
        to = next((t for t in turns.values() if who and t.patient_id == who), None)
        quiet.leave(turns[name], who, to)
        if who:
            alarms.leave(turns[name], who, to)
        if to is not None:
            to.bed.orders |= bedside_orders.along(turns[name].bed.orders, who)
            carrying.show(to.bed, own.get(name, {}))
    for turn in turns.values():
        turn.bed.orders = bedside_orders.kept(turn.bed.orders, turn.patient_id)
        for alarm in turn.bed.alarms.values():
            alarm.patient_id = alarm.patient_id or turn.patient_id
