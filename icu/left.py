"""Who has left the unit, or was said to have died: what was known of them, should that be an error.

A leaving that is taken back (ADT A13) gives back the record, results and values with the times
they had, and comfort care; a new stay begins with none of it. What was measured meanwhile counts
too, where nobody else lay there. Where nothing is kept any more the record says since when it
knows (`Record.known_from`), and no sum of it passes for a whole one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hospital_ops import wire
from hospital_ops.board import QuietCell, Shown
from hospital_ops.wire import State, field
from icu import record, sameness
from icu.alarms import Turn
from icu.record import DAY, Record
from icu.state import BedState, Left, Support, UnitState

COMFORT: Final = "comfort"  # the silence that is the patient's
KEPT_US: Final = DAY
KEPT: Final = 50  # people; in every snapshot


class Known(State):
    """What was known of one patient at a bed."""

    record: Record = field(default_factory=Record)
    values: dict[str, Shown] = field(default_factory=dict)
    times: dict[str, tuple[int, ...]] = field(default_factory=dict)
    comfort: QuietCell | None = None
    support: Support | None = None


_load: Callable[[bytes], Known] = wire.decoder(Known)


def of(bed: BedState) -> Known:
    """What a bed knows now; it shares the bed's own objects."""
    return Known(bed.record, bed.values, bed.times, bed.quiets.get(COMFORT), bed.support)


def keep(state: UnitState, bed: str, patient_id: str, known: Known) -> None:
    """Keeps what was known of somebody who leaves, or is said to have died."""
    before = state.left.pop(patient_id, None)
    if before is not None:
        earlier = _load(before.known)
        known = Known(
            known.record,
            _newest(earlier.values, known.values),
            earlier.times | known.times,
            known.comfort or earlier.comfort,
            known.support or earlier.support,
        )
    if known.support and known.support.patient_id != patient_id:
        known = wire.replaced(known, support=None)
    state.left[patient_id] = Left(state.now, bed, wire.encode(known))
    for name, one in list(state.left.items()):
        if len(state.left) <= KEPT and one.at > state.now - KEPT_US:
            break
        del state.left[name]


def forget(state: UnitState, patient_id: str) -> None:
    """A new stay begins: nothing of the one before is carried into it."""
    state.left.pop(patient_id, None)


def back(turn: Turn, meanwhile: Record | None = None) -> None:
    """Gives back to a bed what is known of the patient who lies there again.

    `meanwhile`: the record of the empty bed since they left.
    """
    bed, patient_id = turn.bed, turn.patient_id
    here = meanwhile or Record()
    left = turn.unit.left.pop(patient_id, None)
    if left is None:
        bed.record = here
        bed.record.known_from = here.began_at or bed.history[-1].from_at
        return
    known = _load(left.known)
    bed.record = record.joined(known.record, here)
    if not bed.record.known.shapes:
        bed.record.known = known.record.known
    sameness.moved(bed.record, turn.now)
    _show(bed, left, known)
    if known.comfort is not None and known.comfort.until > turn.now:
        bed.quiets.setdefault(COMFORT, known.comfort)
    if known.support and (bed.support is None or bed.support.patient_id != patient_id):
        bed.support = known.support


def lives(turn: Turn) -> None:
    """The recorded death is taken back while they still lie here: their values are there again."""
    left = turn.unit.left.pop(turn.patient_id, None)
    if left is not None:
        _show(turn.bed, left, _load(left.known))


def corrected(state: UnitState, patient_id: str, take: Callable[[BedState], bool]) -> None:
    """Takes a value that was entered in error off what is kept of somebody."""
    left = state.left.get(patient_id)
    if left is None:
        return
    known = _load(left.known)
    bed = BedState(left.bed, "", values=known.values, times=known.times, record=known.record)
    if take(bed):
        state.left[patient_id] = wire.replaced(left, known=wire.encode(known))


def _show(bed: BedState, left: Left, known: Known) -> None:
    """Values of a monitor come back to their own bed only; what is newer there stays."""
    own = ("typed", "laboratory")
    for name, shown in known.values.items():
        if bed.bed == left.bed or shown.origin in own:
            here = bed.values.get(name)
            if here is None or here.at < shown.at:
                bed.values[name] = shown
                bed.times[name] = known.times.get(name, ())


def _newest(earlier: dict[str, Shown], later: dict[str, Shown]) -> dict[str, Shown]:
    found = dict(earlier)
    for name, shown in later.items():
        if name not in found or found[name].at <= shown.at:
            found[name] = shown
    return found
