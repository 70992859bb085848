"""Recorded patients through the unit's own live path: curves, analysis, decision, alarm.

All records of a set lie in one unit and play at once. Whoever rings is acknowledged after ten
seconds, so that a later episode rings anew. Times are those at which the unit has decided, with
the whole delay of the way, in seconds from the start of the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from hospital_ops import wire
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from hospital_ops.ecg.replay import recorded
from hospital_ops.ecg.ward import WardRhythm
from hospital_ops.waveform import Frame
from icu.unit import IcuUnit
from simulators.waveforms import RecordedCurves

UNIT: Final = "h1-icu-1"
START: Final = 1_772_359_337 * SECOND
LETHAL: Final = ("asystole", "vf", "vt")
EXTREME: Final = ("brady_extreme", "tachy_extreme")
_PIECE_S: Final = 0.5
_BORN: Final = "1960-01-01"
_ANSWERED_US: Final = 10 * SECOND
_ON_THE_WAY_US: Final = SECOND // 20


class Rang(NamedTuple):
    """An alarm that began to ring, or a second in which one held."""

    at_s: float
    rule: str


class Heard(NamedTuple):
    """What was heard of one record."""

    rang: list[Rang]  # each time an alarm became active
    held: list[Rang]  # each half second in which a rule held


def heard(paths: Sequence[Path]) -> dict[Path, Heard]:
    """The alarms of each record, played to its end (a short one begins anew: that is left out)."""
    ward, unit = WardRhythm(UNIT), IcuUnit(UNIT, "h1")
    players = {f"{UNIT}-{n:02d}": RecordedCurves(recorded(p)) for n, p in enumerate(paths, 1)}
    ends = {bed: _length_s(player) for bed, player in players.items()}
    of_bed = dict(zip(players, paths, strict=True))
    found = {path: Heard([], []) for path in paths}
    unit.decide([Stamped(START, _admitted(bed)) for bed in players])
    for step in range(1, round(max(ends.values()) / _PIECE_S) + 1):
        began, now = (
            START + round((step - 1) * _PIECE_S * SECOND),
            START + round(step * _PIECE_S * SECOND),
        )
        for bed, player in players.items():
            if step * _PIECE_S <= ends[bed]:
                for frame in player.frames(bed, "Test", step, began, _PIECE_S):
                    ward.take(waved(frame, now + _ON_THE_WAY_US))
        now += _ON_THE_WAY_US
        entries: list[wire.Entry] = [*ward.advance(now), wire.Tick(now), *_answers(unit, now)]
        told = unit.decide([Stamped(now, entry) for entry in entries]).outputs
        at_s = (now - START) / SECOND
        for event in told:
            if isinstance(event, wire.Alerted) and event.state == "active":
                found[of_bed[event.bed]].rang.append(Rang(at_s, event.rule))
        for name, state in unit.state.beds.items():
            found[of_bed[name]].held.extend(
                Rang(at_s, alarm.code)
                for alarm in state.alarms.values()
                if alarm.state in ("active", "acknowledged") and alarm.good_until
            )
    return found


def facts_at(path: Path, at_s: float, lead_in_s: float = 60.0) -> tuple[wire.Witness, ...]:
    """What the signals of a record say at `at_s`, after a minute of listening; nothing later.

    The analysis plays a second behind what comes in, so it is given that second to catch up.
    """
    ward, player, bed = WardRhythm(UNIT), RecordedCurves(recorded(path)), f"{UNIT}-01"
    player.frames(bed, "Test", 0, START, at_s - lead_in_s)
    now = START
    for step in range(1, round(lead_in_s / _PIECE_S) + 1):
        began, now = now, START + round(step * _PIECE_S * SECOND)
        for frame in player.frames(bed, "Test", step, began, _PIECE_S):
            ward.take(waved(frame, now + _ON_THE_WAY_US))
        ward.advance(now + _ON_THE_WAY_US)
    ward.advance(now + SECOND + _ON_THE_WAY_US)
    return ward.facts(bed)


def waved(frame: Frame, received_at: int) -> wire.Waved:
    """A frame as the intake appends it."""
    return wire.Waved(
        UNIT, "bench", str(frame.sequence), b"", received_at, frame.mode, frame.code,
        frame.channel, frame.started_at, frame.rate_hz, frame.scale, frame.offset, frame.unit,
        frame.samples, bed=frame.place,
    )  # fmt: skip


def merged(rang: Iterable[Rang], rules: Sequence[str], rest_s: float) -> list[float]:
    """When one of these rules rang; what comes back within `rest_s` is the same alarm."""
    times: list[float] = []
    last = -rest_s - 1
    for each in rang:
        if each.rule in rules:
            if each.at_s - last > rest_s:
                times.append(each.at_s)
            last = each.at_s
    return times


def _length_s(player: RecordedCurves) -> float:
    return max(len(c.loop.samples) / 2 / c.loop.rate_hz for c in player.curves)


def _admitted(bed: str) -> wire.Admission:
    person = wire.PatientFacts(bed, "Family", "Given", "F", _BORN)
    return wire.Admission(
        UNIT, "adt", bed, b"", START, "Test", "A01", person, START - 3600 * SECOND, bed=bed
    )


def _answers(unit: IcuUnit, now: int) -> list[wire.AlarmAct]:
    return [
        wire.AlarmAct(
            UNIT, name, alarm.id, "acknowledge", now, "nurse", "nurse", "bench", now, "Test"
        )
        for name, bed in unit.state.beds.items()
        for alarm in bed.alarms.values()
        if alarm.state in ("active", "latched") and now - alarm.burst_at >= _ANSWERED_US
    ]
