"""What the cross-check rejects: a note instead of an alarm, only where a unit has enabled it. Pure.

An alarm that rings is never turned down. One that would begin stays a low "suspected artefact"
while every rule of `crosscheck.may_silence` holds, nothing red rings at the bed, and for as long
as the longest pause; then, or as soon as one of them no longer holds, or nobody knows any more, it
rings as if nothing had been there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hospital_ops import wire
from hospital_ops.clock import SECOND
from icu import alarms, crosscheck
from icu.alarms import PAUSE_MAX_US, Turn
from icu.rules import HIGH, ROWS
from icu.state import Alarm, BedState, Noted, Support
from icu.states import ACTIVE, LATCHED

NOTE: Final = "suspected_artefact"
# What makes a pulse no proof of a heartbeat, or none no proof of none (alarms.json).
SUPPORTS: Final[tuple[str, ...]] = tuple(ROWS["asystole"]["never_cross_check_when"])
# "None of these" is said for a shift; what is there is believed until somebody says otherwise.
NONE_HOLDS_US: Final = 12 * 3600 * SECOND


def taken(known: dict[str, wire.SilencingSet], change: wire.SilencingSet) -> bool:
    """Remembers what a unit has enabled or taken back, where it is newer than what is known."""
    before = known.get(change.rule)
    if before is not None and before.version >= change.version:
        return False
    known[change.rule] = change
    return True


def document(turn: Turn, act: wire.BedAct) -> None:
    """Somebody says which of the supports the patient of this bed has, or that there is none."""
    words = tuple(word for word in SUPPORTS if word in act.support)
    turn.bed.support = Support(words, act.by, min(act.at, turn.now), turn.patient_id)
    reconsider(turn)


def documented(turn: Turn) -> frozenset[str] | None:
    """The supports of whoever lies here; None: nobody has said so, or not in this shift."""
    said = turn.bed.support
    if said is None or said.patient_id != turn.patient_id:
        return None
    if not said.words and turn.now - said.at >= NONE_HOLDS_US:
        return None
    return frozenset(said.words)


def allowed(turn: Turn, alarm: Alarm) -> bool:
    """Whether an alarm that would begin may stay a note."""
    change = turn.unit.silencing.get(alarm.code)
    return crosscheck.may_silence(
        alarm.code,
        alarm.verdict,
        enabled=change is not None and change.enabled,
        device=bool(alarm.device),
        documented=documented(turn),
    ) and not any(
        each.priority == HIGH and each.state in (ACTIVE, LATCHED)
        for each in turn.bed.alarms.values()
    )


def begin(turn: Turn, alarm: Alarm) -> None:
    """An alarm begins to ring, or stays a note; `technical.reconcile` shows the note."""
    bed = turn.bed
    known = bed.noted.get(alarm.key)
    if known is not None:
        alarm.id, alarm.since = known.alarm.id, known.alarm.since
    until = known.until if known is not None else turn.now + PAUSE_MAX_US
    if turn.now < until and allowed(turn, alarm):
        bed.noted[alarm.key] = Noted(alarm, until)
        if known is None:
            counts = turn.unit.counts
            counts[NOTE] = counts.get(NOTE, 0) + 1
        return
    bed.noted.pop(alarm.key, None)
    alarms.begin(turn, alarm)


def over(bed: BedState, key: str) -> None:
    """The condition has ended: the note with it."""
    if bed.noted:
        bed.noted.pop(key, None)


def pass_time(turn: Turn) -> None:
    """Notes end by themselves: what nobody can see any more, or has lasted too long, rings."""
    for noted in list(turn.bed.noted.values()):
        gone = noted.alarm.good_until and turn.now >= noted.alarm.good_until
        if gone or turn.now >= noted.until:
            _ring(turn, noted)


def reconsider(turn: Turn) -> None:
    """Something of what a note rests on has changed."""
    for noted in list(turn.bed.noted.values()):
        if not allowed(turn, noted.alarm):
            _ring(turn, noted)


def let_ring(turns: Iterable[Turn]) -> None:
    """Who lies here changes: every note rings."""
    for turn in turns:
        for noted in list(turn.bed.noted.values()):
            _ring(turn, noted)


def _ring(turn: Turn, noted: Noted) -> None:
    turn.bed.noted.pop(noted.alarm.key, None)
    alarms.begin(turn, noted.alarm)


def next_moment(bed: BedState, now: int) -> int:
    """When a note ends by time alone; 0: there is none."""
    moments = [
        moment
        for noted in bed.noted.values()
        for moment in (noted.until, noted.alarm.good_until)
        if moment > now
    ]
    return min(moments, default=0)
