"""The past of a bed: what monitor, pumps, laboratory and nurse would have sent before now. Pure.

It is played backwards from the moment at which the ward goes live, on the course that goes on from
there: where the past ends, the present begins, without a step. Numerics are one a minute for a
day, one each ten minutes before that, and as dense as a monitor sends them around each change of a
dose, so that what followed it can be told. The same seed and moment make the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from hospital_ops.clock import SECOND, iso
from simulators import chart, messages, seeds
from simulators.course import Course
from simulators.laboratory import ANALYSIS_US, Sampled, result_of
from simulators.messages import Reading, Sender
from simulators.monitor import CHARTED, CUFF, EACH_SECOND, usual_cycle_s
from simulators.therapy import MACHINES, RESULTS_EACH_S
from simulators.vocabulary import sign

HOURS: Final = 48
FULL_HOURS: Final = 24  # of them, those with a value a minute
STEP_S: Final = 60
THIN_STEP_S: Final = 600
DENSE_STEP_S: Final = 10
DENSE_S: Final = (-310, 1210)  # around a change of a dose
HOUR_S: Final = 3600
VALUES_MOST: Final = 400  # of one message: no reader is held up by it
EVENTS_MOST: Final = 100  # of one message or request
DOSE: Final = "norepinephrine"
DENSE: Final = ("hr", "abp_sys", "abp_dia", "abp_mean")  # what a dose is followed by

Group = tuple[int, tuple[Reading, ...]]


@dataclass(frozen=True, slots=True)
class PastPlan:
    """A bed, who lies there, and when its present began (`until_us`)."""

    bed: str
    device: str
    mrn: str
    course: Course
    seed: int
    until_us: int

    def at_us(self, t_s: int) -> int:
        """The moment `t_s` seconds from the beginning of the present; negative: before."""
        return self.until_us + t_s * SECOND


def dose_changes(course: Course) -> list[int]:
    """Seconds (below 0) at which the pressor's dose became another, in the full hours."""
    if DOSE not in course.series:
        return []
    times = range(-FULL_HOURS * HOUR_S, 0, DENSE_STEP_S)
    doses = [(t_s, course.value_at(DOSE, float(t_s))) for t_s in times]
    changes = [t_s for (_, before), (t_s, after) in pairwise(doses) if before != after]
    return [t_s for n, t_s in enumerate(changes) if n == 0 or t_s - changes[n - 1] > STEP_S]


def numerics(plan: PastPlan, hour: int) -> Iterator[bytes]:
    """The monitor's messages of one hour; hour 1 is the last before the present."""
    sender = Sender(
        plan.device or f"sim-{plan.bed}", plan.bed.rpartition("-")[0], plan.bed, plan.mrn
    )
    groups: list[Group] = []
    values = part = 0
    for group in _groups(plan, hour):
        if values + len(group[1]) > VALUES_MOST:
            yield messages.backlog(_named(plan, hour, part), sender, groups)
            groups, values, part = [], 0, part + 1
        groups.append(group)
        values += len(group[1])
    if groups:
        yield messages.backlog(_named(plan, hour, part), sender, groups)


def machines(plan: PastPlan) -> Iterator[list[dict[str, Any]]]:
    """Ventilator and pumps of all hours as EVENTs of the device's own line, in batches."""
    keys = [key for key in MACHINES if key in plan.course.series]
    if not keys:
        return
    times = {*range(-HOURS * HOUR_S, 0, THIN_STEP_S)}
    if DOSE in keys:
        times |= {*range(-FULL_HOURS * HOUR_S, 0, STEP_S), *dose_changes(plan.course)}
    batch: list[dict[str, Any]] = []
    for t_s in sorted(times):
        for key in keys:
            value = plan.course.value_at(key, float(t_s))
            if value is None or (key != DOSE and t_s % THIN_STEP_S):
                continue
            batch.append(_event(plan, key, value, t_s))
            if len(batch) == EVENTS_MOST:
                yield batch
                batch = []
    if batch:
        yield batch


def results(plan: PastPlan) -> Iterator[bytes]:
    """The laboratory's messages, newest first; the next one is that of the present."""
    one = Sampled(plan.bed, plan.mrn, plan.course)
    first_s, each_s = ANALYSIS_US // SECOND, int(RESULTS_EACH_S)
    for t_s in range(-first_s - each_s, -HOURS * HOUR_S, -each_s):
        yield result_of(one, plan.at_us(t_s), float(t_s))


def charted(plan: PastPlan) -> Iterator[list[dict[str, Any]]]:
    """What the nurses wrote down at whole hours, newest first, in batches."""
    batch: list[dict[str, Any]] = []
    last = plan.until_us // chart.HOUR_US * chart.HOUR_US
    for number in range(HOURS):
        at_us = last - number * chart.HOUR_US
        t_s = (at_us - plan.until_us) / SECOND
        entries = chart.hourly(plan.course, plan.seed, plan.bed, at_us, t_s)
        events = chart.as_events(entries, plan.seed, plan.bed, at_us)
        if len(batch) + len(events) > EVENTS_MOST:
            yield batch
            batch = []
        batch += events
    yield batch


def _groups(plan: PastPlan, hour: int) -> Iterator[Group]:
    """(time, values) rising by time: what the monitor measures, and what its cuff does."""
    start, end = -hour * HOUR_S, (1 - hour) * HOUR_S
    times = set(range(start, end, STEP_S if hour <= FULL_HOURS else THIN_STEP_S))
    dense: set[int] = set()
    for change in dose_changes(plan.course) if hour <= FULL_HOURS else ():
        first, last = (change + edge for edge in DENSE_S)
        dense |= set(range(max(first, start), min(last, end), DENSE_STEP_S))
    cycle_s = max(usual_cycle_s(plan.seed, plan.bed), THIN_STEP_S if hour > FULL_HOURS else 0)
    cuffs = {t_s for t_s in range(start, end) if t_s % cycle_s == 0}
    for t_s in sorted(times | cuffs | dense):
        keys: Sequence[str] = EACH_SECOND if t_s in times else DENSE if t_s in dense else ()
        keys = (*keys, *CUFF, *CHARTED) if t_s in cuffs else keys
        readings = tuple(
            Reading(key, value)
            for key in keys
            if (value := plan.course.value_at(key, float(t_s))) is not None
        )
        if readings:
            yield plan.at_us(t_s), readings


def _named(plan: PastPlan, hour: int, part: int) -> str:
    return f"{plan.bed}.past.{plan.until_us // 1000:x}.{hour}.{part}"


def _event(plan: PastPlan, key: str, value: float, t_s: int) -> dict[str, Any]:
    at_us = plan.at_us(t_s)
    return {
        "event_id": str(seeds.seeded_uuid7(at_us, "past", plan.bed, key, plan.seed)),
        "code": sign(key).code,
        "value": value,
        "unit": sign(key).ucum,
        "determined_at": iso(at_us),
        "mode": "Demo",
    }
