"""Technical alarms that come from silence and from not knowing whose data they are."""

from __future__ import annotations

from hospital_ops import wire
from hospital_ops.board import AlarmCell, Shown, state_of
from hospital_ops.clinical.tables import table
from hospital_ops.identity import derived
from icu.state import BedState, UnitState

_RULES = {rule["id"]: rule for rule in table("alarms")["rules"]}
SILENT = "silent_sensor"
UNBOUND = "unbound_device"


def wanted(bed: BedState, now: int) -> dict[str, AlarmCell]:
    """The technical alarms that hold at `now`, by id; the id says rule, bed and onset."""
    alarms: dict[str, AlarmCell] = {}
    for name, shown in bed.values.items():
        if shown.kind == "continuous" and state_of(shown, now) == "withdrawn":
            alarm = _alarm(SILENT, bed.bed, name, shown, shown.gone_at)
            alarms[alarm.id] = alarm
    return alarms


def _alarm(rule: str, bed: str, about: str, shown: Shown, since: int) -> AlarmCell:
    words = _RULES[rule]
    return AlarmCell(
        id=str(derived(rule, bed, about, str(since))),
        priority=words["priority"],
        code=rule,
        text=words["text"]["en"],
        state="active",
        since=since,
        about=about,
    )


def reconcile(unit: UnitState, bed: BedState, now: int) -> list[wire.Alerted]:
    """Raises what holds and ends what no longer does; these alarms do not latch."""
    holds = wanted(bed, now)
    events = [
        _event(unit, bed, alarm, "active", now)
        for alarm_id, alarm in holds.items()
        if alarm_id not in bed.alarms
    ]
    ended = [
        alarm
        for alarm in bed.alarms.values()
        if alarm.code in (SILENT, UNBOUND) and alarm.id not in holds
    ]
    for alarm in ended:
        del bed.alarms[alarm.id]
        events.append(_event(unit, bed, alarm, "inactive", now))
    bed.alarms.update(holds)
    return events


def _event(unit: UnitState, bed: BedState, alarm: AlarmCell, state: str, now: int) -> wire.Alerted:
    return wire.Alerted(
        unit=unit.unit,
        alarm=alarm.id,
        bed=bed.bed,
        patient_id=bed.history[-1].patient_id if bed.history else "",
        rule=alarm.code,
        priority=alarm.priority,
        state=state,
        at=now,
        since=alarm.since,
        text=alarm.text,
        mode=bed.mode,
    )
