"""The curves of a played patient: a recording, or loops of beats at the rates of a course."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from hospital_ops.clock import SECOND
from hospital_ops.ecg.replay import Recorded
from hospital_ops.ecg.synthetic import (
    Loop,
    breath_loop,
    carbon_dioxide_loop,
    heart_loops,
    pressure_loop,
)
from hospital_ops.waveform import SAMPLES, Frame
from simulators import seeds
from simulators.course import Course

ECG_II, PLETH, RESP = "131330", "150452", "151552"  # ISO/IEEE 11073-10101
ARTERY, CO2 = "150036", "151684"
VARIANTS = 4  # kinds of noise; few, so that a ward shares its loops
HEART_PER_MIN = (20, 300)
BREATHS_PER_MIN = (4, 80)
STEP_PER_MIN = 2  # a new loop for each rate would make too many
STEP_MMHG = 10


class Curve:
    """One curve: plays a loop to its end, then the one of the rate at that moment."""

    def __init__(self, code: str, choose: Callable[[], Loop]) -> None:
        self.code = code
        self._choose = choose
        self.loop = choose()
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next `count` samples, int16 little-endian."""
        parts, left = [], 2 * count
        while left:
            part = self.loop.samples[self._at : self._at + left]
            parts.append(part)
            left -= len(part)
            self._at += len(part)
            if self._at == len(self.loop.samples):
                self.loop, self._at = self._choose(), 0
        return b"".join(parts)


class Player:
    """The curves of one patient, played from the beginning without a hole."""

    curves: tuple[Curve, ...] = ()
    t_s = 0.0  # since the play began

    def frames(
        self, place: str, mode: str, sequence: int, started_at: int, seconds: float
    ) -> list[Frame]:
        """The next `seconds` of every curve as the frames of one message.

        A piece begins at its curve's first whole sample of that time, so none is lost or doubled.
        """
        before, self.t_s = self.t_s, self.t_s + seconds
        made = []
        for curve in self.curves:
            # The loop may end within the piece; all loops of a curve have one rate and scale.
            loop = curve.loop
            first, end = ceil(before * loop.rate_hz), ceil(self.t_s * loop.rate_hz)
            at = started_at + round((first / loop.rate_hz - before) * SECOND)
            made.append(
                Frame(
                    SAMPLES, mode, place, curve.code, "", loop.unit, sequence, at,
                    loop.rate_hz, loop.scale, loop.offset, curve.take(end - first),
                )
            )  # fmt: skip
        return made

    def heart_per_min(self) -> int | None:
        """The rate that belongs to the curve of this moment, where only the curve can tell it."""
        return None


class RecordedCurves(Player):
    """A recorded patient, as it was; after its end the recording begins anew."""

    def __init__(self, recording: Recorded) -> None:
        self._rates = recording.heart_per_min
        self.curves = tuple(Curve(code, _always(loop)) for code, loop in recording.curves.items())

    def heart_per_min(self) -> int | None:
        """Counted from the recording's own beats."""
        return self._rates[int(self.t_s) % len(self._rates)] if self._rates else None


def _always(loop: Loop) -> Callable[[], Loop]:
    return lambda: loop


class Curves(Player):
    """ECG lead II, pleth and breathing at a course's rates; the same for one seed and place.

    With an arterial line its pressure, on a ventilator the carbon dioxide of the breath.
    """

    def __init__(self, course: Course, seed: int, place: str, speed: float = 1.0) -> None:
        self._course, self._speed = course, speed  # the course passes `speed` times as fast
        self._variant = seeds.number("curves", seed, place) % VARIANTS
        self.curves = (
            Curve(ECG_II, lambda: self._heart()[0]),
            Curve(PLETH, lambda: self._heart()[1]),
            Curve(RESP, self._breath),
        )
        if course.invasive:
            self.curves += (Curve(ARTERY, self._artery),)
        if "etco2" in course.series:
            self.curves += (Curve(CO2, self._carbon_dioxide),)

    def _heart(self) -> tuple[Loop, Loop]:
        return heart_loops(self._rate("hr", 75, *HEART_PER_MIN), self._variant)

    def _breath(self) -> Loop:
        return breath_loop(self._rate("rr", 14, *BREATHS_PER_MIN), self._variant)

    def _artery(self) -> Loop:
        high = self._stepped("abp_sys", 120, STEP_MMHG)
        low = min(self._stepped("abp_dia", 70, STEP_MMHG), high - STEP_MMHG)
        return pressure_loop(self._rate("hr", 75, *HEART_PER_MIN), high, low, self._variant)

    def _carbon_dioxide(self) -> Loop:
        rate = self._rate("rr", 14, *BREATHS_PER_MIN)
        return carbon_dioxide_loop(rate, self._stepped("etco2", 38, 2))

    def _rate(self, key: str, usual: float, least: int, most: int) -> int:
        return min(max(self._stepped(key, usual, STEP_PER_MIN), least), most)

    def _stepped(self, key: str, usual: float, step: int) -> int:
        value = self._course.value_at(key, self.t_s * self._speed)
        return round((usual if value is None else value) / step) * step
