"""Who lay in a bed at a moment: one pure function of the binding history, used by both readers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hospital_ops import identity, wire
from hospital_ops.clock import SECOND
from hospital_ops.wire import Form

FUTURE_US = 60 * SECOND  # further ahead of its receipt is a wrong clock
REAL = "Real"
CANCELS = ("A11", "A12", "A13")
HISTORY_LIMIT = 64  # bindings of one bed kept in memory: weeks of a busy bed


class Binding(Form, frozen=True):
    """From `from_at` on the bed belongs to the patient.

    An empty id means: to nobody. `left` is the number of the patient whose leaving made it; where
    somebody else lay there, they go on.
    """

    from_at: int
    patient_id: str = ""
    mrn: str = ""
    left: str = ""
    mode: str = ""  # of whoever lies there; empty: nobody said
    known_as: tuple[str, ...] = ()  # other numbers of the same person (ADT A40)
    visit: str = ""  # PV1-19, of whoever lies there; empty: nobody said

    def is_called(self, number: str) -> bool:
        """Whether a number, the present one or one that was merged, is of whoever lies there."""
        return number == self.mrn or number in self.known_as


History = tuple[Binding, ...]  # rising by from_at
Numbers = dict[str, tuple[str, ...]]  # each number that was merged: all of the same person
NUMBERS_KEPT = 1024  # of a hospital; whose are older are found in the archive


class Person(NamedTuple):
    """Who an ADT event is about, by whichever number."""

    patient_id: str  # under which they are known in the unit, or will be
    known_as: tuple[str, ...]  # other numbers of theirs
    visit: str  # of the stay that goes on


class Whose(NamedTuple):
    """To whom a value belongs; `claimed_other`: the message names a different patient."""

    patient_id: str  # empty: unassigned
    claimed_other: bool


def bound(history: History, binding: Binding) -> History:
    """The history with one more binding in its place by time; the same one twice is one.

    Whoever leaves ends their own stay: a discharge that is told late, or the second message of
    two patients who change beds, does not throw out who lies there by then. In whatever order
    they are told, the answer is the same.
    """
    known = [one for one in history if (one.from_at, one.left) != (binding.from_at, binding.left)]
    came = {one.from_at: one.mrn for one in (*known, binding) if not one.left}
    told = sorted((*known, binding), key=lambda one: (one.from_at, _rank(one, came)))
    ruling: list[Binding] = []
    for one in told:
        lying = ruling[-1] if ruling else Binding(one.from_at)
        if one.left:
            stays = Binding(one.from_at) if lying.is_called(one.left) else lying
            one = Binding(
                one.from_at,
                stays.patient_id,
                stays.mrn,
                one.left,
                stays.mode,
                stays.known_as,
                stays.visit,
            )
        ruling.append(one)
    return tuple(ruling[-HISTORY_LIMIT:])


def since(history: History) -> int:
    """From when on the bed was nobody else's than theirs who lie there now; 0: nobody does."""
    found, whose = 0, history[-1].patient_id if history else ""
    for one in reversed(history):
        if one.patient_id not in ("", whose):
            break
        found = one.from_at if one.patient_id else found
    return found


def _rank(one: Binding, came: dict[int, str]) -> tuple[int, str]:
    """In one moment the others leave, then somebody comes, who may at once leave again."""
    if not one.left:
        return 1, ""
    return (2 if came.get(one.from_at) == one.left else 0), one.left


def at(history: History, moment: int) -> Binding | None:
    """The binding in force at `moment`, or None where nothing was known yet."""
    index = bisect_right(history, moment, key=lambda known: known.from_at)
    return history[index - 1] if index else None


def same_stay(history: History, moment: int, now: int) -> bool:
    """Whether nobody else has lain there between `moment` and `now`.

    A value of the patient before, however late it comes, is never shown as that of the next one.
    """
    if not history:
        return True
    first = bisect_right(history, min(moment, now), key=lambda known: known.from_at)
    last = bisect_right(history, now, key=lambda known: known.from_at)
    who = history[first - 1].patient_id if first else ""
    return all(binding.patient_id == who for binding in history[first:last])


def whose(
    history: History, moment: int, claimed_mrn: str, mode: str = "", *, elsewhere: bool = False
) -> Whose:
    """The patient of a value determined at `moment` (SAFETY I10); never a guess.

    An empty claim (PID-3) follows the binding. A claim that contradicts the binding leaves the
    value unassigned, and so does a bed that nobody was bound to. What a demo, test or drill device
    sends (`mode` of the message) is never filed under a real patient (SAFETY I18). Nor is what a
    device sends for this bed that a person has bound to another one (`elsewhere`).
    """
    binding = at(history, moment)
    if binding is None or not binding.patient_id:
        return Whose("", False)
    if elsewhere:
        return Whose("", True)
    if claimed_mrn and not binding.is_called(claimed_mrn):
        return Whose("", True)
    if binding.mode == REAL and mode not in ("", REAL):
        return Whose("", True)
    return Whose(binding.patient_id, False)


def of_message(history: History, moment: int, message: wire.Observed) -> Whose:
    """As `whose`, of a value of a message."""
    return whose(history, moment, message.mrn, message.mode, elsewhere=message.elsewhere)


def merged(history: History, event: wire.Merged, hospital: str) -> History:
    """The history after two numbers turned out to be one person's.

    The person keeps the id under which the stay began: nothing that hangs on it has to move; the
    archive finds the rows of all numbers under each (`patient_link`).
    """
    numbers = {event.mrn, *event.merged}
    if not any(one.mrn in numbers for one in history):
        return history
    again: History = ()
    for one in history:  # whose leaving was told under the other number has left
        again = bound(again, _renumbered(one, event.mrn, numbers, hospital))
    return again


def _renumbered(one: Binding, mrn: str, numbers: set[str], hospital: str) -> Binding:
    own = {one.mrn, *one.known_as}
    if one.mrn not in numbers:
        return one
    if one.patient_id not in {identity.patient_id(hospital, number) for number in own | numbers}:
        return one  # the same number, but of another hospital
    return wire.replaced(one, mrn=mrn, known_as=tuple(sorted((numbers | own) - {mrn})))


def one_person(numbers: Numbers, event: wire.Merged) -> Numbers:
    """The numbers after two turned out to be one person's: whoever is admitted later, too."""
    all_of = dict.fromkeys(
        own for number in (event.mrn, *event.merged) for own in numbers.get(number, (number,))
    )
    known = {number: own for number, own in numbers.items() if number not in all_of}
    while known and len(known) + len(all_of) > NUMBERS_KEPT:
        for number in next(iter(known.values())):
            known.pop(number, None)
    return known | dict.fromkeys(all_of, tuple(sorted(all_of)))


def person(
    event: wire.Admission,
    hospital: str,
    histories: Mapping[str, History],
    numbers: Numbers,
    unit: Iterable[History],
) -> Person:
    """Who an event is about. `histories`: of its beds; `unit`: of all beds of the unit.

    Whoever lies there keeps their id. Of two numbers that are one person's (`numbers`) the id is
    that under which they came to the unit last.
    """
    number, here = event.patient.mrn, lying(histories, event)
    same = numbers.get(number, ())
    if here is None and same:
        known = (one for history in unit for one in history if one.patient_id and one.mrn in same)
        last = max(known, key=lambda one: (one.from_at, one.patient_id), default=None)
        patient_id = last.patient_id if last else ""
    else:
        patient_id = here.patient_id if here else ""
    others = {*same, *((here.mrn, *here.known_as) if here else ())} - {number}
    return Person(
        patient_id or identity.patient_id(hospital, number),
        tuple(sorted(others)),
        event.visit or (here.visit if here else ""),
    )


def parts(event: wire.Admission, unit: Mapping[str, History]) -> tuple[wire.Admission, ...]:
    """An event as what it says, one after the other. `unit`: the histories of the unit's beds.

    An admission (A01) under another visit than that under which the same patient lies in the unit
    is a new stay: the discharge from the one before has not been told yet, and comes before it.
    """
    if event.trigger != "A01" or not event.visit or not event.bed or event.from_unit:
        return (event,)
    moment, ended = _from_at(event), []
    for bed, history in unit.items():
        here = at(history, moment - 1)
        if here is None or not here.patient_id or not here.is_called(event.patient.mrn):
            continue
        if here.visit not in ("", event.visit):
            before = wire.replaced(
                event, trigger="A03", event_at=moment - 1, bed=bed, prior_bed="", visit=here.visit,
                case="", lowest=(), allergies=(),
            )  # fmt: skip
            ended.append(before)
    return (*ended, event)


def is_given_away(history: History, event: wire.Admission) -> bool:
    """Whether a discharge is taken back (A13) from a bed where somebody else lies by now.

    Who lies there stays: where the other one is, a person has to say.
    """
    here = at(history, _from_at(event)) if event.trigger == "A13" else None
    return here is not None and bool(here.patient_id) and not here.is_called(event.patient.mrn)


def is_of_an_earlier_visit(event: wire.Admission, unit: Iterable[History]) -> bool:
    """Whether an end of a stay (A03, A11) is that of a visit before the one that goes on.

    A visit that nobody has heard of ends the stay that there is.
    """
    if event.trigger not in ("A03", "A11") or not event.visit:
        return False
    number, moment = event.patient.mrn, _from_at(event)
    theirs = [[one for one in history if one.from_at <= moment] for history in unit]
    visits = {one.visit for known in theirs for one in known if one.is_called(number)}
    lies = {known[-1].visit for known in theirs if known and known[-1].is_called(number)} - {""}
    return event.visit in visits and bool(lies) and event.visit not in lies


def _from_at(event: wire.Admission) -> int:
    """From when an event counts: nobody lies anywhere from a moment that has not come."""
    ahead = event.event_at > event.received_at + FUTURE_US
    return event.received_at if ahead else event.event_at


def lying(histories: Mapping[str, History], event: wire.Admission) -> Binding | None:
    """Who the event is about, where they lie in one of its beds already, by whichever number."""
    for bed in (event.prior_bed, event.bed):
        known = at(histories.get(bed, ()), event.event_at)
        if known is not None and known.patient_id and known.is_called(event.patient.mrn):
            return known
    return None


def of_admission(
    event: wire.Admission,
    hospital: str,
    histories: Mapping[str, History] | None = None,
    who: Person | None = None,
) -> dict[str, Binding]:
    """The bindings by bed that an ADT event makes.

    Whoever lies in one of its beds by another number of theirs (`histories`) keeps their id; `who`
    is `person` of the event, where more is known of them.

    A01 admits, A02 moves, A03 discharges. A11, A12 and A13 say that one of these never was: they
    count from its moment, so that what was measured meanwhile is where it was in truth.
    Nobody lies anywhere from a moment that has not come: an event ahead of its receipt counts from
    its receipt (SAFETY.md rule 6).
    """
    past, from_at, number = histories or {}, _from_at(event), event.patient.mrn
    who = who or person(event, hospital, past, {}, ())
    here = Binding(
        from_at=from_at,
        patient_id=who.patient_id,
        mrn=number,
        mode=event.mode,
        known_as=who.known_as,
        visit=who.visit,
    )
    if event.trigger in CANCELS:
        came = _came(past.get(event.prior_bed or event.bed, ()), from_at, number)
        left = _left(past.get(event.bed, ()), from_at, number)
    else:
        came = left = from_at
    nobody = Binding(from_at=came, left=number)
    here = wire.replaced(here, from_at=left)
    if is_given_away(past.get(event.bed, ()), event):
        again = _left_once(past[event.bed], from_at, {number, *who.known_as})
        return {event.bed: wire.replaced(here, from_at=again)} if again else {}
    if event.trigger in ("A01", "A13") and event.bed:
        return {event.bed: here}
    if event.trigger in ("A02", "A12"):
        # The unit that somebody leaves for another one has an entry without a new bed; the former
        # bed in the other unit's entry is not its own.
        moved = {event.bed: here} if event.bed else {}
        if event.prior_bed and event.prior_bed != event.bed and not event.from_unit:
            moved[event.prior_bed] = nobody
        return moved
    if event.trigger in ("A03", "A11") and event.bed:
        return {event.bed: nobody}
    return {}


def _came(history: History, moment: int, number: str) -> int:
    """When whoever is called so and lies there at `moment` was last told to come; else `moment`."""
    for one in reversed([known for known in history if known.from_at <= moment]):
        if not one.patient_id or not one.is_called(number):
            break
        if not one.left:
            return one.from_at
    return moment


def _left(history: History, moment: int, number: str) -> int:
    """Just after whoever is called so left the bed, where nobody else came since; else `moment`."""
    for one in reversed([known for known in history if known.from_at <= moment]):
        if one.patient_id:
            break
        if one.left == number:
            return one.from_at + 1
    return moment


def _left_once(history: History, moment: int, numbers: set[str]) -> int:
    """Just after they last left the bed, whoever came since; 0 where nothing is known of it."""
    for one in reversed([known for known in history if known.from_at <= moment]):
        if one.left in numbers and not one.patient_id:
            taken = any(other.from_at == one.from_at + 1 for other in history)
            return 0 if taken else one.from_at + 1
    return 0
