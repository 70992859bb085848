"""Alarms of no bed: the way of the data itself, as the unit's own entries tell of it."""

from __future__ import annotations

from typing import Final

from icu import alarms
from icu.alarms import Turn
from icu.rules import RULES, figure

CANARY, MEMORY = "canary", "stream_memory"
_MEMORY_SHARE: Final = figure(MEMORY, r"more than (\d+) %") / 100


def reconcile(turn: Turn) -> bool:
    """Begins what holds, ends what no longer does; answers whether anything changed."""
    unit, bed, now = turn.unit, turn.bed, turn.now
    held = set()
    if unit.memory > _MEMORY_SHARE:
        held.add(MEMORY)
    if unit.probe_at and now >= unit.probe_at + RULES[CANARY].delay_us:
        held.add(CANARY)
    for rule in held - bed.alarms.keys():
        alarm = alarms.made(turn, rule, rule, "", now, RULES[rule].priority)
        alarm.patient_id = ""
        alarms.begin(turn, alarm)
    for alarm in list(bed.alarms.values()):
        if alarm.code not in held:
            alarms.move(turn, alarm, "false")
    return bool(turn.events)
