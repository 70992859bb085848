"""An independent, naive scorer of limit alarms: written from the tables, sharing no code.

It looks at each rule and code of a bed alone, over the whole record of what arrived: first the
readings that count, then the runs of readings beyond the limit, then what each run rings.

What the tables say: `alarms.json` (limits by age, delay, priority, latching, machine, steps) and
`observation_classes.json` (when a value is withdrawn). What docs/alarms.md adds: a reading that
is invalid neither starts, ends nor cancels; a red that can no longer be measured goes on until
somebody acknowledges it; without an age only limits that are the same for all ages hold, and
lethal ones beyond the limit of every age.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

TABLES = Path(__file__).parents[2] / "hospital_ops" / "clinical" / "tables"
SECOND = 1_000_000
ALARMS = json.loads((TABLES / "alarms.json").read_text("utf-8"))
CODES = {
    row["loinc"]: row for row in json.loads((TABLES / "codes.json").read_text("utf-8"))["rows"]
}
CLASSES = json.loads((TABLES / "observation_classes.json").read_text("utf-8"))
KIND = {row["key"]: row["class"] for row in CLASSES["rows"]}
BANDS = [row["id"] for row in ALARMS["age_bands"] if row["id"] != "unknown"]
STEP = ALARMS["rule_defaults"]["acknowledged_red"]["step"]
STEPS = {"hr": "hr_bpm", "pr": "hr_bpm", "rr": "rr_bpm", "spo2": "spo2_pct", "temp": "temp_c",
         "nibp_sys": "sbp_mmhg", "nibp_mean": "map_mmhg", "etco2": "etco2_mmhg"}  # fmt: skip
HR = "8867-4"
NEVER = 1 << 62


class Arrival(NamedTuple):
    """A value as it reached the unit."""

    moment: int  # when the unit took it
    at: int  # the device's time
    code: str
    value: float
    valid: bool


class Episode(NamedTuple):
    """One alarm from its onset to its end (None: it lasts)."""

    rule: str
    bed: str
    code: str
    priority: str
    onset: int
    end: int | None


@dataclass
class Reading:
    """An arrival that became the newest of its code."""

    moment: int
    at: int
    value: float
    usable: bool
    good_until: int


@dataclass
class Course:
    """One condition as it stands: the run of readings beyond the limit, and what rings."""

    since: int | None = None
    good_until: int = 0
    value: float = 0.0
    state: str = ""
    onset: int = 0
    acknowledged_value: float | None = None
    episodes: list[tuple[int, int | None]] = field(default_factory=list)


def band_and_years(birth_date: str, moment: int) -> tuple[str, int]:
    """The age band of the table."""
    if not birth_date:
        return "unknown", 0
    born = date.fromisoformat(birth_date)
    today = datetime.fromtimestamp(moment / SECOND, UTC).date()
    days = (today - born).days
    years = today.year - born.year - int((today.month, today.day) < (born.month, born.day))
    if days < 28:
        return "neonate", years
    for band, below in (("infant", 1), ("1-4", 5), ("5-11", 12)):
        if years < below:
            return band, years
    return "adult", years


def figure(text: Any, years: int) -> float | None:
    """A limit of the table as a number."""
    if isinstance(text, str):
        return 90.0 if "90 from 10 y" in text and years >= 10 else 70.0 + 2 * years
    return text if text is None else float(text)


def limit_of(rule: dict[str, Any], side: str, band: str, years: int) -> float | None:
    """The limit of a rule for an age, None where it is off."""
    by_band = {b: (rule["limits"][b] or {}).get(side) for b in BANDS}
    if band != "unknown":
        return figure(by_band[band], years)
    numbers = [float(n) for n in by_band.values() if isinstance(n, int | float)]
    if len(numbers) < len(BANDS):
        return None
    if len(set(numbers)) == 1:
        return numbers[0]
    if not rule["latching"]:
        return None
    return max(numbers) if side == "high" else min(numbers)


def readings(arrivals: list[Arrival], code: str) -> list[Reading]:
    """Those of a code that were the newest by device time when they came, each once."""
    key = CODES[code]["key"]
    taken: list[Reading] = []
    times: list[int] = []
    for arrival in arrivals:
        if arrival.code != code:
            continue
        if taken and arrival.at < taken[-1].at:
            continue
        if taken and arrival.at == taken[-1].at and arrival.value == taken[-1].value:
            continue
        if not times or arrival.at > times[-1]:
            times.append(arrival.at)
        good_until = arrival.at + withdrawn_after(key, times[-6:])
        usable = arrival.valid and arrival.moment < good_until
        taken.append(Reading(arrival.moment, arrival.at, arrival.value, usable, good_until))
    return taken


def withdrawn_after(key: str, times: list[int]) -> int:
    """How long a value may be believed."""
    period = None
    if len(times) >= 3:
        period = median(b - a for a, b in pairwise(times)) / SECOND
    if KIND[key] == "cyclic" and not (key == "temp" and period is not None and period <= 15):
        cycles = float(CLASSES["classes"]["cyclic"]["grey_cycles"])
        return NEVER if period is None else round(cycles * period * SECOND)
    seconds: float = CLASSES["classes"]["continuous"]["withdrawn_s"]
    if period is not None and period > 1:
        seconds = max(seconds, 5 * period)
    return round(seconds * SECOND)


def delay_of(rule: dict[str, Any], side: str, limit: float, code: str) -> int:
    """How long the condition must hold."""
    delays, key = ALARMS["project_defaults"]["limit_delay_s"], CODES[code]["key"]
    seconds: float = rule["delay_s"]
    if side == "s":
        seconds = limit
    elif key.startswith("nibp"):
        seconds = delays["nibp"]
    elif key.startswith("abp"):
        seconds = max(seconds, delays["abp"])
    return round(seconds * SECOND)


def score(
    bed: str, birth_date: str, arrivals: list[Arrival], ticks: list[int], taken_on: list[int]
) -> set[Episode]:
    """All limit alarms of a bed; `ticks` are the unit's seconds, `taken_on` moments at which
    somebody acknowledged all that stood on the bed (after everything else of that moment)."""
    band, years = band_and_years(birth_date, ticks[0])
    found: set[Episode] = set()
    by_code: dict[str, list[Reading]] = {}
    for rule in ALARMS["rules"]:
        side = side_of(rule)
        if not side:
            continue
        limit = limit_of(rule, side, band, years)
        if limit is None:
            continue
        priority = rule.get("priority_by_band", {}).get(band, rule["priority"])
        for code in rule["codes"]:
            if code not in CODES:
                continue
            for each in (code, HR):
                if each not in by_code:
                    by_code[each] = readings(arrivals, each)
            follow = Follow(rule, side, limit, priority, code, by_code)
            for onset, end in follow.run(ticks, taken_on):
                found.add(Episode(rule["id"], bed, code, priority, onset, end))
    return found


def side_of(rule: dict[str, Any]) -> str:
    """`low`, `high` or `s` of a rule that is judged by numbers, else nothing."""
    if rule["kind"] != "physiological" or rule["default"] != "on" or rule["source"] is None:
        return ""
    if rule["parameter"] == "combined" or not rule["limits"]:
        return ""
    names = {n for limit in rule["limits"].values() if limit for n in limit} - {"source"}
    return names.pop() if len(names) == 1 and names <= {"low", "high", "s"} else ""


class Follow:
    """One rule and one code of one bed, walked through in time."""

    def __init__(
        self, rule: dict[str, Any], side: str, limit: float, priority: str, code: str,
        by_code: dict[str, list[Reading]],
    ) -> None:  # fmt: skip
        self.rule, self.side, self.limit, self.code = rule, side, limit, code
        self.red, self.latching = priority == "high", rule["latching"]
        self.delay = delay_of(rule, side, limit, code)
        self.step = float(STEP.get(STEPS.get(rule["parameter"].split("|")[0], ""), 0))
        self.readings, self.heart = by_code[code], by_code[HR]
        self.now = Course()

    def beyond(self, reading: Reading) -> bool:
        """Whether a reading breaks the limit; a pulse counts only without a heart rate."""
        if self.rule["parameter"] == "pr":
            newest = [r for r in self.heart if r.moment <= reading.moment][-1:]
            if newest and newest[0].usable and reading.moment < newest[0].good_until:
                return False
        if self.side == "s":
            return reading.value <= 0
        return reading.value < self.limit if self.side == "low" else reading.value > self.limit

    def run(self, ticks: list[int], taken_on: list[int]) -> list[tuple[int, int | None]]:
        """Onset and end of every alarm."""
        happenings: list[tuple[int, int, Any]] = [(t, 0, None) for t in ticks]
        happenings += [(r.moment, 1, r) for r in self.readings]
        happenings += [(t, 2, None) for t in taken_on]
        newest: Reading | None = None
        for moment, what, reading in sorted(happenings, key=lambda h: h[:2]):
            self.lose(moment)
            if what == 1:
                newest = reading
                self.take(reading)
            elif what == 2:
                self.take_on(moment)
            course = self.now
            if course.since is None or course.state or moment < course.since + self.delay:
                continue
            if newest is not None and newest.usable and moment < newest.good_until:
                course.state, course.onset = "active", course.since
        if self.now.state:
            self.now.episodes.append((self.now.onset, None))
        return self.now.episodes

    def over(self, moment: int) -> None:
        self.now.episodes.append((self.now.onset, moment))
        self.now.state, self.now.acknowledged_value = "", None

    def lose(self, moment: int) -> None:
        """Nobody knows any more whether it still holds."""
        course = self.now
        if course.since is None or moment < course.good_until:
            return
        course.since = None
        if course.state == "active" and (self.red or self.latching):
            course.state = "latched"
        elif course.state in ("active", "acknowledged"):
            self.over(moment)

    def take(self, reading: Reading) -> None:
        course = self.now
        if not reading.usable:
            return
        if not self.beyond(reading):
            course.since = None
            if course.state == "active" and self.latching:
                course.state = "latched"
            elif course.state and not (course.state == "latched" and self.latching):
                self.over(reading.moment)
            return
        if course.since is None:
            course.since = min(reading.at, reading.moment)
        course.good_until, course.value = reading.good_until, reading.value
        if course.state == "latched":
            course.state = "active"
        base = course.acknowledged_value
        if self.red and self.step and base is not None and self.side != "s":
            worse = base - reading.value if self.side == "low" else reading.value - base
            if worse >= self.step:
                course.state, course.acknowledged_value = "active", reading.value

    def take_on(self, moment: int) -> None:
        course = self.now
        if course.state == "latched":
            self.over(moment)
        elif course.state == "active":
            course.state, course.acknowledged_value = "acknowledged", course.value
