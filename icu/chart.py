"""Corrections of charted values in the live state: what does not hold is gone from the board. Pure.

The archive keeps the old value beside the correction; here only what is shown and summed changes.
"""

from __future__ import annotations

from hospital_ops import codes, wire
from icu import record
from icu.state import BedState


def take(bed: BedState, entry: wire.Corrected) -> bool:
    """Takes the old value off the bed; answers whether anything changed."""
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
