"""The alarms of a bed: raised, changed, acknowledged, paused and ended, each step told once.

A `Turn` is one bed at one moment. What holds is found elsewhere (`limits.py`, `technical.py`,
`devices.py`); here only the states move (`states.py`), and nothing is removed but by that table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from hospital_ops import codes, wire
from hospital_ops.clock import SECOND
from hospital_ops.identity import derived
from icu.ages import NO_AGE, Age, age_at
from icu.rules import HIGH, PRIORITIES, RED_REMINDER_US, RULES, Limit, words
from icu.site_limits import limits_for
from icu.state import Alarm, BedState, UnitState
from icu.states import ACKNOWLEDGED, ACTIVE, INACTIVE, LATCHED, after

# One tap "seen" without a name; the most that anybody can ask for (IEC 60601-1-8 leaves it to the
# maker; 120 s is the usual medical pause, `states` of alarms.json).
PAUSE_US: Final = 60 * SECOND
PAUSE_MAX_US: Final = 120 * SECOND
PAST: Final = "past"
MOVED: Final = "moved"
SILENT, NO_DATA = "silent_sensor", "no_data"
_CUFF: Final = frozenset(v.code for v in codes.VITALS if v.key.startswith("nibp"))
_LINE: Final = frozenset(v.code for v in codes.VITALS if v.key.startswith("abp"))


@dataclass
class Turn:
    """One bed at one moment, and what is told of it."""

    unit: UnitState
    bed: BedState
    now: int
    events: list[wire.Entry] = field(default_factory=list)
    red: bool = False  # a red has begun to ring

    @property
    def patient_id(self) -> str:
        """Who lies here; empty: nobody, or nobody knows."""
        history = self.bed.history
        return history[-1].patient_id if history else ""

    @cached_property
    def age(self) -> Age:
        """The age band that the limits of this bed follow."""
        person = self.bed.people.get(self.patient_id) if self.patient_id else None
        return age_at(person.birth_date, self.now) if person else NO_AGE

    @property
    def subject(self) -> str:
        """Whom the ids of alarms are derived from: the patient, else the bed."""
        return self.patient_id or self.bed.bed

    def limits(self, code: str) -> tuple[Limit, ...]:
        """The limits that hold for a code here and now."""
        return limits_for(self.unit.limits, self.patient_id, code, self.age)

    def tell(self, alarm: Alarm, state: str, by: str = "") -> None:
        """One event of the archive; no two of a unit share a moment."""
        self.unit.told_at = max(self.now, self.unit.told_at + 1)
        self.events.append(
            wire.Alerted(
                unit=self.unit.unit,
                alarm=alarm.id,
                bed=self.bed.bed,
                patient_id=alarm.patient_id,
                rule=alarm.code,
                priority=alarm.priority,
                state=state,
                at=self.unit.told_at,
                since=alarm.since,
                text=alarm.text,
                value=alarm.value,
                mode=self.bed.mode,
                about=alarm.about,
                limit=alarm.limit,
                by=by,
                verdict=alarm.verdict,
            )
        )


def made(turn: Turn, key: str, rule: str, about: str, since: int, priority: str) -> Alarm:
    """An alarm that has not begun; its id says rule, patient or bed, code and onset."""
    known = RULES[rule]
    return Alarm(
        id=str(derived(rule, turn.subject, about, str(since))),
        priority=priority,
        code=rule,
        text=words(rule),
        state=INACTIVE,
        since=since,
        about=about,
        key=key,
        latching=known.latching,
        technical=known.kind == "technical",
        patient_id=turn.patient_id,
        reminder_us=known.reminder_us,
    )


def begin(turn: Turn, alarm: Alarm) -> None:
    """The condition holds and its delay is over: it rings."""
    turn.bed.alarms[alarm.key] = alarm
    move(turn, alarm, "true")


def move(turn: Turn, alarm: Alarm, event: str, by: str = "") -> None:
    """Takes one step of the table; a step to the same state is none, but `worse` rings again."""
    before = alarm.state
    state = after(before, event, latching=alarm.latching, red=alarm.priority == HIGH)
    if state == before:
        if event == "worse" and state == ACTIVE:
            ring(turn, alarm)
        return
    alarm.state = state
    if state == ACTIVE:
        ring(turn, alarm)
        alarm.acknowledged_at, alarm.acknowledged_by, alarm.remind_at = 0, "", 0
        if before in (INACTIVE, ACKNOWLEDGED):  # a latched one has been ringing all the time
            call_anew(turn, alarm)
    elif state == ACKNOWLEDGED:
        alarm.acknowledged_at, alarm.acknowledged_by = turn.now, by
        alarm.step_from, alarm.paused_until = alarm.value, 0
        reminder_us = _reminder_us(turn, alarm)
        alarm.remind_at = turn.now + reminder_us if reminder_us else 0
    elif state == INACTIVE:
        del turn.bed.alarms[alarm.key]
    turn.tell(alarm, state, by)


def call_anew(turn: Turn, alarm: Alarm) -> None:
    """From now on nobody has taken it on: boards confirm it, and people are called, from here."""
    alarm.rang_at, alarm.painted_at = turn.now, 0
    alarm.called, alarm.steps, alarm.hurried = (), 0, False


def _reminder_us(turn: Turn, alarm: Alarm) -> int:
    """How long an acknowledged alarm is silent; a unit sets that of a red (1 to 10 min)."""
    site = turn.unit.site
    reminder_us = alarm.reminder_us
    if alarm.device and alarm.priority == HIGH:
        reminder_us = RED_REMINDER_US  # the table's row leaves it to the priority that was sent
    if site is not None and alarm.priority == HIGH and reminder_us:
        return site.reminder_s * SECOND
    return reminder_us


def ring(turn: Turn, alarm: Alarm) -> None:
    """The full burst, now, whatever was paused."""
    alarm.burst_at, alarm.paused_until = turn.now, 0
    turn.red |= alarm.priority == HIGH


def pass_time(turn: Turn) -> None:
    """What time alone does: pauses end, reminders sound, what cannot be seen any more is lost."""
    now = turn.now
    for alarm in list(turn.bed.alarms.values()):
        if alarm.paused_until and now >= alarm.paused_until:
            alarm.paused_until = 0
            if alarm.state != ACKNOWLEDGED:
                ring(turn, alarm)
        if alarm.good_until and now >= alarm.good_until:
            alarm.good_until = 0
            move(turn, alarm, "lost")
        elif alarm.remind_at and now >= alarm.remind_at:
            alarm.reminded_at, alarm.remind_at = now, now + _reminder_us(turn, alarm)


def next_moment(bed: BedState, now: int) -> int:
    """When `pass_time` next has something to do; 0: never."""
    moments = [
        moment
        for alarm in bed.alarms.values()
        for moment in (alarm.paused_until, alarm.good_until, alarm.remind_at)
        if moment > now
    ]
    return min(moments, default=0)


def understood(bed: BedState) -> None:
    """Alarms of a snapshot of the version before, which knew technical ones without a key."""
    for alarm in bed.alarms.values():
        if not alarm.key:
            alarm.key, alarm.technical = alarm.id, True
        alarm.rang_at = alarm.rang_at or alarm.burst_at or alarm.since


def by_id(bed: BedState, alarm_id: str) -> Alarm | None:
    """The alarm of a bed with this id."""
    return next((alarm for alarm in bed.alarms.values() if alarm.id == alarm_id), None)


def acknowledge(turn: Turn, alarm: Alarm, by: str) -> None:
    """Somebody has taken it on; alarms that it rings for are taken on with it."""
    merged = merging(turn.bed)
    for other in list(turn.bed.alarms.values()):
        if other is alarm or merged.get(other.id) == alarm.id:
            move(turn, other, "acknowledge", by)


def pause(turn: Turn, alarm: Alarm, begun_at: int, seconds: int) -> None:
    """The sound is off for a time that has an end, from the moment of the act."""
    length = min(seconds * SECOND, PAUSE_MAX_US) if seconds > 0 else PAUSE_US
    alarm.paused_until = max(alarm.paused_until, min(begun_at, turn.now) + length)
    if alarm.paused_until <= turn.now:
        alarm.paused_until = 0


def come(to: Turn, alarm: Alarm) -> None:
    """An alarm comes to a bed with its patient, as it stands; a move ends nothing."""
    if alarm.key in to.bed.alarms:
        _aside(to.bed, to.bed.alarms[alarm.key])
    alarm.good_until = 0  # until the new bed's devices say otherwise
    to.bed.alarms[alarm.key] = alarm
    to.tell(alarm, alarm.state)
    to.red |= alarm.priority == HIGH and alarm.state == ACTIVE


def leave_unit(turn: Turn, patient_id: str) -> tuple[Alarm, ...]:
    """Takes off the bed the alarms that go to another unit with their patient.

    What a device of the bed said stays with the bed, but for a red that nobody has acknowledged.
    """
    for alarm in list(turn.bed.alarms.values()):
        if alarm.device and alarm.patient_id == patient_id:
            move(turn, alarm, "lost")
    going = tuple(
        alarm
        for alarm in turn.bed.alarms.values()
        if alarm.patient_id == patient_id and (alarm.device or not alarm.technical)
    )
    for alarm in going:
        del turn.bed.alarms[alarm.key]
        turn.tell(alarm, MOVED)  # there it goes on under the same id
    return going


def leave(turn: Turn, patient_id: str, to: Turn | None) -> None:
    """A patient's alarms when the patient goes: along to the new bed, or lost.

    A red that nobody has acknowledged stays at the old bed until somebody does.
    """
    for alarm in list(turn.bed.alarms.values()):
        if (alarm.technical and not alarm.device) or alarm.patient_id != patient_id:
            continue
        if to is None:
            move(turn, alarm, "lost")
        elif turn.bed.alarms.pop(alarm.key, None):
            come(to, alarm)
        if turn.bed.alarms.get(alarm.key) is alarm:
            _aside(turn.bed, alarm)


def _aside(bed: BedState, alarm: Alarm) -> None:
    """Under a name of its own, so that the next patient's condition is another alarm."""
    del bed.alarms[alarm.key]
    alarm.key, alarm.good_until = f"{alarm.key}|{alarm.id}", 0
    bed.alarms[alarm.key] = alarm


def _taken_on_before(lesser: Alarm, greater: Alarm) -> bool:
    """Whether an alarm as urgent as one that was taken on has begun to ring after it."""
    rings = lesser.state in (ACTIVE, LATCHED)
    return rings and greater.state == ACKNOWLEDGED and lesser.priority == greater.priority


def _worse_than_taken_on(lesser: Alarm, greater: Alarm) -> bool:
    """Whether another sensor says, after the alarm was taken on, that it is a step worse."""
    if not _taken_on_before(lesser, greater):
        return False
    step = lesser.step or greater.step
    if lesser.value is None or greater.step_from is None or not step:
        return True
    change = lesser.value - greater.step_from
    return (change if lesser.sign == ">" else -change) >= step


def merging(bed: BedState) -> dict[str, str]:
    """Id of an alarm -> id of the one that rings for it: one value never rings twice.

    The device's own alarm wins over ours on the same value, unless ours is the louder one; a
    line wins over the cuff on the same rule, a silent bed over its silent sensors. What says that
    it is worse than what somebody has taken on (a damped line, a cuff that knows better) rings.
    """
    if len(bed.alarms) < 2:
        return {}
    devices = [a for a in bed.alarms.values() if a.device and a.about and not a.technical]
    merged: dict[str, str] = {}
    for device in devices:
        for own in bed.alarms.values():
            if own.device or own.technical or own.about != device.about:
                continue
            louder = PRIORITIES.index(own.priority) < PRIORITIES.index(device.priority)
            lesser, greater = (device, own) if louder else (own, device)
            if _taken_on_before(lesser, greater):
                continue  # it may be another condition of the same value
            merged.setdefault(lesser.id, greater.id)
    silence = bed.alarms.get(NO_DATA)
    for each in bed.alarms.values():
        if silence is not None and each.code == SILENT:
            merged.setdefault(each.id, silence.id)
        if each.key.endswith("|ecg"):  # our own count of the beats, beside the monitor's number
            for number in bed.alarms.values():
                same = number.code == each.code and number is not each and not number.technical
                if same and not _worse_than_taken_on(each, number):
                    merged.setdefault(each.id, number.id)
        if each.about in _CUFF:
            for line in bed.alarms.values():
                same = line.code == each.code and line.about in _LINE
                if same and not _worse_than_taken_on(each, line):
                    merged.setdefault(each.id, line.id)
    # An alarm that itself is listed under another rings for nobody.
    return {lesser: greater for lesser, greater in merged.items() if greater not in merged}
