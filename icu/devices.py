"""Alarms that devices send (IHE PCD-04): shown with the priority of the device, never lowered.

Ours on the same value is listed under it (`alarms.merging`). What was acknowledged or paused at
the bedside counts here; an acknowledgement here never reaches the bedside.
"""

from __future__ import annotations

from typing import Final

from hospital_ops import bindings, wire
from hospital_ops.clock import SECOND
from hospital_ops.identity import derived
from hospital_ops.sender_clocks import OFF_US, SEEN_US, nearest, sender
from icu import admissions, alarms
from icu.alarms import PAST, PAUSE_MAX_US, Turn
from icu.limits import OLD_US
from icu.rules import HIGH, LOW, MEDIUM, PRIORITIES, words
from icu.state import Alarm, Over
from icu.states import ACTIVE, LATCHED
from icu.values import FUTURE_US

RULE: Final = "device_alarm"
# IHE PCD-04 priorities; an advisory is shown as low, and one that names none is not made small.
_PRIORITIES: Final = {"PH": HIGH, "PM": MEDIUM, "PL": LOW, "PI": LOW, "PN": LOW}
_MOST: Final = 64  # alarms of devices at one bed: more is a sender that does not end them
_ALIKE: Final = 8  # of one device, value and words: the channels of a pump
_KEPT: Final = 64  # ended alarms that are remembered, so that a late start does not ring
OVERTAKEN_US: Final = 60 * SECOND  # so long after an end a start may still be under way
_SILENT: Final = frozenset({"audio-paused", "audio-off", "alarm-paused", "alarm-off"})


def take(turn: Turn, message: wire.DeviceAlert) -> None:
    """One message about one alarm of a device: its start, its course or its end."""
    bed = turn.bed
    device = message.device or message.source
    key = f"{RULE}|{device}|{message.alert or message.event}"
    at, known = _moment(turn, message)
    alarm = bed.alarms.get(key)
    over = message.phase == "end" or message.state == "inactive"
    if over:
        _over(turn, key, alarm, at)
        return
    if alarm is None:
        if _is_over(turn, key, at):
            return
        late = turn.now - at > OLD_US
        going_on = turn.now - message.received_at <= FUTURE_US and (
            not known or message.phase not in ("", "start")
        )
        alarm = _new(turn, message, key, device, min(at, turn.now))
        if bindings.whose(bed.history, at, message.mrn, message.mode).claimed_other:
            admissions.claim(bed, message.mrn, at)
            alarm.patient_id = ""  # it rings here and is filed under nobody
        if late and not going_on:
            turn.tell(alarm, PAST)
            return
        _make_room(turn, alarm)
        alarms.begin(turn, alarm)
    _follow(turn, alarm, message)


def _moment(turn: Turn, message: wire.DeviceAlert) -> tuple[int, bool]:
    """When it was, by our clock, and whether the sender's clock is known (SAFETY rule 6).

    An alarm that comes alone says nothing of its sender's clock; the sender's values do. Where
    they say nothing either, an alarm that looks old may be new: then it rings.
    """
    if message.at is None:
        return message.received_at, True
    distance = message.received_at - message.at
    clock = nearest(turn.bed.clocks, sender(message), distance)
    if clock is None:
        return message.at, False
    steady = clock.last - clock.since >= SEEN_US and abs(clock.offset) > OFF_US
    return message.at + (clock.trusted or (clock.offset if steady else 0)), True


def _is_over(turn: Turn, key: str, at: int) -> bool:
    """Whether a start comes after its own end: told again, or overtaken on the way."""
    ended = turn.bed.over.get(key)
    if ended is None or at > ended.at:
        return False
    return at == ended.since or turn.now - ended.seen_at <= OVERTAKEN_US


def _over(turn: Turn, key: str, alarm: Alarm | None, at: int) -> None:
    over = turn.bed.over
    if alarm is None:
        before = over.get(key)
        if before is None or at > before.at:
            over[key] = Over(at, turn.now, before.since if before else 0)
    elif at >= alarm.since:
        over[key] = Over(at, turn.now, alarm.since)
        alarm.latching = False
        alarms.move(turn, alarm, "false")
    while len(over) > _KEPT:
        del over[next(iter(over))]


def _new(turn: Turn, message: wire.DeviceAlert, key: str, device: str, at: int) -> Alarm:
    alarm = alarms.made(turn, key, RULE, message.about, at, _priority(message))
    alarm.id = str(derived(RULE, turn.bed.bed, key, str(at)))
    alarm.text = message.text or message.name or words(RULE)
    alarm.technical = message.kind == "ST"
    alarm.device = device
    alarm.value, alarm.unit = message.value, message.value_unit
    return alarm


def _make_room(turn: Turn, alarm: Alarm) -> None:
    """Some senders give each repetition a number of its own, and never tell the end of any: what
    is told again takes the place of the oldest, and no bed has more than a person can read."""
    others = [one for one in turn.bed.alarms.values() if one.device]
    alike = [one for one in others if _words(one) == _words(alarm)]
    others.sort(key=lambda one: (-PRIORITIES.index(one.priority), one.since))
    while len(alike) >= _ALIKE or len(others) >= _MOST:
        oldest = min(alike, key=lambda one: one.since) if len(alike) >= _ALIKE else others[0]
        others.remove(oldest)
        alike = [one for one in alike if one is not oldest]
        turn.unit.count("device_alarm_overtaken")
        oldest.latching = False
        alarms.move(turn, oldest, "false")


def _words(alarm: Alarm) -> tuple[str, str, str]:
    return alarm.device, alarm.about, alarm.text


def _priority(message: wire.DeviceAlert) -> str:
    return _PRIORITIES.get(message.priority, MEDIUM)


def _follow(turn: Turn, alarm: Alarm, message: wire.DeviceAlert) -> None:
    """The course of an alarm that goes on: its value, its priority, what was done at the bed."""
    alarm.value = message.value if message.value is not None else alarm.value
    alarm.text = message.text or alarm.text
    priority = _priority(message)
    if PRIORITIES.index(priority) < PRIORITIES.index(alarm.priority):
        alarm.priority = priority
        alarms.move(turn, alarm, "worse")
        turn.tell(alarm, alarm.state)
    if message.state == LATCHED and alarm.state == ACTIVE:
        alarm.latching = True
        alarms.move(turn, alarm, "false")
    elif message.state != LATCHED:
        alarms.move(turn, alarm, "true")
    done = {word.lower() for word in message.inactivation}
    if any("acknowledg" in word for word in done):
        alarms.move(turn, alarm, "acknowledge", f"bedside:{alarm.device}")
    elif done & _SILENT:
        if not alarm.hushed:
            alarm.paused_until = turn.now + PAUSE_MAX_US  # ends here by itself, and once
        alarm.hushed = True
    elif done and alarm.hushed:
        alarm.hushed, alarm.paused_until = False, 0
