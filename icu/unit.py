"""The decisions of an intensive care unit: entries in, cells and alarms out, no clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hospital_ops import bindings, identity, wire
from hospital_ops.board import HEAD, BedCell, Head, PatientCell
from hospital_ops.deciding import PROBE_BED, Decisions, Stamped
from icu import technical, values
from icu.state import BedState, UnitState

TIMELESS_KEPT = 4096  # messages without a time whose first receipt is remembered
_load: Callable[[bytes], UnitState] = wire.decoder(UnitState)


class IcuUnit:
    """The live state of one unit (a `Decider`); changed in place, deterministic by its entries."""

    def __init__(self, unit: str, hospital: str, snapshot: bytes = b"") -> None:
        self.state = _load(snapshot) if snapshot else UnitState(unit=unit, hospital=hospital)

    def decide(self, entries: Sequence[Stamped]) -> Decisions:
        """Takes the entries in, in their order."""
        decisions = Decisions()
        for at, entry in entries:
            self.state.now = max(self.state.now, at)
            if isinstance(entry, wire.Observed):
                self._observed(entry, decisions)
            elif isinstance(entry, wire.Tick):
                self._tick(decisions)
            elif isinstance(entry, wire.Admission):
                self._admission(entry, decisions)
            elif isinstance(entry, wire.Kept):
                self._count(entry.code)
                decisions.dirty.add(HEAD)
        return decisions

    def cell(self, name: str) -> bytes | None:
        """The encoded cell of a bed, or of the unit's head."""
        if name == HEAD:
            head = Head(
                unit=self.state.unit, probe_at=self.state.probe_at, counts=dict(self.state.counts)
            )
            return wire.encode(head)
        bed = self.state.beds.get(name)
        return wire.encode(_cell(bed)) if bed else None

    def names(self) -> Sequence[str]:
        """The beds that have ever been heard of, and the head."""
        return [HEAD, *self.state.beds]

    def dump(self) -> bytes:
        """The whole state, for a snapshot."""
        return wire.encode(self.state)

    def _bed(self, bed: str) -> BedState:
        known = self.state.beds.get(bed)
        if known is None:
            label = bed.rpartition("-")[2].lstrip("0") or bed
            known = self.state.beds[bed] = BedState(bed=bed, label=label)
        return known

    def _count(self, what: str, number: int = 1) -> None:
        self.state.counts[what] = self.state.counts.get(what, 0) + number

    def _observed(self, message: wire.Observed, decisions: Decisions) -> None:
        if message.bed == PROBE_BED:
            self.state.probe_at = message.received_at
            decisions.dirty.add(HEAD)
            return
        if not message.bed:
            return
        bed = self._bed(message.bed)
        bed.device, bed.mode = message.device or message.source, message.mode
        first_receipt = self._first_receipt(message)
        changed = False
        for observation in message.observations:
            at = observation.determined_at or first_receipt
            if bindings.whose(bed.history, at, message.mrn).claimed_other:
                bed.claimed_other_at = at
            outcome = values.take(bed, message, observation, at)
            if outcome in ("late", "future"):
                self._count(outcome)
            changed |= outcome == "shown"
        if changed:
            decisions.outputs += technical.reconcile(self.state, bed, self.state.now)
            bed.next_change = values.next_change(bed, self.state.now)
            decisions.dirty.add(bed.bed)

    def _first_receipt(self, message: wire.Observed) -> int:
        """A message without a time keeps its first receive time, however often it is sent."""
        if all(o.determined_at is not None for o in message.observations):
            return message.received_at
        known = self.state.timeless
        first = known.setdefault(message.identity, message.received_at)
        while len(known) > TIMELESS_KEPT:
            del known[next(iter(known))]
        return first

    def _tick(self, decisions: Decisions) -> None:
        now = self.state.now
        for bed in self.state.beds.values():
            if bed.next_change and bed.next_change <= now:
                decisions.outputs += technical.reconcile(self.state, bed, now)
                bed.next_change, bed.aged_at = values.next_change(bed, now), now
                decisions.dirty.add(bed.bed)

    def _admission(self, event: wire.Admission, decisions: Decisions) -> None:
        person = _person(event, self.state.hospital)
        for name, binding in bindings.of_admission(event, self.state.hospital).items():
            bed = self._bed(name)
            before = bed.history[-1:] and bed.history[-1].patient_id
            bed.history = bindings.bound(bed.history, binding)
            if binding.patient_id:
                bed.people[person.patient_id] = person
            bed.people = {p: bed.people[p] for p in _needed(bed) if p in bed.people}
            now_here = bed.history[-1].patient_id
            if now_here != before:
                # Never carried over a new admission (clinical/observation_classes.json).
                bed.values = {n: v for n, v in bed.values.items() if v.at >= binding.from_at}
                bed.times = {n: t for n, t in bed.times.items() if n in bed.values}
                bed.claimed_other_at = 0
                decisions.outputs += technical.reconcile(self.state, bed, self.state.now)
            bed.mode = event.mode
            decisions.dirty.add(name)


def _needed(bed: BedState) -> set[str]:
    return {binding.patient_id for binding in bed.history if binding.patient_id}


def _person(event: wire.Admission, hospital: str) -> PatientCell:
    facts = event.patient
    initials = "".join(f"{part[:1].upper()}." for part in (facts.family, facts.given) if part)
    return PatientCell(
        patient_id=identity.patient_id(hospital, facts.mrn),
        mrn=facts.mrn,
        initials=initials,
        name=f"{facts.family} {facts.given}".strip(),
        sex=facts.sex,
        birth_date=facts.birth_date,
        admitted_at=event.event_at,
    )


def _cell(bed: BedState) -> BedCell:
    binding = bed.history[-1] if bed.history else None
    patient = bed.people.get(binding.patient_id) if binding else None
    flags = []
    if patient is None and bed.values:
        flags.append("patient_not_confirmed")
    if patient is not None and bed.claimed_other_at and binding:
        flags.append("check_patient")
    return BedCell(
        bed=bed.bed,
        label=bed.label,
        patient=patient,
        values=dict(bed.values),
        alarms=tuple(bed.alarms.values()),
        flags=tuple(flags),
        mode=bed.mode,
        device=bed.device,
        aged_at=bed.aged_at,
    )
