"""Technical alarms: from silence, from poor signals, and from not knowing whose data they are.

They end by themselves when their condition does. One cause rings once: in a bed that sends
nothing at all `no_data` rings, and `silent_sensor` of each value is listed under it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hospital_ops import codes
from hospital_ops.board import Shown
from hospital_ops.clock import SECOND
from hospital_ops.wire import Verdict
from icu import alarms, clocks, painting, rhythm, silencing
from icu.ages import UNKNOWN
from icu.alarms import NO_DATA, SILENT, Turn
from icu.limits import FLAT_MMHG, VENTILATED, number_of
from icu.rules import HIGH, RULES, figure, has_rules, limits_of, words
from icu.state import BedState


class Held(NamedTuple):
    """A technical condition that holds."""

    rule: str
    about: str = ""
    since: int = 0  # 0: from now on, and its delay counts; else it rings at once
    priority: str = ""  # empty: the rule's own
    text: str = ""  # empty: the rule's own
    verdict: Verdict | None = None  # of the cross-check


CHANNELS_MOST: Final = 1024  # of one bed, whose sender is remembered
_WARN_US: Final = round(figure("monitoring_paused", r"in (\d+) s") * SECOND)
_AMBER_US, _GONE_US = (round(s * SECOND) for s in codes.ages(codes.by_key["hr"].code)[1:])
_SPO2: Final = codes.by_key["spo2"].code
_NIBP: Final = tuple(codes.by_key[key].code for key in ("nibp_sys", "nibp_dia", "nibp_mean"))
_ABP: Final = tuple(codes.by_key[key].code for key in ("abp_sys", "abp_dia"))


def holding(turn: Turn) -> dict[str, Held]:
    """Every technical condition that holds now, by key."""
    bed, now = turn.bed, turn.now
    held: dict[str, Held] = {}
    streaming = [
        (name, shown)
        for name, shown in bed.values.items()
        if shown.origin == "monitor" and shown.kind == codes.CONTINUOUS
    ]
    gone = [(name, shown) for name, shown in streaming if shown.gone_at and now >= shown.gone_at]
    silent = bool(streaming) and len(gone) == len(streaming)
    _silence(turn, held, gone, silent)
    if not silent:
        for name, shown in bed.values.items():
            if shown.origin == "monitor" and not (shown.gone_at and now >= shown.gone_at):
                _signal(held, name, shown, now)
        _line(turn, held)
    if rhythm.leads_off(bed, now):
        priority = HIGH if any(code in bed.values for code in VENTILATED) else ""
        held["leads_off"] = Held("leads_off", priority=priority)
    _overdue(turn, held)
    _whose(turn, held, silent)
    _sender(turn, held)
    if bed.displaced:
        held["check_patient"] = Held("check_patient")
    waits = turn.unit.waits.get(bed.bed)
    if waits is not None and waits.left_behind and turn.patient_id:
        held["record_left_behind"] = Held("record_left_behind")
    for noted in bed.noted.values():
        rejected = noted.alarm
        key = f"{silencing.NOTE}|{rejected.key}"
        held[key] = Held(silencing.NOTE, rejected.code, rejected.since, verdict=rejected.verdict)
    if unseen := painting.unseen(bed, now):
        rang_at = min(alarm.rang_at for alarm in unseen)
        held[painting.RULE] = Held(painting.RULE, "", rang_at + painting.LIMIT_US)
    return held


def _silence(turn: Turn, held: dict[str, Held], gone: list[tuple[str, Shown]], all_: bool) -> None:
    bed = turn.bed
    if all_ and turn.now - bed.heard_at >= _AMBER_US:
        if not turn.patient_id:
            return  # a monitor taken away from an empty bed is no alarm
        ventilated = any(code in bed.values for code in VENTILATED)  # losing sight of it is red
        since = max(shown.gone_at for _, shown in gone)
        held[NO_DATA] = Held(NO_DATA, "", since, HIGH if ventilated else "")
    for name, shown in gone:
        held[f"{SILENT}|{name}"] = Held(SILENT, name, shown.gone_at)


def _signal(held: dict[str, Held], name: str, shown: Shown, now: int) -> None:
    """Values that come and cannot be used, or are very unusual."""
    vital = codes.by_code.get(name)
    value = number_of(shown, now)
    if value is not None and vital is not None and vital.plausible is not None:
        low, high = vital.plausible
        if not low <= value <= high:
            held[f"implausible|{name}"] = Held("implausible", name)
            return
    if shown.kind != codes.CONTINUOUS or vital is None:
        return
    if value is None:
        rule = "spo2_sensor_off" if name == _SPO2 else "signal_poor"
        held[f"{rule}|{name}"] = Held(rule, name)
    elif shown.validity == "Qst":
        held[f"signal_poor|{name}"] = Held("signal_poor", name)


def _line(turn: Turn, held: dict[str, Held]) -> None:
    systolic, diastolic = (number_of(turn.bed.values.get(code), turn.now) for code in _ABP)
    if systolic is not None and diastolic is not None and systolic - diastolic < FLAT_MMHG:
        held["line_damped"] = Held("line_damped", _ABP[0])


def _overdue(turn: Turn, held: dict[str, Held]) -> None:
    known = [shown for code in _NIBP if (shown := turn.bed.values.get(code)) is not None]
    if not turn.patient_id or not known or any(s.kind != codes.CYCLIC for s in known):
        return
    last = max(shown.gone_at for shown in known)
    if turn.now >= last:
        held["nibp_overdue"] = Held("nibp_overdue", _NIBP[0], last)


def _whose(turn: Turn, held: dict[str, Held], silent: bool) -> None:
    """Values without a patient, and patients without an age or limits."""
    bed = turn.bed
    if not turn.patient_id:
        if bed.values and not silent:
            held["unbound_device"] = Held("unbound_device")
        return
    age = turn.age
    if age.band == UNKNOWN:
        held["limits_missing"] = Held("limits_missing", text=words("limits_missing_age"))
        return
    for name, shown in bed.values.items():
        if shown.origin == "monitor" and has_rules(name) and not limits_of(name, *age):
            held[f"limits_missing|{name}"] = Held("limits_missing", name)


def _sender(turn: Turn, held: dict[str, Held]) -> None:
    bed, now = turn.bed, turn.now
    if bed.clash_at and now - bed.clash_at < _GONE_US:
        held["second_sender"] = Held("second_sender")
    if clocks.is_off(bed, now):
        held["clock_offset"] = Held("clock_offset")
    ends = [
        alarm.paused_until
        for alarm in bed.alarms.values()
        if alarm.paused_until > now and not alarm.device
    ]
    ends += [quiet.until for quiet in bed.quiets.values() if quiet.kind != "comfort_asked"]
    if ends and min(ends) - now <= _WARN_US:
        held["monitoring_paused"] = Held("monitoring_paused")


def reconcile(turn: Turn) -> None:
    """Begins what holds for its delay and ends what no longer does."""
    bed, now = turn.bed, turn.now
    held = holding(turn)
    for key, each in held.items():
        since = each.since or bed.onsets.setdefault(key, now)
        if key in bed.alarms:
            continue
        if each.since or now >= since + RULES[each.rule].delay_us:
            priority = each.priority or RULES[each.rule].priority
            alarm = alarms.made(turn, key, each.rule, each.about, since, priority)
            alarm.text, alarm.verdict = each.text or alarm.text, each.verdict
            alarms.begin(turn, alarm)
    if bed.onsets:
        bed.onsets = {key: at for key, at in bed.onsets.items() if key in held}
    for alarm in list(bed.alarms.values()):
        if alarm.technical and not alarm.device and alarm.key not in held:
            alarms.move(turn, alarm, "false")


def next_moment(bed: BedState, now: int) -> int:
    """When a technical condition may begin or end without a message; 0: never."""
    moments = [at + RULES[key.partition("|")[0]].delay_us for key, at in bed.onsets.items()]
    moments += [bed.heard_at + _AMBER_US, bed.heard_at + _GONE_US]
    if bed.clash_at:
        moments.append(bed.clash_at + _GONE_US)
    moments += [a.paused_until - _WARN_US for a in bed.alarms.values() if a.paused_until]
    moments += [quiet.until - _WARN_US for quiet in bed.quiets.values()]
    moments.append(painting.next_moment(bed))
    return min((moment for moment in moments if moment > now), default=0)


def heard(bed: BedState, channel: str, sender: str, now: int, *, shown: bool) -> None:
    """Who sends a channel of a bed; another one within the time of a live value is a clash.

    `shown`: the value stands on the board now; what comes late is nobody's place there.
    """
    known = bed.senders.get(channel)
    if known == sender or (known is None and len(bed.senders) >= CHANNELS_MOST):
        return
    if known is not None and now - bed.heard_at < _GONE_US:
        bed.clash_at = now
    if shown or known is None:
        bed.senders[channel] = sender
