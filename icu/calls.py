"""Who is called for an alarm, in which order and when: the times of the table, those on duty.

The bed's nurse at once, then the second nurse, then the physician and the charge nurse. Where a
step finds nobody the next one is taken at once, and where nobody is on duty at all every board of
the unit is called (`unit`). Acknowledging ends it; a pause without a name does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from hospital_ops import wire
from hospital_ops.board import CallCell
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from icu import painting
from icu.alarms import Turn, merging
from icu.quiet import silent_until
from icu.rules import RULES
from icu.state import Alarm, BedState, UnitState
from icu.states import ACTIVE, LATCHED

NURSE, SECOND_NURSE, PHYSICIAN, CHARGE, UNIT = "nurse", "second", "physician", "charge", "unit"
_LADDER: Final = ((NURSE,), (SECOND_NURSE,), (PHYSICIAN, CHARGE))
_TIMES_S: Final = table("alarms")["project_defaults"]["escalation_s"]
# What a unit may set: the reminder in the table's range, the physician after the second nurse of
# any alarm and within ten minutes.
_RANGE_S: Final = table("alarms")["rule_defaults"]["acknowledged_red"]["reminder_site_range_s"]
REMINDER_S: Final[tuple[int, int]] = (_RANGE_S[0], _RANGE_S[1])
PHYSICIAN_S: Final[tuple[int, int]] = (_TIMES_S["medium"][1], 600)


class Step(NamedTuple):
    """One step: who is called, so long after the alarm began to ring."""

    posts: tuple[str, ...]
    after_us: int


def steps_of(unit: UnitState, alarm: Alarm) -> tuple[Step, ...]:
    """The steps of an alarm, first to last."""
    return _steps(alarm.code, alarm.priority, unit.site.physician_s if unit.site else None)


@lru_cache(maxsize=1024)
def _steps(code: str, priority: str, physician_s: int | None) -> tuple[Step, ...]:
    """Those of a rule; `physician_s`: what the unit has set."""
    rule = RULES[code]
    if code == painting.RULE:
        return ()  # the hidden alarm itself goes on to its next step
    times = list(_TIMES_S["lethal" if rule.lethal else priority])
    if not rule.calls:
        times = times[:1]
    if physician_s is not None and not rule.lethal and len(times) == len(_LADDER):
        times[-1] = physician_s
    return tuple(Step(posts, s * SECOND) for posts, s in zip(_LADDER, times, strict=False))


def on_duty(unit: UnitState, bed: str, post: str, now: int) -> tuple[tuple[str, str], ...]:
    """(post, person) for everybody whom a call to `post` reaches at a bed; the newest first."""
    here = [p for p in unit.duty.values() if p.since <= now < p.until]
    if not here:
        return ()
    here.sort(key=lambda person: (-person.since, person.who))
    nurses = [p for p in here if p.post == NURSE]
    if post == NURSE:
        return tuple((NURSE, p.who) for p in nurses if bed in p.beds)
    if post == SECOND_NURSE:
        named = [(SECOND_NURSE, p.who) for p in nurses if bed in p.second]
        charge = [(CHARGE, p.who) for p in here if p.post == CHARGE]
        others = [(SECOND_NURSE, p.who) for p in nurses if bed not in p.beds]
        return tuple(named or charge or others)
    return tuple((post, p.who) for p in here if p.post == post)


def taken(known: dict[str, wire.OnDuty], entry: wire.OnDuty) -> bool:
    """Remembers who is on duty, where it is newer than what is known."""
    before = known.get(entry.who)
    if before is not None and before.version >= entry.version:
        return False
    known[entry.who] = entry
    return True


def follow(turn: Turn) -> None:
    """Calls whoever is due at a bed; whoever has come on duty is called for what is under way."""
    bed = turn.bed
    ringing = [a for a in bed.alarms.values() if a.state in (ACTIVE, LATCHED)]
    if not ringing:
        return
    merged, hidden = merging(bed), painting.unseen(bed, turn.now)
    for alarm in ringing:
        if alarm.id not in merged and not silent_until(bed, alarm):
            _follow(turn, alarm, hidden=alarm in hidden)


def _follow(turn: Turn, alarm: Alarm, *, hidden: bool) -> None:
    steps = steps_of(turn.unit, alarm)
    due = sum(1 for step in steps if turn.now >= alarm.rang_at + step.after_us)
    due = max(due, alarm.steps)
    if hidden and not alarm.hurried:
        alarm.hurried, due = True, max(due, alarm.steps + 1)
    index = reached = 0
    while index < min(due, len(steps)):
        found = [
            pair
            for post in steps[index].posts
            for pair in on_duty(turn.unit, turn.bed.bed, post, turn.now)
        ]
        for post, who in found:
            _call(turn, alarm, post, who)
        reached += len(found)
        index += 1
        if not found and index == due:
            due += 1  # nobody there: the next one at once
    alarm.steps = index
    if steps and not reached:
        _call(turn, alarm, UNIT, "")


def _call(turn: Turn, alarm: Alarm, post: str, who: str) -> None:
    """One call, once; a person who is reached by two posts is called once."""
    if any(call.who == who for call in alarm.called):
        return
    alarm.called = (*alarm.called, CallCell(post, who, turn.now))
    _tell(turn, alarm, alarm.called[-1])


def _tell(turn: Turn, alarm: Alarm, call: CallCell) -> None:
    turn.events.append(
        wire.Called(
            turn.unit.unit, alarm.id, turn.bed.bed, call.post, call.who, call.at, call.read_at,
            turn.bed.mode,
        )
    )  # fmt: skip


def read(turn: Turn, alarm: Alarm, who: str) -> None:
    """Somebody who was called has opened the bed, or has taken the alarm on."""
    calls = list(alarm.called)
    for index, call in enumerate(calls):
        if who and call.who == who and not call.read_at:
            calls[index] = CallCell(call.post, call.who, call.at, turn.now)
            _tell(turn, alarm, calls[index])
    alarm.called = tuple(calls)


def next_step(
    unit: UnitState, bed: BedState, alarm: Alarm, merged: Mapping[str, str]
) -> Step | None:
    """The step that is still to come, where there is one."""
    ringing = alarm.state in (ACTIVE, LATCHED) and alarm.id not in merged
    if not ringing or silent_until(bed, alarm):
        return None
    steps = steps_of(unit, alarm)
    return steps[alarm.steps] if alarm.steps < len(steps) else None


def next_moment(turn: Turn) -> int:
    """When somebody is called next at a bed; 0: nobody."""
    bed = turn.bed
    if not any(alarm.state in (ACTIVE, LATCHED) for alarm in bed.alarms.values()):
        return 0
    merged = merging(bed)
    coming = [(a, next_step(turn.unit, bed, a, merged)) for a in bed.alarms.values()]
    moments = [alarm.rang_at + step.after_us for alarm, step in coming if step is not None]
    return min((moment for moment in moments if moment > turn.now), default=0)
