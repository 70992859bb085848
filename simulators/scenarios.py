"""Ambulance cases by seed: who, what the crew sees, how the vital signs go, which colour is right.

The colours were worked out by hand from `clinical/iitt.json`, `safety_net.json` and `news2.json`
(the note of each scenario says by which rule) with room for noise and seed on both sides, so that a
test can hold the engine to them. They are those of the patient at that second, whether or not the
tablet had a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulators import seeds
from simulators.course import Course, Series
from simulators.people import invented

# Keys of clinical/codes.json and the names that `hospital-ops triage` reads them under.
TRIAGE_NAMES = {
    "hr": "hr_bpm",
    "rr": "rr_bpm",
    "temp": "temp_c",
    "spo2": "spo2_pct",
    "nibp_sys": "sbp_mmhg",
    "nibp_dia": "dbp_mmhg",
    "gcs": "gcs",
    "avpu": "avpu",
}
STREAMED = ("hr", "spo2", "rr")
CUFF = ("nibp_sys", "nibp_dia", "nibp_mean")


@dataclass(frozen=True, slots=True)
class Phase:
    """What the crew finds from `from_s` on; vital signs go in a line to the next phase."""

    from_s: float
    signs: tuple[str, ...]  # ids of clinical/iitt.json
    vitals: Mapping[str, float]
    avpu: str = "A"
    gcs: int = 15
    on_oxygen: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """The right proposal between two seconds; in between two of them either may stand."""

    from_s: float
    to_s: float
    colour: str  # the higher of chart and safety net


@dataclass(frozen=True, slots=True)
class Story:
    """A scenario before a seed has made a patient of it."""

    name: str
    note: str  # why the colour is right
    ages: tuple[int, int]
    complaint: str  # id of clinical/complaints.json
    notify: str
    minutes: int
    phases: tuple[Phase, ...]
    expected: tuple[Expected, ...]
    mechanism: str = ""
    loose: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # sensor off, seconds
    offline: tuple[tuple[float, float], ...] = ()  # no network, seconds


@dataclass(frozen=True, slots=True)
class Case:
    """A story with a seed: one patient on the way, the same for the same seed."""

    story: Story
    seed: int
    age_years: int
    sex: str
    course: Course

    @property
    def duration_s(self) -> float:
        """Seconds from the first contact to the door."""
        return self.story.minutes * 60.0

    def phase_at(self, t_s: float) -> Phase:
        """What the crew sees at that second."""
        return [phase for phase in self.story.phases if phase.from_s <= max(t_s, 0.0)][-1]

    def value_at(self, key: str, t_s: float) -> float | str | None:
        """A vital sign at that second, in the unit of clinical/codes.json; None: sensor off."""
        if key == "avpu":
            return self.phase_at(t_s).avpu
        if key == "gcs":
            return self.phase_at(t_s).gcs
        if self.is_loose(key, t_s):
            return None
        return self.course.value_at(key, min(t_s, self.duration_s))

    def is_loose(self, key: str, t_s: float) -> bool:
        """The sensor of this sign lies beside the patient."""
        window = self.story.loose.get(key)
        return window is not None and window[0] <= t_s < window[1]

    def is_offline(self, t_s: float) -> bool:
        """The vehicle has no network."""
        return any(start <= t_s < end for start, end in self.story.offline)

    def facts_at(self, t_s: float) -> dict[str, Any]:
        """What the crew tells of the patient (`PUT .../prearrivals/{uuid}`, without the drive)."""
        phase = self.phase_at(t_s)
        facts: dict[str, Any] = {
            "age_years": self.age_years,
            "sex": self.sex,
            "complaint": self.story.complaint,
            "signs": list(phase.signs),
            "on_oxygen": phase.on_oxygen,
            "notify": self.story.notify,
        }
        if self.story.mechanism:
            facts["mechanism"] = self.story.mechanism
        return facts

    def inputs_at(self, t_s: float) -> dict[str, Any]:
        """The same moment as a line for `hospital-ops triage`; what a sensor lost is left out."""
        phase = self.phase_at(t_s)
        vitals: dict[str, Any] = {"on_oxygen": phase.on_oxygen}
        for key, name in TRIAGE_NAMES.items():
            value = self.value_at(key, t_s)
            if value is not None:
                vitals[name] = value
        return {"age_years": self.age_years, "signs": list(phase.signs), "vitals": vitals}

    def expected_at(self, t_s: float) -> str | None:
        """The right colour at that second, None where the patient is between two."""
        for expected in self.story.expected:
            if expected.from_s <= t_s <= expected.to_s:
                return expected.colour
        return None


def case(story: Story, seed: int) -> Case:
    """The patient that this seed makes of a story."""
    chance = seeds.stream("case", story.name, seed)
    person = invented(seed, f"case {story.name}")
    shift = {key: chance.uniform(-1, 1) for key in sorted(story.phases[0].vitals)}
    shift["nibp_mean"] = shift["nibp_dia"] = shift["nibp_sys"]
    times = tuple(phase.from_s for phase in story.phases)
    series = {
        key: Series(times, tuple(_shifted(key, phase.vitals, shift) for phase in story.phases))
        for key in (*STREAMED, "temp", "nibp_sys", "nibp_dia", "nibp_mean")
    }
    return Case(
        story=story,
        seed=seed,
        age_years=chance.randint(*story.ages),
        sex=person.sex,
        course=Course(
            person=person,
            source=f"scenario {story.name}",
            seed=seed,
            period_s=max(story.minutes * 60.0, times[-1]) * 1000.0,  # never comes round
            series=series,
        ),
    )


# How far a seed may move a patient from the story, in the unit of the sign.
_ROOM = {"hr": 2.0, "rr": 0.5, "spo2": 0.2, "temp": 0.1, "nibp_sys": 3.0, "nibp_dia": 2.0}


def _shifted(key: str, vitals: Mapping[str, float], shift: Mapping[str, float]) -> float:
    if key == "nibp_mean":
        high, low = _shifted("nibp_sys", vitals, shift), _shifted("nibp_dia", vitals, shift)
        return (high + 2 * low) / 3
    return vitals[key] + _ROOM[key] * shift[key]
