"""Why a whole bed makes no sound: stand-by, comfort care, a recorded death; each has an end.

What is silenced stays on the board with its reason, its end and who decided it, is called for
nobody, and rings in full when the silence ends. A stand-by never covers a lethal alarm; comfort
care covers what `comfort_care` of the table says, and is asked for by a physician and confirmed
by another person. No silence goes over to the next patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hospital_ops import wire
from hospital_ops.board import QuietCell
from hospital_ops.clock import SECOND
from icu import admissions, alarms, closed, left, silencing
from icu.alarms import Turn
from icu.rules import HIGH, RULES
from icu.state import Alarm, BedState
from icu.states import ACKNOWLEDGED

STANDBY, COMFORT, ASKED, CLOSED = "standby", left.COMFORT, "comfort_asked", "closed"
ACTS: Final = (
    "standby", "comfort", "confirm_comfort", "close", "resume", "confirm_patient", "support",
)  # fmt: skip
BY_PHYSICIAN: Final = ("comfort", "close")
REASONS: Final = ("ct", "procedure", "transport", "theatre", "nursing", "other")
MINUTE_US: Final = 60 * SECOND
# Nothing is silent without an end (SAFETY I9). A stand-by and what follows a recorded death: an
# hour. Comfort care is renewed every day, as an order is; it waits ten minutes for the second.
LONGEST_US: Final = {
    STANDBY: 60 * MINUTE_US,
    CLOSED: 60 * MINUTE_US,
    COMFORT: 24 * 60 * MINUTE_US,
    ASKED: 10 * MINUTE_US,
}


def covers(kind: str, alarm: Alarm) -> bool:
    """Whether a silence of this kind takes the sound of an alarm away."""
    if kind == STANDBY:
        # What a device calls red may be lethal whatever its name for it is.
        red = bool(alarm.device) and alarm.priority == HIGH and not alarm.technical
        return not (RULES[alarm.code].lethal or red)
    if kind == COMFORT:
        return RULES[alarm.code].silent_in_comfort
    return kind == CLOSED


def silent_until(bed: BedState, alarm: Alarm) -> int:
    """Until when the bed's silences cover an alarm; 0: it may sound."""
    if not bed.quiets:
        return 0
    return max((q.until for q in bed.quiets.values() if covers(q.kind, alarm)), default=0)


def is_for(turn: Turn, act: wire.BedAct) -> bool:
    """Whether the patient for whom it was decided still lies here."""
    return act.patient_id in ("", turn.patient_id)


def take(turn: Turn, act: wire.BedAct) -> None:
    """What somebody decided for the whole bed; what cannot be is nothing."""
    bed = turn.bed
    if act.act == "standby" and act.reason in REASONS:
        _put(turn, STANDBY, act, minutes=act.minutes)
    elif act.act == "comfort" and turn.patient_id:
        _put(turn, ASKED, act)
    elif act.act == "confirm_comfort":
        asked = bed.quiets.get(ASKED)
        if asked is not None and asked.by != act.by and turn.now < asked.until:
            del bed.quiets[ASKED]
            _put(turn, COMFORT, act, by=asked.by)
    elif act.act == "close" and turn.patient_id:
        _close(turn, act)
    elif act.act == "resume":
        _end(turn, list(bed.quiets))
        left.lives(turn)
    elif act.act == "confirm_patient":
        admissions.confirm(bed, turn.now)
    elif act.act == "support":
        silencing.document(turn, act)


def _put(turn: Turn, kind: str, act: wire.BedAct, *, minutes: int = 0, by: str = "") -> None:
    longest = LONGEST_US[kind]
    length = min(minutes * MINUTE_US, longest) if minutes > 0 else longest
    begun = min(act.at, turn.now)
    if begun + length > turn.now:
        turn.bed.quiets[kind] = QuietCell(
            kind, begun, begun + length, by or act.by, act.by if by else "", act.reason
        )


def _close(turn: Turn, act: wire.BedAct) -> None:
    """A recorded death: what rings is over, and what was measured is gone from the board.

    It is kept, should the death be an error (`left.py`). What still hangs on the dead rings for
    nobody; somebody who lives rings at once (`closed.py`).
    """
    bed = turn.bed
    left.keep(turn.unit, bed.bed, turn.patient_id, left.of(bed))
    bed.closed = closed.of(bed)
    for alarm in list(bed.alarms.values()):
        alarms.move(turn, alarm, "close", act.by)
    bed.values.clear()
    bed.probes.clear()
    bed.times.clear()
    bed.pending.clear()
    bed.onsets.clear()
    bed.quiets.clear()
    bed.noted.clear()
    _put(turn, CLOSED, act)


def heard(turn: Turn, message: wire.Observed | wire.DeviceAlert, changed: Sequence[str]) -> None:
    """Values or an alarm of a device: somebody who lives at a closed bed rings at once."""
    after_death = turn.bed.quiets.get(CLOSED)
    if after_death is None:
        return
    if isinstance(message, wire.Observed):
        lives = closed.by_values(turn.bed, after_death.since, message, changed, turn.now)
    else:
        lives = closed.by_alert(turn.bed, after_death.since, message)
    if lives:
        _end(turn, [CLOSED])


def beats_seen(turn: Turn) -> None:
    """Our own look at the ECG has spoken: beats at a closed bed are somebody's."""
    after_death = turn.bed.quiets.get(CLOSED)
    if after_death is not None and closed.by_beats(turn.bed.rhythm, after_death.since):
        _end(turn, [CLOSED])


def pass_time(turn: Turn) -> None:
    """Silences end by themselves."""
    if turn.bed.quiets:
        _end(turn, [kind for kind, q in turn.bed.quiets.items() if turn.now >= q.until])


def _end(turn: Turn, kinds: list[str]) -> None:
    """Ends silences; what rings under them sounds in full, and is called for from now on."""
    bed = turn.bed
    covered = [
        alarm
        for alarm in bed.alarms.values()
        if alarm.state != ACKNOWLEDGED and any(covers(kind, alarm) for kind in kinds)
    ]
    for kind in kinds:
        del bed.quiets[kind]
    for alarm in covered:
        if not silent_until(bed, alarm):
            alarms.ring(turn, alarm)
            alarms.call_anew(turn, alarm)


def next_moment(bed: BedState, now: int) -> int:
    """When a silence ends; 0: there is none."""
    if not bed.quiets:
        return 0
    return min((q.until for q in bed.quiets.values() if q.until > now), default=0)


def leave(old: Turn, patient_id: str, new: Turn | None) -> None:
    """A bed's silences when its patient goes: comfort care goes along, others end here."""
    comfort, after_death = old.bed.quiets.get(COMFORT), old.bed.quiets.get(CLOSED)
    old.bed.quiets.clear()
    if after_death is not None and not old.patient_id:
        # The stay of somebody who died has ended: what still hangs on the bed rings for nobody.
        old.bed.quiets[CLOSED] = after_death
    if new is not None and comfort is not None and patient_id:
        new.bed.quiets[COMFORT] = comfort
