"""Corrections of charted values in the live state: what does not hold is gone from the board. Pure.

The archive keeps the old value beside the correction; here only what is shown and summed changes.
"""

from __future__ import annotations

from hospital_ops import bindings, codes, wire
from icu import left, record
from icu.state import BedState, UnitState


def take(state: UnitState, entry: wire.Corrected) -> BedState | None:
    """Takes the old value off whoever it is of; answers the bed where that changed anything."""
    charted_at = state.beds.get(entry.bed)
    if charted_at is None:
        return None
    whose = bindings.at(charted_at.history, entry.determined_at)
    patient_id = whose.patient_id if whose else ""
    beds = (b for b in state.beds.values() if b.history and patient_id)
    bed = next((b for b in beds if b.history[-1].patient_id == patient_id), charted_at)
    left.corrected(state, patient_id, lambda kept: _off(kept, entry))
    return bed if _off(bed, entry) else None


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
