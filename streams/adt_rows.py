"""ADT events as rows of the archive: pure."""

from __future__ import annotations

from typing import Any

from hospital_ops import identity, wire
from hospital_ops.bindings import Binding
from hospital_ops.clock import to_datetime
from streams.shard import hospital_of

Row = tuple[Any, ...]


def link(event: wire.Admission, shard: str, entry_id: str, number: str) -> Row:
    """A number that became another one of the same person (A40)."""
    hospital, person = hospital_of(shard), event.patient
    return (
        hospital, "merged", identity.patient_id(hospital, number), number,
        identity.patient_id(hospital, person.mrn), person.mrn, to_datetime(event.event_at),
        to_datetime(event.received_at), event.source, entry_id,
    )  # fmt: skip


def of_patient(event: wire.Admission, shard: str, entry_id: str, who: str, bed: str) -> Row:
    """What the event says of the patient `who`, who has `bed` by it (empty: none)."""
    person = event.patient
    return (
        hospital_of(shard), shard, who, person.mrn, person.family, person.given, person.sex,
        person.birth_date, event.trigger, bed, event.prior_bed, event.visit,
        to_datetime(event.event_at), to_datetime(event.received_at), event.mode, event.source,
        event.case or None, entry_id,
    )  # fmt: skip


def binding(shard: str, entry_id: str, bed: str, told: Binding) -> Row:
    """Who lies in a bed from when on, or whose leaving it was told."""
    return (
        hospital_of(shard), shard, bed, to_datetime(told.from_at), told.patient_id or None,
        told.mrn or told.left, entry_id,
    )  # fmt: skip
