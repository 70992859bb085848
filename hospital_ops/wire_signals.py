"""What our own analysis of live curves came to, as an entry of the unit's stream.

The analyser looks at curves, which no decision does; what it finds goes into `in` and is decided
there, so that a replay needs no curves and comes to the same alarms.
"""

from __future__ import annotations

from hospital_ops.wire_forms import Form


class Witness(Form, frozen=True):
    """What one signal says about the last seconds; facts, no opinion."""

    source: str  # pleth, abp, or the code of an ECG lead
    quality: str  # good, poor, none
    rate_per_min: float | None = None
    gap_s: float | None = None  # the longest time without a pulse or beat, up to now
    slowest_per_min: float | None = None  # of the pulses or beats, one by one
    fastest_per_min: float | None = None
    alike: float | None = None  # 0 to 1: least likeness of a beat to the usual one
    unchanged: float | None = None  # smallest pulse of now over the usual pulse before


class Rhythm(Form, frozen=True, tag="rhy"):
    """The rhythm of a bed from its own ECG: told when it changes, and again while it is bad."""

    unit: str
    bed: str
    at: int  # up to this moment, on our clock
    received_at: int
    mode: str
    codes: tuple[str, ...]  # asystole, ventricular_fibrillation, ventricular_tachycardia
    leads: int  # in use
    leads_off: bool = False  # there are leads, and none of them can be used
    heart_rate: float | None = None
    slow_per_min: float | None = None  # each of the last five beats was slower than this or so
    fast_per_min: float | None = None  # each of the last seventeen beats was at least so fast
    witnesses: tuple[Witness, ...] = ()


class BeatShape(Form, frozen=True, tag="shp"):
    """What the usual beat of each lead of a bed looks like (`ecg/shape.py`)."""

    unit: str
    bed: str
    at: int  # up to this moment, on our clock
    received_at: int
    mode: str
    shapes: dict[str, bytes]  # by lead
    gap_us: int = 0  # the interruption just before; 0: none, 1: another device, without a pause


class Reason(Form, frozen=True):
    """One thing that a witness says about an alarm; the page has the words of `code`."""

    code: str  # pulse_goes_on, pulse_slower, beats_alike, pulse_gone, poor ...
    source: str
    value: float | None = None


class Verdict(Form, frozen=True):
    """What the other signals make of an alarm. It rings all the same (shadow)."""

    word: str  # probably_false, doubtful, stands, no_witness
    reasons: tuple[Reason, ...] = ()
    sources: int = 0  # independent ones that speak against the alarm
