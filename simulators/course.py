"""A course: how the vital signs of one patient went over hours, playable at any second.

Between two recorded values lies a straight line with beat-to-beat noise on it. The noise belongs to
(seed, vital sign, second): asked twice, or in another order, it is the same. At its end a course
goes on at its beginning, and the way from the last value to the first is a line too.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from simulators import seeds
from simulators.people import Person
from simulators.vocabulary import sign

# Half width of the noise in the unit of the sign: what a resting patient's monitor shows from one
# second to the next. Simulation only, no clinical meaning.
SPREAD = {
    "hr": 3.0, "rr": 1.5, "spo2": 0.8, "temp": 0.05, "etco2": 1.0, "fio2": 0.0, "gcs": 0.0,
    "cvp": 0.8, "vt": 12.0, "ppeak": 0.8,
}  # fmt: skip
# Pressures move together, in proportion, so that systolic > mean > diastolic stays true.
PRESSURE_SPREAD = 0.03
PULSE_LAG = 1.0  # what the pulse of the oximeter may differ from the heart rate, per minute
SLOW_PERIOD_S = 17  # the slower part of the noise, about the length of a blood pressure wave

PRESSURES = ("abp_sys", "abp_dia", "abp_mean", "nibp_sys", "nibp_dia", "nibp_mean")


@dataclass(frozen=True, slots=True)
class Series:
    """One vital sign over time: seconds from the start of the stay, rising, and the values."""

    times_s: tuple[float, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuses times that do not rise; ValueError."""
        if len(self.times_s) != len(self.values) or not self.times_s:
            raise ValueError("a series needs as many values as times, and at least one")
        if any(later <= earlier for earlier, later in pairwise(self.times_s)):
            raise ValueError("the times of a series rise: sort them and drop repeats")

    def at(self, t_s: float, period_s: float) -> float:
        """The value on the line between the neighbours of `t_s`, closed to a ring at the period."""
        times, values = self.times_s, self.values
        after = bisect_right(times, t_s)
        if 0 < after < len(times):
            start, end = times[after - 1], times[after]
            low, high = values[after - 1], values[after]
        else:  # over the seam: from the last value to the first of the next round
            start, end = times[-1], times[0] + period_s
            low, high = values[-1], values[0]
            t_s = t_s + period_s if after == 0 else t_s
        return low if end <= start else low + (high - low) * (t_s - start) / (end - start)


@dataclass(frozen=True, slots=True)
class Course:
    """One patient's vital signs, from a recording or invented."""

    person: Person
    source: str  # set and number of the recording, or "synthetic"
    seed: int
    period_s: float
    series: dict[str, Series]
    recorded: frozenset[str] = frozenset()  # signs that were recorded; the others are invented
    start_s: float = 0.0  # where in the stay the play begins
    noise_keys: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    @property
    def invasive(self) -> bool:
        """Whether an arterial line is in."""
        return "abp_sys" in self.series

    def keys(self) -> tuple[str, ...]:
        """The vital signs that this course can tell, as keys of clinical/codes.json."""
        return (*self.series, "pr") if "hr" in self.series else tuple(self.series)

    def value_at(self, key: str, t_s: float) -> float | None:
        """The value of a sign `t_s` seconds after the play began, in the unit of codes.json.

        None where this patient has no such sensor.
        """
        if key == "pr":
            rate = self._plain("hr", t_s)
            if rate is None:
                return None
            return _fit("pr", rate + PULSE_LAG * self._noise("pr lag", self._second(t_s)))
        value = self._plain(key, t_s)
        return None if value is None else _fit(key, value)

    def _plain(self, key: str, t_s: float) -> float | None:
        series = self.series.get(key)
        if series is None:
            return None
        place = (self.start_s + t_s) % self.period_s
        base = series.at(place, self.period_s)
        second = int(place)
        if key in PRESSURES:
            return base * (1.0 + PRESSURE_SPREAD * self._noise("pressure", second))
        return base + SPREAD.get(key, 0.0) * self._noise(key, second)

    def _second(self, t_s: float) -> int:
        return int((self.start_s + t_s) % self.period_s)

    def _noise(self, name: str, second: int) -> float:
        """Between -1 and 1: a slow wave and a quick tremble."""
        key = self.noise_keys.get(name)
        if key is None:
            key = self.noise_keys[name] = seeds.number("noise", self.seed, self.source, name)
        step, rest = divmod(second, SLOW_PERIOD_S)
        before, after = seeds.mixed(key, -2 - step), seeds.mixed(key, -3 - step)
        slow = before + (after - before) * rest / SLOW_PERIOD_S
        return 0.6 * slow + 0.4 * seeds.mixed(key, second)


def _fit(key: str, value: float) -> float:
    """The value at the resolution of the device, inside what the table calls plausible."""
    row = sign(key)
    if row.plausible is not None:
        value = min(max(value, row.plausible[0]), row.plausible[1])
    if row.resolution >= 1:
        return float(round(value))
    return round(value, 2 if row.resolution < 0.1 else 1)
