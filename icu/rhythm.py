"""Arrhythmias from our own analysis of the bed's ECG: what it found, held against the rules.

What is called how stands in `clinical/tables/ecg.json`, how it rings in `alarms.json`. A finding
holds until the analysis says otherwise; where the analysis says nothing any more, nobody knows.
"""

from __future__ import annotations

from typing import Final

from hospital_ops import codes, wire
from hospital_ops.clock import SECOND
from hospital_ops.wire import Witness
from icu import alarms, crosscheck, silencing
from icu.alarms import Turn
from icu.limits import OLD_US, bed_pulse
from icu.rules import HIGH, RULES, Limit, limits_of
from icu.state import BedState, RhythmSeen

# The last part of a key: our own, beside a monitor's number. A rhythm is about the ECG, not about
# the heart rate: a device's alarm on the rate must never stand for a fibrillation.
ECG: Final = "ecg"
GOOD_US: Final = 15 * SECOND  # told again each five seconds while it is bad
_HR: Final = codes.by_key["hr"].code
_RULE_OF: Final = {
    "asystole": "asystole",
    "ventricular_fibrillation": "vf",
    "ventricular_tachycardia": "vt",
}
_EXTREME: Final = ("brady_extreme", "tachy_extreme")


def take(turn: Turn, found: wire.Rhythm) -> None:
    """What the analysis says of a bed from now on; older than what is known changes nothing."""
    bed, now = turn.bed, turn.now
    if found.at < bed.rhythm.at or now - found.at > OLD_US:
        return
    bed.rhythm = RhythmSeen(found.at, now, found.leads_off, found.heart_rate, found.witnesses)
    for code, rule in _RULE_OF.items():
        if code in found.codes:
            _holds(turn, rule, found.at)
        else:
            _over(turn, rule)
    beyond = {limit.of.rule.id: (limit, value) for limit, value in _extreme(turn, found)}
    for rule in _EXTREME:
        if rule in beyond:
            _holds(turn, rule, found.at, *beyond[rule])
        else:
            _over(turn, rule)


def witnesses(turn: Turn) -> tuple[Witness, ...]:
    """What other signals say now: those the analysis has told of, and the oximeter's own count."""
    bed, now = turn.bed, turn.now
    told = bed.rhythm.witnesses if now < bed.rhythm.seen_at + GOOD_US else ()
    return (*told, *bed_pulse(turn))


def leads_off(bed: BedState, now: int) -> bool:
    """Whether there are ECG leads here and none can be used."""
    return bed.rhythm.leads_off and now < bed.rhythm.seen_at + GOOD_US


def next_moment(bed: BedState, now: int) -> int:
    """When what was said is too old to be believed; 0: never."""
    end = bed.rhythm.seen_at + GOOD_US
    return end if bed.rhythm.leads_off and end > now else 0


def _extreme(turn: Turn, found: wire.Rhythm) -> list[tuple[Limit, float]]:
    """The limits of an extreme rate that the last beats break, for the age of the patient."""
    beats = {"brady_extreme": found.slow_per_min, "tachy_extreme": found.fast_per_min}
    broken = []
    for limit in limits_of(_HR, turn.age.band, turn.age.years):
        value = beats.get(limit.of.rule.id)
        if value is not None and limit.beyond(value):
            broken.append((limit, value))
    return broken


def _holds(
    turn: Turn, rule: str, at: int, limit: Limit | None = None, value: float | None = None
) -> None:
    key = f"{rule}|{ECG}"
    alarm = turn.bed.alarms.get(key)
    new = alarm is None
    if alarm is None:
        about = _HR if limit is not None else ECG
        alarm = alarms.made(turn, key, rule, about, min(at, turn.now), RULES[rule].priority)
    alarm.good_until = turn.now + GOOD_US
    if limit is not None and value is not None:
        alarm.value, alarm.limit = float(round(value)), limit.limit
        alarm.sign, alarm.unit, alarm.step = limit.of.sign, limit.of.unit, limit.of.step
    alarm.verdict = crosscheck.verdict(rule, alarm.value, alarm.limit, witnesses(turn))
    if new:
        silencing.begin(turn, alarm)
        return
    alarms.move(turn, alarm, "true")
    if limit is None or value is None or alarm.priority != HIGH or alarm.step_from is None:
        return
    worse = alarm.step_from - value if limit.of.side == "low" else value - alarm.step_from
    if worse >= alarm.step:
        alarm.step_from = value
        alarms.move(turn, alarm, "worse")


def _over(turn: Turn, rule: str) -> None:
    silencing.over(turn.bed, f"{rule}|{ECG}")
    alarm = turn.bed.alarms.get(f"{rule}|{ECG}")
    if alarm is not None:
        alarm.good_until = 0
        alarms.move(turn, alarm, "false")
