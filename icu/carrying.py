"""What goes along to another unit of the house: the whole live state of a patient, as one entry.

The unit that is left makes it where its stream says so, the other one takes it in. Whichever of
the two entries of a move comes first there (the admission or this one), and however often, it
comes to the same. What belongs to the bed or a device stays: bindings, curves, values of a monitor
and its clock, a stand-by, technical alarms.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hospital_ops import bindings, wire
from hospital_ops.board import PatientCell, QuietCell, Shown
from hospital_ops.identity import derived
from hospital_ops.wire import State, field, replaced
from icu import alarms, bedside_orders, quiet, record, sameness, silencing, site_limits
from icu.alarms import Turn
from icu.bedside_orders import HOSPITAL, BedsideOrder
from icu.record import HOUR, MINUTE, Record
from icu.state import Alarm, BedState, Gone, Support, UnitState
from icu.states import ACTIVE, INACTIVE

GONE_KEPT: Final = 500  # people who left for another unit
GONE_US: Final = 24 * HOUR  # so long what comes for them is passed on
ACT_US: Final = 10 * MINUTE  # an act on an alarm: by whoever still had the old board before them
ENTERED_KEPT: Final = 500
OF_PATIENT: Final = ("typed", "laboratory")  # origins; a monitor's values are the bed's


class Carried(State):
    """The live state of one patient, without what stays with the bed."""

    person: PatientCell
    told_at: int  # of the last alarm event of the unit that was left
    record: Record = field(default_factory=Record)
    alarms: tuple[Alarm, ...] = ()
    orders: tuple[BedsideOrder, ...] = ()
    values: dict[str, Shown] = field(default_factory=dict)  # results and what people typed
    limits: tuple[wire.LimitSet, ...] = ()  # the patient's own
    comfort: QuietCell | None = None
    support: Support | None = None


_load: Callable[[bytes], Carried] = wire.decoder(Carried)


def leaving(state: UnitState, event: wire.Admission) -> BedState | None:
    """The bed that an event empties for another unit; None: nobody leaves by it."""
    bed = state.beds.get(event.prior_bed) if event.to_unit and event.to_bed else None
    if bed is None or not bed.history or bed.history[-1].patient_id not in bed.people:
        return None
    ruling = bindings.of_admission(event, state.hospital, {bed.bed: bed.history})
    after = bindings.bound(bed.history, ruling[bed.bed])[-1].patient_id
    return bed if after != bed.history[-1].patient_id else None


def packed(old: Turn) -> Carried:
    """Takes off a bed what goes along; asked before the bed forgets its patient."""
    bed, patient_id = old.bed, old.patient_id
    silencing.let_ring([old])
    own = [one for one in old.unit.limits.values() if one.patient_id == patient_id]
    going = alarms.leave_unit(old, patient_id)
    return Carried(
        person=bed.people[patient_id],
        told_at=old.unit.told_at,
        record=bed.record,
        alarms=going,
        orders=tuple(bedside_orders.along(bed.orders, patient_id).values()),
        values=own_values(bed),
        limits=tuple(own),
        comfort=bed.quiets.get(quiet.COMFORT),
        support=bed.support if bed.support and bed.support.patient_id == patient_id else None,
    )


def own_values(bed: BedState) -> dict[str, Shown]:
    """Results and what people typed: they are the patient's, wherever the patient lies."""
    return {name: shown for name, shown in bed.values.items() if shown.origin in OF_PATIENT}


def show(bed: BedState, values: dict[str, Shown]) -> None:
    """Puts values that came along on a bed; what is newer there stays."""
    for name, shown in values.items():
        if name not in bed.values or bed.values[name].at < shown.at:
            bed.values[name] = shown


def sent(state: UnitState, event: wire.Admission, patient_id: str, what: Carried) -> wire.Entry:
    """What the other unit is told; from now on this one knows where they went."""
    there = replaced(
        event,
        unit=event.to_unit,
        bed=event.to_bed,
        prior_bed="",
        to_unit="",
        to_bed="",
        from_unit=state.unit,
    )
    entered = wire.StayEntered(
        unit=event.to_unit,
        came_from=state.unit,
        act=str(derived("entered", event.source, event.message_id, event.identity.hex())),
        admission=there,
        at=state.now,
        mode=event.mode,
        carried=wire.encode(what),
    )
    known = Gone(replaced(entered, carried=b""), tuple(alarm.id for alarm in what.alarms))
    state.gone.pop(patient_id, None)
    state.gone[patient_id] = known
    while (
        len(state.gone) > GONE_KEPT or _left_for(state, next(iter(state.gone.values()))) > GONE_US
    ):
        del state.gone[next(iter(state.gone))]
    return entered


def anew(state: UnitState, event: wire.Admission) -> bool:
    """Whether somebody who did not lie here comes: from outside, or from another unit.

    A discharge that is taken back (A13) goes on with the stay that was.
    """
    comes = event.from_unit or event.trigger in ("A01", "A02")
    return bool(comes and event.bed) and bed_of(state, event.patient.mrn) is None


def forget_limits(state: UnitState, patient_id: str) -> None:
    """Own limits of an earlier stay here do not hold: the unit's do, or those that come along."""
    for name, own in list(state.limits.items()):
        if own.patient_id == patient_id:
            del state.limits[name]


def came_back(state: UnitState, event: wire.Admission, person: PatientCell) -> None:
    """Somebody who had left has a bed here again, or had one since: nothing is passed on."""
    known = state.gone.get(person.patient_id)
    if known is None:
        return
    later = event.bed and event.event_at >= known.entered.admission.event_at
    if later or bed_of(state, person.mrn) is not None:
        del state.gone[person.patient_id]


def is_new(state: UnitState, entry: wire.StayEntered) -> bool:
    """Whether this act has not been taken in; from now on it has."""
    if entry.act in state.entered:
        return False
    state.entered[entry.act] = state.now
    while len(state.entered) > ENTERED_KEPT:
        del state.entered[next(iter(state.entered))]
    return True


def unpacked(new: Turn, entry: wire.StayEntered) -> None:
    """Puts what came along on the bed in which the patient lies now; what is newer here stays."""
    state, bed, patient_id = new.unit, new.bed, new.patient_id
    came = _renamed(_load(entry.carried), patient_id)
    state.told_at = max(state.told_at, came.told_at)
    bed.people[patient_id] = _person(bed.people.get(patient_id, came.person), came.person)
    bed.record = record.joined(came.record, bed.record)
    if not bed.record.known.shapes:
        bed.record.known = came.record.known
    sameness.moved(bed.record, new.now)
    show(bed, came.values)
    for own in came.limits:
        site_limits.taken(state.limits, replaced(own, unit=state.unit), {patient_id})
    if came.comfort is not None and came.comfort.until > new.now:
        bed.quiets.setdefault(quiet.COMFORT, came.comfort)
    said = bed.support
    if came.support and (said is None or said.patient_id != patient_id):
        bed.support = came.support
    for order in came.orders:
        order.home = order.home or entry.came_from
        here = state.unit in (order.home, order.carried_from)  # back where it was placed or seen
        theirs = order.owner == HOSPITAL  # the hospital's own system says what becomes of it
        order.carried_from = "" if here or theirs else entry.came_from
        known = bed.orders.get(order.order)
        if known is None or known.version < order.version:
            bed.orders[order.order] = order
    for alarm in came.alarms:
        if alarms.by_id(bed, alarm.id) is None:
            twin = bed.alarms.get(alarm.key)
            if twin is not None and twin.patient_id == patient_id:  # one condition, one alarm
                del bed.alarms[alarm.key]
                new.tell(twin, INACTIVE)
            alarms.come(new, alarm)
            if twin is not None and twin.state == ACTIVE != alarm.state:
                alarms.move(new, alarm, "worse")  # nobody here has taken on what rings here


def follow(state: UnitState, entry: wire.Entry) -> tuple[str, wire.Entry] | None:
    """Where something belongs that has come for somebody who left; None: it is for this unit."""
    if not state.gone:
        return None
    if state.unit in getattr(entry, "passed_on", ()):
        return None  # it has come round: nobody knows where the patient is
    if isinstance(entry, wire.AlarmAct):
        if any(alarms.by_id(bed, entry.alarm) for bed in state.beds.values()):
            return None
        known = next((g for g in state.gone.values() if entry.alarm in g.alarms), None)
        return _there(state, entry, known, ACT_US)
    if isinstance(entry, wire.OrderChanged | wire.LimitSet | wire.CareAgreed | wire.Flagged):
        return _there(state, entry, _gone(state, entry.patient_id), GONE_US)
    return None


def onward(state: UnitState, entry: wire.StayEntered) -> tuple[str, wire.Entry] | None:
    """What was carried for somebody who has left again runs after them."""
    mrn = entry.admission.patient.mrn
    known = _gone_by_number(state, mrn)
    by = (*entry.passed_on, state.unit)
    if known is None or state.unit in entry.passed_on or known.entered.unit in by:
        return None
    act = str(derived("onward", entry.act, known.entered.act))
    went = replaced(known.entered, act=act, carried=entry.carried, passed_on=by)
    return known.entered.unit, went


def left_since(state: UnitState, event: wire.Admission) -> bool:
    """Whether the unit was told that the person left after this event."""
    known = _gone_by_number(state, event.patient.mrn)
    return known is not None and known.entered.admission.event_at > event.event_at


def bed_of(state: UnitState, mrn: str) -> BedState | None:
    """Where whoever has this number lies."""
    beds = state.beds.values()
    return next((b for b in beds if b.history and _lies(b.history[-1], mrn)), None)


def _lies(binding: bindings.Binding, mrn: str) -> bool:
    return bool(binding.patient_id) and binding.is_called(mrn)


def _gone_by_number(state: UnitState, mrn: str) -> Gone | None:
    people = state.gone.values()
    return next((one for one in people if one.entered.admission.patient.mrn == mrn), None)


def _gone(state: UnitState, patient_id: str) -> Gone | None:
    known = state.gone.get(patient_id)
    if known is None or bed_of(state, known.entered.admission.patient.mrn) is not None:
        return None
    return known


def _there(
    state: UnitState,
    entry: wire.AlarmAct | wire.OrderChanged | wire.LimitSet | wire.CareAgreed | wire.Flagged,
    known: Gone | None,
    within_us: int,
) -> tuple[str, wire.Entry] | None:
    if known is None or _left_for(state, known) > within_us:
        return None
    unit, bed = known.entered.unit, known.entered.admission.bed
    by = (*entry.passed_on, state.unit)
    if isinstance(entry, wire.AlarmAct | wire.OrderChanged):
        return unit, replaced(entry, unit=unit, bed=bed, passed_on=by)
    return unit, replaced(entry, unit=unit, passed_on=by)


def _left_for(state: UnitState, known: Gone) -> int:
    """How long ago they left, microseconds."""
    return state.now - known.entered.at


def _person(here: PatientCell, came: PatientCell) -> PatientCell:
    """Who came, with what only the former unit knew; of agreements and flags the newer hold."""
    newer = here if here.agreed_at > came.agreed_at else came
    flags = here if here.flags_version > came.flags_version else came
    return replaced(
        here,
        initials=here.initials or came.initials,
        name=here.name or came.name,
        sex=here.sex if here.sex != "unknown" else came.sex,
        birth_date=here.birth_date or came.birth_date,
        age_years=came.age_years if here.age_years is None else here.age_years,
        admitted_at=min(here.admitted_at, came.admitted_at),
        case=came.case or here.case,
        lowest=came.lowest or here.lowest,
        weight=came.weight or here.weight,
        agreed=newer.agreed,
        agreed_at=newer.agreed_at,
        limits=newer.limits,
        isolation=flags.isolation,
        allergy=flags.allergy,
        flags_version=flags.flags_version,
    )


def _renamed(came: Carried, patient_id: str) -> Carried:
    """As the unit calls them: a number that was merged may have made another id there."""
    if came.person.patient_id == patient_id:
        return came
    came.person = replaced(came.person, patient_id=patient_id)
    for alarm in came.alarms:
        alarm.patient_id = patient_id
    for order in came.orders:
        order.patient_id = patient_id
    came.limits = tuple(replaced(own, patient_id=patient_id) for own in came.limits)
    if came.support:
        came.support = replaced(came.support, patient_id=patient_id)
    return came
