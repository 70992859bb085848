"""Mother and child: who belongs to whom in a unit. Their values never meet: each has a bed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hospital_ops import wire
from hospital_ops.board import KinCell
from hospital_ops.wire import Kin
from icu.state import UnitState

PERSONS_MOST: Final = 2000  # of a hospital, each with the own links; the oldest are forgotten
CHILDREN: Final = 16  # of one mother


def take(state: UnitState, told: wire.Kin) -> list[str]:
    """A link that was made or ended; answers the beds where it is to be seen."""
    for person in (told.child_id, told.mother_id):
        known = state.kin.setdefault(person, {})
        known.pop(told.kin, None)
        if not told.ended and len(known) < CHILDREN:
            known[told.kin] = told
        if not known:
            del state.kin[person]
    while len(state.kin) > PERSONS_MOST:
        del state.kin[next(iter(state.kin))]
    return list(filter(None, (_bed_of(state, p) for p in (told.child_id, told.mother_id))))


def near(state: UnitState, patients: Iterable[str]) -> list[str]:
    """The beds of the mothers and children of these people, who came or left."""
    found = [
        _bed_of(state, other)
        for patient in patients
        for link in state.kin.get(patient, {}).values()
        for other in (link.child_id, link.mother_id)
    ]
    return list(filter(None, found))


def cells(state: UnitState, patient_id: str) -> tuple[KinCell, ...]:
    """What the banner of a patient says of mother and children."""
    return tuple(_cell(state, link, patient_id) for link in state.kin.get(patient_id, {}).values())


def _cell(state: UnitState, link: Kin, patient_id: str) -> KinCell:
    if patient_id == link.child_id:
        return KinCell("mother", link.mother_mrn, _bed_of(state, link.mother_id))
    return KinCell("child", link.child_mrn, _bed_of(state, link.child_id))


def _bed_of(state: UnitState, patient_id: str) -> str:
    beds = state.beds.values()
    return next((b.bed for b in beds if b.history and b.history[-1].patient_id == patient_id), "")
