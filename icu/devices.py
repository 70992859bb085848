"""Alarms that devices send (IHE PCD-04): shown with the priority of the device, never lowered.

Ours on the same value is listed under it (`alarms.merging`). What was acknowledged or paused at
the bedside counts here; an acknowledgement here never reaches the bedside.
"""

from __future__ import annotations

from typing import Final

from hospital_ops import wire
from hospital_ops.identity import derived
from icu import alarms
from icu.alarms import PAST, PAUSE_MAX_US, Turn
from icu.limits import OLD_US
from icu.rules import HIGH, LOW, MEDIUM, PRIORITIES, words
from icu.state import Alarm
from icu.states import ACTIVE, LATCHED

RULE: Final = "device_alarm"
# IHE PCD-04 priorities; an advisory is shown as low, and one that names none is not made small.
_PRIORITIES: Final = {"PH": HIGH, "PM": MEDIUM, "PL": LOW, "PI": LOW, "PN": LOW}
_KEPT: Final = 64  # ended alarms that are remembered, so that a late start does not ring
_SILENT: Final = frozenset({"audio-paused", "audio-off", "alarm-paused", "alarm-off"})


def take(turn: Turn, message: wire.DeviceAlert) -> None:
    """One message about one alarm of a device: its start, its course or its end."""
    bed = turn.bed
    device = message.device or message.source
    key = f"{RULE}|{device}|{message.alert or message.event}"
    at = message.at or message.received_at
    alarm = bed.alarms.get(key)
    over = message.phase == "end" or message.state == "inactive"
    if over:
        _over(turn, key, alarm, at)
        return
    if at <= bed.ended.get(key, 0):
        return  # overtaken by its own end
    if alarm is None:
        alarm = _new(turn, message, key, device, at)
        if turn.now - at > OLD_US:
            turn.tell(alarm, PAST)
            return
        alarms.begin(turn, alarm)
    _follow(turn, alarm, message)


def _over(turn: Turn, key: str, alarm: Alarm | None, at: int) -> None:
    ended = turn.bed.ended
    ended[key] = max(at, ended.get(key, 0))
    while len(ended) > _KEPT:
        del ended[next(iter(ended))]
    if alarm is not None and at >= alarm.since:
        alarm.latching = False
        alarms.move(turn, alarm, "false")


def _new(turn: Turn, message: wire.DeviceAlert, key: str, device: str, at: int) -> Alarm:
    alarm = alarms.made(turn, key, RULE, message.about, at, _priority(message))
    alarm.id = str(derived(RULE, turn.bed.bed, key, str(at)))
    alarm.text = message.text or message.name or words(RULE)
    alarm.technical = message.kind == "ST"
    alarm.device = device
    alarm.value, alarm.unit = message.value, message.value_unit
    return alarm


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
        alarm.paused_until = turn.now + PAUSE_MAX_US  # ends here by itself
    else:
        alarm.paused_until = alarm.paused_until if not message.inactivation else 0
