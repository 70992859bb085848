"""Corrections of charted values in the live state: what does not hold is gone from the board. Pure.

The archive keeps the old value beside the correction; here only what is shown and summed changes.
What somebody charted is the patient's and goes along to another bed, and so does its correction.
"""

from __future__ import annotations

from hospital_ops import bindings, codes, wire
from icu import left, record, tracking, values
from icu.state import BedState, UnitState

_observed = wire.decoder(wire.Observed)


def take(state: UnitState, entry: wire.Corrected) -> BedState | None:
    """Takes the old value off whoever it is of; answers the bed where that changed anything.

    In the bed where it was charted the new value follows as any value does; to another bed, also
    of another unit, it comes with the correction.
    """
    charted_at = state.beds.get(entry.bed)
    whose = bindings.at(charted_at.history, entry.determined_at) if charted_at else None
    patient_id = entry.patient_id or (whose.patient_id if whose else "")
    beds = (b for b in state.beds.values() if b.history and patient_id)
    bed = next((b for b in beds if b.history[-1].patient_id == patient_id), charted_at)
    left.corrected(state, patient_id, lambda kept: _off(kept, entry))
    if bed is None:
        return None
    changed = _off(bed, entry)
    if entry.instead and bed.bed != entry.bed:
        message = _observed(entry.instead)
        for observation in message.observations:
            changed |= _put(bed, message, observation, state.now)
    return bed if changed else None


def _put(bed: BedState, message: wire.Observed, observation: wire.Observation, now: int) -> bool:
    at = observation.determined_at or message.received_at
    name = values.name_of(bed, observation)
    outcome = values.take(bed, message, observation, name, at, message.source)
    shown = bed.values[name] if outcome == "shown" else None
    return tracking.note(bed, observation, shown, at, now) or shown is not None


def _off(bed: BedState, entry: wire.Corrected) -> bool:
    shown = bed.values.get(entry.code)
    gone = shown is not None and (shown.at, shown.value) == (entry.determined_at, entry.value)
    if gone:
        del bed.values[entry.code]
        bed.times.pop(entry.code, None)
    vital = codes.by_code.get(entry.code)
    key = record.key_of(entry.code, vital.ucum if vital else "")
    value = entry.value
    if key and record.forget(bed.record, key, entry.determined_at, value, entry.channel):
        return True
    return gone
