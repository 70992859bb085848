"""What a board is told of a bed."""

from __future__ import annotations

from hospital_ops.board import BedCell
from icu import alarms, clocks
from icu.state import BedState


def bed_cell(bed: BedState, now: int) -> BedCell:
    """The cell of a bed at a moment."""
    binding = bed.history[-1] if bed.history else None
    patient = bed.people.get(binding.patient_id) if binding else None
    flags = []
    if patient is None and bed.values:
        flags.append("patient_not_confirmed")
    if patient is not None and bed.claimed_other_at and binding:
        flags.append("check_patient")
    if clocks.is_off(bed, now):
        flags.append("clock_offset")
    return BedCell(
        bed=bed.bed,
        label=bed.label,
        patient=patient,
        values=dict(bed.values),
        alarms=alarms.cells(bed),
        orders=dict(bed.order_counts),
        flags=tuple(flags),
        mode=bed.mode,
        device=bed.device,
        aged_at=bed.aged_at,
    )
