"""Who lies in which bed: an ADT event taken into a unit's state, and the person it tells of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from hospital_ops import bindings, wire
from hospital_ops.board import PatientCell
from hospital_ops.wire import replaced
from icu import sameness
from icu.state import BedState, UnitState

TWO_BEDS: Final = "- two beds"  # what asks for a look, beside the numbers that messages name


class Admitted(NamedTuple):
    """What an ADT event came to."""

    person: PatientCell  # with what earlier messages said
    touched: tuple[str, ...]  # beds whose history it changed
    moved: dict[str, str]  # bed -> who lay there until now (empty: nobody)


def take(state: UnitState, bed_of: Callable[[str], BedState], event: wire.Admission) -> Admitted:
    """Binds and frees the beds of the event; values of whoever lay there before are gone."""
    own = (event.bed,) if event.from_unit else (event.prior_bed, event.bed)
    histories = {name: bed_of(name).history for name in own if name}
    of_unit = [bed.history for bed in state.beds.values()]
    who = bindings.person(event, state.hospital, histories, state.numbers, of_unit)
    ruling = {}
    if not bindings.is_of_an_earlier_visit(event, of_unit):
        ruling = bindings.of_admission(event, state.hospital, histories, who)
    person = _known(state, _person(event, who.patient_id), event)
    moved: dict[str, str] = {}
    for name, binding in ruling.items():
        bed = bed_of(name)
        before = bed.history[-1].patient_id if bed.history else ""
        history = bindings.bound(bed.history, binding)
        if history == bed.history:
            continue  # told again: what came along with the patient stays
        bed.history = history
        if binding.patient_id:
            bed.people[person.patient_id] = person
        bed.people = {p: bed.people[p] for p in _needed(bed) if p in bed.people}
        now = state.now
        bed.values = {
            n: v for n, v in bed.values.items() if bindings.same_stay(bed.history, v.at, now)
        }
        if bed.history[-1].patient_id != before:
            # Never carried over a new admission (clinical/observation_classes.json).
            bed.values = {n: v for n, v in bed.values.items() if v.at >= binding.from_at}
            bed.times = {n: t for n, t in bed.times.items() if n in bed.values}
            bed.probes = {}
            bed.claimed_other_at, bed.claimed_other, bed.confirmed_claim = 0, "", ""
            moved[name] = before
        bed.mode = event.mode
    touched = dict.fromkeys(ruling)
    if ruling:
        _displace(state, bed_of, person.patient_id, moved)
        touched |= dict.fromkeys(_twice(state, event.patient.mrn))
    if bindings.is_given_away(histories.get(event.bed, ()), event):
        touched |= dict.fromkeys(_without_bed(state, bed_of(event.bed), person.patient_id))
    return Admitted(person, tuple(touched), moved)


def claim(bed: BedState, mrn: str, at: int) -> None:
    """A message says that somebody else lies here: "check patient" until somebody has looked.

    Once a person has confirmed who lies here, the same claim does not ask again before the next
    admission; its values stay unassigned, for nobody has corrected the sender.
    """
    name = mrn or "-"
    if name == bed.confirmed_claim:
        return
    bed.claimed_other_at, bed.claimed_other = at, name


def confirm(bed: BedState, now: int) -> None:
    """Somebody has looked: the patient whom the board shows lies here."""
    bed.displaced = ""
    if bed.claimed_other_at:
        if bed.claimed_other not in sameness.REASONS:  # these ask anew at the next move
            bed.confirmed_claim = bed.claimed_other or bed.confirmed_claim
        bed.claimed_other_at, bed.claimed_other = 0, ""
        sameness.confirmed(bed.record, now)


def _displace(
    state: UnitState, bed_of: Callable[[str], BedState], patient_id: str, moved: dict[str, str]
) -> None:
    """Says so where somebody was admitted to a bed that its patient has not left.

    Whoever has a bed by this event, or has left, is no longer missing.
    """
    for bed in state.beds.values():
        if bed.displaced in (patient_id, _lying(bed)):
            bed.displaced = ""
    for name, before in moved.items():
        bed, lying = bed_of(name), _lying(bed_of(name))
        if not lying:
            bed.displaced = ""
        elif before and before not in map(_lying, state.beds.values()):
            bed.displaced = before


def _without_bed(state: UnitState, given: BedState, patient_id: str) -> list[str]:
    """Somebody whose bed was given to another is here again (A13): the bed says so."""
    if _lies(state, patient_id):
        return []
    given.displaced = patient_id
    return [given.bed]


def parts(state: UnitState, event: wire.Admission) -> tuple[wire.Admission, ...]:
    """An event as what it says, one after the other: a new visit ends the stay before it."""
    histories = {bed.bed: bed.history for bed in state.beds.values()}
    return bindings.parts(event, histories)


def _twice(state: UnitState, number: str) -> list[str]:
    """One patient in two beds: both ask for a look, until it is one bed again; answers the beds."""
    beds = [bed for bed in state.beds.values() if _is_called(bed, number)]
    for bed in beds:
        if len(beds) > 1 and bed.confirmed_claim != TWO_BEDS:
            bed.claimed_other_at, bed.claimed_other = state.now, TWO_BEDS
        elif len(beds) == 1 and bed.claimed_other == TWO_BEDS:
            bed.claimed_other_at, bed.claimed_other = 0, ""
    return [bed.bed for bed in beds]


def _lying(bed: BedState) -> str:
    return bed.history[-1].patient_id if bed.history else ""


def _is_called(bed: BedState, number: str) -> bool:
    return bool(_lying(bed)) and bed.history[-1].is_called(number)


def _known(state: UnitState, person: PatientCell, event: wire.Admission) -> PatientCell:
    """The person with what an earlier message said, at whichever bed."""
    admitted = event.trigger == "A01"
    begins = admitted or bool(event.from_unit)
    for bed in state.beds.values():
        known = bed.people.get(person.patient_id)
        if known is not None:
            if begins and not _lies(state, person.patient_id):
                # A new stay, or one that goes on from another unit, which tells what holds.
                known = replaced(
                    known,
                    agreed=(),
                    agreed_at=0,
                    limits=(),
                    isolation=(),
                    case="",
                    lowest=(),
                    weight=None,
                    admitted_at=person.admitted_at,
                )
            elif event.trigger == "A02" and event.bed and not _lies(state, person.patient_id):
                # From where, nobody said.
                known = replaced(known, agreed=(), agreed_at=0, limits=(), isolation=())
            return _merged(known, person, person if admitted else known)
    return person


def agreed(state: UnitState, entry: wire.CareAgreed) -> list[str]:
    """What holds for a patient from now on; answers the beds where it is to be seen."""
    touched = []
    for bed in state.beds.values():
        known = bed.people.get(entry.patient_id)
        if known is None or entry.at < known.agreed_at:
            continue  # what is passed on after a patient may come late, and twice
        bed.people[entry.patient_id] = replaced(
            known, agreed=entry.agreed, agreed_at=entry.at, limits=entry.limits
        )
        if (known.agreed, known.limits) != (entry.agreed, entry.limits):
            touched.append(bed.bed)
    return touched


def flagged(state: UnitState, entry: wire.Flagged) -> list[str]:
    """Which flags a patient has from now on; answers the beds where that is to be seen."""
    touched = []
    for bed in state.beds.values():
        known = bed.people.get(entry.patient_id)
        if known is None or entry.version < known.flags_version:
            continue  # as an agreement: late, and twice
        told = replaced(
            known,
            isolation=entry.isolation,
            allergy=entry.allergy,
            flags_version=entry.version,
        )
        bed.people[entry.patient_id] = told
        if (known.isolation, known.allergy) != (told.isolation, told.allergy):
            touched.append(bed.bed)
    return touched


def _merged(known: PatientCell, said: PatientCell, admitted: PatientCell) -> PatientCell:
    """Facts that a later message leaves out stay as they were."""
    return PatientCell(
        patient_id=said.patient_id,
        mrn=said.mrn,
        initials=said.initials or known.initials,
        name=said.name or known.name,
        sex=said.sex if said.sex != "unknown" else known.sex,
        birth_date=said.birth_date or known.birth_date,
        admitted_at=admitted.admitted_at,
        age_years=known.age_years if said.age_years is None else said.age_years,
        case=said.case or known.case,
        agreed=known.agreed,
        agreed_at=known.agreed_at,
        limits=known.limits,
        lowest=said.lowest or (known.lowest if said.case in ("", known.case) else ()),
        weight=said.weight or (known.weight if said.case in ("", known.case) else None),
        isolation=known.isolation,
        allergy=known.allergy,
        flags_version=known.flags_version,
    )


def _lies(state: UnitState, patient_id: str) -> bool:
    beds = state.beds.values()
    return any(bed.history and bed.history[-1].patient_id == patient_id for bed in beds)


def _needed(bed: BedState) -> set[str]:
    return {binding.patient_id for binding in bed.history if binding.patient_id}


def merge(state: UnitState, event: wire.Merged) -> list[str]:
    """Tells the beds of the unit that two numbers are one person's; answers which it touched."""
    touched = []
    state.numbers = bindings.one_person(state.numbers, event)
    for bed in state.beds.values():
        history = bindings.merged(bed.history, event, state.hospital)
        if history == bed.history:
            continue
        bed.history = history
        if bed.claimed_other in (event.mrn, *event.merged):
            bed.claimed_other_at, bed.claimed_other = 0, ""
        for one in history:
            person = bed.people.get(one.patient_id)
            if person is not None and person.mrn != one.mrn:
                bed.people[one.patient_id] = wire.replaced(person, mrn=one.mrn)
        touched.append(bed.bed)
    return list(dict.fromkeys((*touched, *_twice(state, event.mrn))))


def _person(event: wire.Admission, patient_id: str) -> PatientCell:
    facts = event.patient
    initials = "".join(f"{part[:1].upper()}." for part in (facts.family, facts.given) if part)
    return PatientCell(
        patient_id=patient_id,
        mrn=facts.mrn,
        initials=initials,
        name=f"{facts.family} {facts.given}".strip(),
        sex=facts.sex,
        birth_date=facts.birth_date,
        admitted_at=event.event_at,
        age_years=facts.age_years,
        case=event.case,
        lowest=event.lowest,
        weight=event.weight,
    )
