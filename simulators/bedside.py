"""What stands at a bed beside the monitor: ventilator and pumps each few seconds, and hourly the
chart, where nobody charts by hand.

Values by the keys of clinical/codes.json, for a device's own line.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulators.course import Course
from simulators.therapy import CHARTED, MACHINES
from simulators.vocabulary import sign

MACHINES_EACH = 4  # calls of `due`, which come each second: a value lives 5 s
CHART_EACH_S = 3600.0  # of the course
VENTILATED = (sign("vent_mode").code, "invasive", "")


class Bedside:
    """One patient's machines and chart; `charts`: nobody writes the chart by hand."""

    def __init__(self, course: Course, *, charts: bool = True) -> None:
        self._course, self._charts = course, charts
        self._calls = 0
        self._chart_due_s = 0.0

    def due(self, t_s: float) -> Iterator[tuple[str, float | str, str]]:
        """(code, value, unit) of what is told now, `t_s` seconds into the play."""
        keys: tuple[str, ...] = MACHINES if self._calls % MACHINES_EACH == 0 else ()
        self._calls += 1
        if t_s >= self._chart_due_s:
            self._chart_due_s = t_s + CHART_EACH_S
            if self._charts:
                keys += CHARTED
                person = self._course.person
                if person.weight_kg:
                    yield sign("weight").code, person.weight_kg, "kg"
                if person.height_cm:
                    yield sign("height").code, person.height_cm, "cm"
            if "peep" in self._course.series:
                yield VENTILATED
        for key in keys:
            value = self._course.value_at(key, t_s)
            if value is not None:
                yield sign(key).code, value, sign(key).ucum
