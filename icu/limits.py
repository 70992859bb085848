"""Limits: a value beyond one, for as long as its delay says, is an alarm.

Only the rules of codes that changed are looked at. A value rings only while it may be believed:
from a device, a number, not invalid, not withdrawn, and not older than five minutes on arrival.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hospital_ops import codes, wire
from hospital_ops.board import Shown
from hospital_ops.clock import SECOND
from hospital_ops.wire import Witness
from icu import alarms, crosscheck, silencing
from icu.ages import age_at
from icu.alarms import Turn
from icu.rules import BY_KEY, HIGH, Limit, figure, has_rules
from icu.site_limits import limits_for
from icu.state import Alarm, BedState, Pending
from icu.states import ACKNOWLEDGED, ACTIVE

OLD_US: Final = 300 * SECOND  # SAFETY rule 6: further off than this is not "now"
MINUTE_US: Final = 60 * SECOND
RECONCILE_US: Final = 10 * SECOND  # SAFETY rule 11
_ASK_BESIDE: Final = ("pr_low", "pr_high", "spo2_high")
_HOLDING: Final = (ACTIVE, ACKNOWLEDGED)
_HR: Final = codes.by_key["hr"].code
_FIO2: Final = codes.by_key["fio2"]
_ON_OXYGEN: Final = codes.by_key["on_oxygen"].code
_O2_FLOW: Final = codes.by_key["o2_flow"].code
# A bed that sends one of these has a ventilator.
VENTILATED: Final = tuple(codes.by_key[key].code for key in ("peep", "vt"))
FLAT_MMHG: Final = figure("line_damped", r"pulse pressure <(\d+)")  # less is no pulse
_ROOM_AIR_PERCENT: Final = _FIO2.plausible[0] if _FIO2.plausible else 0.0


def number_of(shown: Shown | None, now: int) -> float | None:
    """The number of a device's value that may be believed now; None: there is none."""
    if shown is None or shown.origin != "monitor" or not shown.mapped or shown.validity == "Inv":
        return None
    if isinstance(shown.value, str) or shown.value is None:
        return None
    if shown.gone_at and now >= shown.gone_at:
        return None
    return float(shown.value)


def judge(turn: Turn, names: Iterable[str]) -> None:
    """Looks at the limits of the codes that changed."""
    bed, now = turn.bed, turn.now
    set_here, patient, age = turn.unit.limits, turn.patient_id, turn.age
    for name in names:
        if not has_rules(name):
            continue
        shown = bed.values[name]
        value = number_of(shown, now)
        if value is None or now - shown.at > OLD_US:
            if _is_old(shown, now):
                _past(turn, name, shown.value, shown.at, "")
            continue
        for limit in limits_for(set_here, patient, name, age):
            if limit.beyond(value) and _asked_for(turn, limit):
                _holds(turn, limit, shown, value)
            else:
                _is_over(turn, limit.of.key)


def _is_old(shown: Shown, now: int) -> bool:
    """Whether a value that could have rung came too late for it."""
    if shown.origin != "monitor" or not shown.mapped or shown.validity == "Inv":
        return False
    return now >= shown.at + OLD_US or bool(shown.gone_at and now >= shown.gone_at)


def _asked_for(turn: Turn, limit: Limit) -> bool:
    """Conditions of the table beside the number."""
    rule, values, now = limit.of.rule.id, turn.bed.values, turn.now
    if rule not in _ASK_BESIDE:
        return True
    if rule in ("pr_low", "pr_high"):
        return number_of(values.get(_HR), now) is None  # never in addition to the ECG's rate
    if rule == "spo2_high":
        fio2, flow = number_of(values.get(_FIO2.code), now), values.get(_O2_FLOW)
        on_oxygen = values.get(_ON_OXYGEN)
        return (
            (fio2 is not None and fio2 > _ROOM_AIR_PERCENT)
            or (flow is not None and isinstance(flow.value, float) and flow.value > 0)
            or (on_oxygen is not None and on_oxygen.value in (1, 1.0, "true", "yes"))
        )
    return True


def _holds(turn: Turn, limit: Limit, shown: Shown, value: float) -> None:
    bed, key = turn.bed, limit.of.key
    alarm = bed.alarms.get(key)
    if alarm is not None:
        _goes_on(turn, alarm, limit, shown, value)
        return
    since = min(shown.at, turn.now)
    waiting = bed.pending.get(key)
    if waiting is not None and not (waiting.until and turn.now >= waiting.until):
        since = waiting.since
    bed.pending[key] = Pending(since, shown.gone_at)
    if turn.now >= since + limit.delay_us:
        _ring(turn, limit, shown, value)


def _ring(turn: Turn, limit: Limit, shown: Shown, value: float) -> None:
    rule, key = limit.of.rule, limit.of.key
    since = turn.bed.pending.pop(key).since
    alarm = alarms.made(turn, key, rule.id, limit.of.code, since, limit.priority)
    alarm.value, alarm.unit = value, limit.of.unit
    _held_to(alarm, limit)
    alarm.sign, alarm.step, alarm.good_until = limit.of.sign, limit.of.step, shown.gone_at
    if limit.of.side == "s":  # the number that counts is how long, not the rate of 0
        alarm.value = float((turn.now - since) // SECOND)
    alarm.verdict = crosscheck.verdict(rule.id, value, limit.limit, bed_pulse(turn))
    silencing.begin(turn, alarm)


def _held_to(alarm: Alarm, limit: Limit) -> None:
    """The limit that the alarm is beyond, and who approved it where it is not the table's."""
    alarm.limit, alarm.limit_by = limit.limit, limit.by
    alarm.delay_s = limit.delay_us / SECOND if limit.by else None


def bed_pulse(turn: Turn) -> tuple[Witness, ...]:
    """The oximeter's own count as a witness of a rate that another sensor counts."""
    shown = turn.bed.values.get(crosscheck.PR)
    return crosscheck.number_witness(shown, number_of(shown, turn.now))


def _goes_on(turn: Turn, alarm: Alarm, limit: Limit, shown: Shown, value: float) -> None:
    alarm.good_until = shown.gone_at
    if limit.of.side == "s":
        alarms.move(turn, alarm, "true")
        return
    alarm.value = value
    _held_to(alarm, limit)
    alarms.move(turn, alarm, "true")
    if alarm.priority != HIGH or alarm.step_from is None or not alarm.step:
        return
    worse = alarm.step_from - value if limit.of.side == "low" else value - alarm.step_from
    if worse >= alarm.step:
        alarm.step_from = value
        alarms.move(turn, alarm, "worse")


def _is_over(turn: Turn, key: str) -> None:
    bed = turn.bed
    if bed.pending:
        bed.pending.pop(key, None)
    silencing.over(bed, key)
    if bed.alarms and (alarm := bed.alarms.get(key)) is not None:
        alarm.good_until = 0
        alarms.move(turn, alarm, "false")


def pass_time(turn: Turn) -> None:
    """Rings what has held for its delay; forgets what nobody has seen for too long."""
    bed, now = turn.bed, turn.now
    for key, waiting in list(bed.pending.items()):
        if waiting.until and now >= waiting.until:
            del bed.pending[key]
            continue
        code = BY_KEY[key].code
        limit = next((x for x in turn.limits(code) if x.of.key == key), None)
        if limit is None:
            del bed.pending[key]
            continue
        shown = bed.values.get(code)
        value = number_of(shown, now)
        if shown is None or value is None or not limit.beyond(value):
            continue  # an invalid reading neither rings nor cancels
        if now >= waiting.since + limit.delay_us:
            _ring(turn, limit, shown, value)


def reconcile(turn: Turn) -> int:
    """Holds what rings against the values that stand on the bed; answers what had to be mended.

    A rule that asks for another value beside its own is left to that value's next message.
    """
    bed, now, mended = turn.bed, turn.now, 0
    bed.reconciled_at = now
    for name, shown in bed.values.items():
        value = number_of(shown, now) if has_rules(name) else None
        if value is None or now - shown.at > OLD_US:
            continue
        for limit in turn.limits(name):
            key = limit.of.key
            if limit.of.rule.id in _ASK_BESIDE:
                continue
            alarm = bed.alarms.get(key)
            if limit.beyond(value) and alarm is None and not _waits(bed, key):
                _holds(turn, limit, shown, value)
                mended += 1
            elif not limit.beyond(value) and alarm is not None and alarm.state in _HOLDING:
                _is_over(turn, key)
                mended += 1
    return mended


def _waits(bed: BedState, key: str) -> bool:
    """Whether a condition waits for its delay, or is a note of the cross-check."""
    return key in bed.pending or key in bed.noted


def next_moment(turn: Turn) -> int:
    """When `pass_time` next has something to do; 0: never."""
    now, moments = turn.now, []
    if turn.bed.alarms or turn.bed.pending:
        moments.append(max(turn.bed.reconciled_at + RECONCILE_US, now + 1))
    for key, waiting in turn.bed.pending.items():
        each = BY_KEY[key]
        due = waiting.since + (_longest_delay(each.code, key, turn))
        moments += [moment for moment in (due, waiting.until) if moment > now]
    return min(moments, default=0)


def _longest_delay(code: str, key: str, turn: Turn) -> int:
    return next((x.delay_us for x in turn.limits(code) if x.of.key == key), 0)


def judge_all(turn: Turn) -> None:
    """After a change of patient or age: every limit anew; what no longer applies is over."""
    bed = turn.bed
    bed.pending.clear()
    for alarm in list(bed.alarms.values()):
        each = BY_KEY.get(alarm.key)
        if each is None:
            continue
        if not any(x.of is each for x in turn.limits(each.code)):
            alarms.move(turn, alarm, "lost")
    judge(turn, list(bed.values))


def late(turn: Turn, observation: wire.Observation, at: int, patient: str) -> None:
    """A value that is older than the newest of its code never rings; a red one is listed.

    `patient`: whose it was at its time; empty for nobody's.
    """
    trusted = observation.mapped and observation.validity != "Inv"
    if trusted and observation.origin == "monitor" and has_rules(observation.code):
        _past(turn, observation.code, observation.value, at, patient)


def _past(turn: Turn, code: str, value: float | str | None, at: int, patient: str) -> None:
    """Lists a red value that came too late to ring, once for each rule and minute."""
    if value is None or isinstance(value, str):
        return
    bed = turn.bed
    person = bed.people.get(patient)
    age = age_at(person.birth_date if person else "", at)
    for limit in limits_for(turn.unit.limits, patient, code, age):
        minute = at // MINUTE_US
        if limit.priority != HIGH or not limit.beyond(value):
            continue
        if bed.past.get(limit.of.key) == minute:
            continue
        bed.past[limit.of.key] = minute
        alarm = alarms.made(turn, limit.of.key, limit.of.rule.id, code, at, limit.priority)
        alarm.patient_id, alarm.value, alarm.limit = patient, value, limit.limit
        turn.tell(alarm, alarms.PAST)
