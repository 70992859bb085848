"""Somebody who is expected in an intensive care unit, as its board tells it."""

from __future__ import annotations

from typing import Any

from hospital_ops.clock import iso
from hospital_ops.wire_forms import Form


class ComingCell(Form, frozen=True):
    """Somebody who is expected in an intensive care unit, without a name."""

    transfer: str
    state: str  # accepted, left
    words: str  # from where, sex and age
    bed: str = ""  # kept for the patient
    eta: int = 0  # 0: not said
    mode: str = "Real"


def coming_json(one: ComingCell) -> dict[str, Any]:
    """The public form of somebody who is expected."""
    return {
        "transfer": one.transfer,
        "state": one.state,
        "words": one.words,
        "bed": one.bed or None,
        "eta": iso(one.eta) if one.eta else None,
        "mode": one.mode,
    }
