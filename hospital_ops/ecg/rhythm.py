"""What the heart does: rate and rhythm of every patient of a unit, second by second.

Beats come from `stream.py`, oscillation and stillness from `waves.py`; what a rhythm is called and
from which limit stands in the clinical table `ecg` (lethal, rates). A lead that is off says
nothing; with no lead left the rhythm is "not assessed", never "normal".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from hospital_ops.clinical.tables import table
from hospital_ops.ecg.hops import Array
from hospital_ops.ecg.stream import BeatStream
from hospital_ops.ecg.waves import LIMITS, Second, Waves

_TABLE: Final = table("ecg")
_RATES: Final = _TABLE["rates"]
_MONITOR: Final = _TABLE["lethal"]["monitor_defaults"]
# The counts of beats in the words of ecg.json, lethal.physionet_2015, as numbers.
_EXTREME: Final = {"brady_beats": 5, "brady_below": 40, "tachy_beats": 17, "tachy_above": 140}
LETHAL: Final = ("asystole", "ventricular_fibrillation", "ventricular_tachycardia")
_KEPT_BEATS: Final = 40
_FRESH_S: Final = 8.0  # older beats say nothing about now; a beat is told up to four seconds late
_UNLIKE: Final = 0.5  # a beat whose wave differs this much from the last ten seconds'


@dataclass(slots=True)
class Rhythm:
    """The rhythm of one patient up to `at_s` seconds from the start of the stream."""

    at_s: float
    codes: tuple[str, ...]  # most urgent first; ("not_assessed",) without a usable lead
    heart_rate: float | None  # per minute, of the last beats
    lead: int | None  # which lead it was read from
    slow_per_min: float | None = None  # the fastest of the last five beats, where they are fresh
    fast_per_min: float | None = None  # the slowest of the last seventeen beats


@dataclass(slots=True)
class _Patient:
    beats: list[list[float]]  # times in seconds of each lead
    likeness: list[list[float]]
    oscillating: list[int] = field(default_factory=list)  # seconds in a row, per lead
    still: list[int] = field(default_factory=list)
    off: list[bool] = field(default_factory=list)
    resting: list[bool] = field(default_factory=list)
    frequency: list[float] = field(default_factory=list)


class UnitRhythm:
    """Rhythms of `patients` patients with `leads` leads each, of one rate, in one call.

    Rows of a chunk: the leads of the first patient, then those of the second, in mV.
    """

    def __init__(self, rate_hz: float, patients: int = 1, leads: int = 1) -> None:
        self.rate_hz, self.patients, self.leads = rate_hz, patients, leads
        self.stream = BeatStream(rate_hz, patients * leads)
        self.waves = Waves(patients * leads, self.stream.rate, self.stream.hop)
        self._second_s = self.stream.hop / self.stream.rate
        self._all = [
            _Patient(
                [[] for _ in range(leads)],
                [[] for _ in range(leads)],
                [0] * leads,
                [0] * leads,
                [True] * leads,
                [False] * leads,
                [0.0] * leads,
            )
            for _ in range(patients)
        ]

    def push(self, chunk: Array) -> list[list[Rhythm]]:
        """Take in samples (patients * leads, n); one rhythm per patient and second completed."""
        lead, at = self.stream.push(chunk)
        told = list(
            zip(
                lead.tolist(),
                (at / self.rate_hz).tolist(),
                self.stream.likeness.tolist(),
                strict=True,
            )
        )
        facts = self.waves.push(self.stream.seconds, self.stream.highest)
        told.sort(key=lambda beat: beat[1])
        return self._walk(told, facts)

    def lead_facts(self, patient: int, lead: int) -> tuple[list[float], list[float], bool]:
        """Beats of a lead (s from the start), their likeness to the usual one; is it off?"""
        known = self._all[patient]
        return known.beats[lead], known.likeness[lead], known.off[lead]

    def _walk(self, told: list[tuple[int, float, float]], facts: Second) -> list[list[Rhythm]]:
        out: list[list[Rhythm]] = [[] for _ in self._all]
        rows = [facts.oscillating, facts.still, facts.off, facts.resting, facts.frequency]
        oscillating, still, off, resting, frequency = (row.T.tolist() for row in rows)
        following = 0
        for second in range(len(oscillating)):
            end_s = (facts.start + second + 1) * self._second_s
            # Beats are decided two seconds later than the seconds they lie in are complete.
            while following < len(told) and told[following][1] < end_s - self._second_s:
                self._beat(*told[following])
                following += 1
            for number, patient in enumerate(self._all):
                base = number * self.leads
                for each in range(self.leads):
                    row = base + each
                    on = not off[second][row]
                    patient.off[each] = not on
                    shaking = on and oscillating[second][row]
                    patient.oscillating[each] = patient.oscillating[each] + 1 if shaking else 0
                    quiet = on and still[second][row]
                    patient.still[each] = patient.still[each] + 1 if quiet else 0
                    patient.resting[each] = resting[second][row]
                    patient.frequency[each] = frequency[second][row]
                out[number].append(_judged(patient, end_s))
        for beat in told[following:]:
            self._beat(*beat)
        return out

    def _beat(self, row: int, at_s: float, likeness: float) -> None:
        patient, lead = self._all[row // self.leads], row % self.leads
        for kept, value in ((patient.beats[lead], at_s), (patient.likeness[lead], likeness)):
            kept.append(value)
            del kept[:-_KEPT_BEATS]


def _judged(patient: _Patient, now_s: float) -> Rhythm:
    usable = [lead for lead, off in enumerate(patient.off) if not off]
    if not usable:
        return Rhythm(now_s, ("not_assessed",), None, None)
    lead = max(usable, key=lambda each: float(np.mean(patient.likeness[each][-10:] or [0.0])))
    beats = np.array(patient.beats[lead])
    beats = beats[beats > now_s - 60]
    codes: list[str] = []
    still_s = min(patient.still[each] for each in usable)
    # Before stillness: a smooth fibrillation has no steep wave and is no standstill.
    if code := _oscillation(patient, usable):
        codes.append(code)
    elif still_s >= _MONITOR["asystole_s"]:
        codes.append("asystole")
    elif _run(beats, patient.likeness[lead], now_s):
        codes.append("ventricular_tachycardia")
    intervals = np.diff(beats)
    rate = float(60 / np.median(intervals[-8:])) if len(intervals) >= 3 else None
    if "asystole" not in codes:
        codes += _by_intervals(intervals, rate)
    if not codes:
        codes.append("not_assessed" if rate is None else "regular")
    fresh = len(beats) > 0 and now_s - beats[-1] < _FRESH_S
    slow, fast = _extremes(intervals) if fresh else (None, None)
    return Rhythm(now_s, tuple(codes), rate, lead, slow, fast)


def _extremes(intervals: Array) -> tuple[float | None, float | None]:
    """The fastest of the last beats that make a bradycardia, the slowest of a tachycardia."""
    slow, fast = intervals[-_EXTREME["brady_beats"] :], intervals[-_EXTREME["tachy_beats"] :]
    enough = len(slow) == _EXTREME["brady_beats"], len(fast) == _EXTREME["tachy_beats"]
    return (
        float(60 / slow.min()) if enough[0] else None,
        float(60 / fast.max()) if enough[1] else None,
    )


def _oscillation(patient: _Patient, usable: list[int]) -> str | None:
    """Fibrillation or fast tachycardia, where no usable lead rests between its waves."""
    need = LIMITS["oscillation"]["seconds"]
    if max(patient.oscillating[lead] for lead in usable) < need:
        return None
    # A lead with a flat line between its waves outvotes one that is shaken.
    if any(patient.resting[lead] for lead in usable):
        return None
    per_s = float(np.median([patient.frequency[lead] for lead in usable]))
    flutter = per_s >= LIMITS["oscillation"]["flutter_per_s_min"]
    return "ventricular_fibrillation" if flutter else "ventricular_tachycardia"


def _run(beats: Array, likeness: list[float], now_s: float) -> bool:
    """A run of fast beats unlike those before (ecg.json: VT)."""
    need = int(_MONITOR["vt_run_beats"])
    last = beats[-need:]
    if len(last) < need or now_s - last[-1] > 2.5 + 60 / _MONITOR["vt_rate_gt"]:
        return False
    fast = bool((np.diff(last) < 60 / _MONITOR["vt_rate_gt"]).all())
    unlike = np.array(likeness[-len(beats) :])[-need:]
    return fast and bool((unlike < _UNLIKE).all())


def _by_intervals(intervals: Array, rate: float | None) -> list[str]:
    """Rhythms that the intervals alone show, most urgent first."""
    found: list[str] = []
    if rate is None:
        return found
    brady, tachy = intervals[-_EXTREME["brady_beats"] :], intervals[-_EXTREME["tachy_beats"] :]
    if len(brady) == _EXTREME["brady_beats"] and (brady > 60 / _EXTREME["brady_below"]).all():
        found.append("extreme_bradycardia")
    if len(tachy) == _EXTREME["tachy_beats"] and (tachy < 60 / _EXTREME["tachy_above"]).all():
        found.append("extreme_tachycardia")
    if intervals[-1] >= _MONITOR["pause_s"]:
        found.append("pause")
    if irregular(intervals):
        found.append("atrial_fibrillation")
    elif bigeminy(intervals):
        found.append("bigeminy")
    if rate < _RATES["adult_brady_lt"]:
        found.append("bradycardia")
    elif rate > _RATES["adult_tachy_gt"]:
        found.append("tachycardia")
    return found


def irregular(intervals: Array) -> bool:
    """Whether the last intervals (seconds) are irregularly irregular, as in atrial fibrillation."""
    rule: dict[str, Any] = LIMITS["irregular"]
    last = intervals[-rule["beats"] :]
    if len(last) < rule["beats"] or bigeminy(intervals):
        return False
    usual = float(np.median(last))
    change = np.abs(np.diff(last)) / usual
    spread = float(np.median(np.abs(last - usual))) / usual
    return bool(
        (change > rule["difference_min"]).mean() >= rule["share_min"]
        and spread >= rule["spread_min"]
    )


def bigeminy(intervals: Array) -> bool:
    """Whether short and long intervals (seconds) take turns."""
    rule: dict[str, Any] = LIMITS["bigeminy"]
    last = intervals[-2 * rule["couples"] :]
    if len(last) < 2 * rule["couples"]:
        return False
    one, two = last[::2], last[1::2]
    usual = float(np.median(last))
    same = max(float(np.ptp(one)), float(np.ptp(two))) / usual
    apart = abs(float(np.median(one) - np.median(two))) / usual
    return bool(apart >= rule["difference_min"] and same <= rule["same_max"])
