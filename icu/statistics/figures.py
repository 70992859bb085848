"""What a unit did in a period: occupancy, stays and their ends, days of devices. Pure.

No name, bed or patient comes out. A count of people from one to `LEAST` - 1 is null ("fewer than
LEAST"), and with it every share that would tell it; how long people stayed is told of `LEAST` and
more. Days are local ones, as spans of UTC.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from importlib.resources import files
from itertools import pairwise
from statistics import quantiles
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clock import SECOND, from_datetime, to_datetime

RULES: Final[dict[str, Any]] = json.loads(
    files("icu").joinpath("statistics", "rules.json").read_text("utf-8")
)
LEAST: Final[int] = RULES["least"]
READMISSION_US: Final = RULES["readmission_h"] * 3600 * SECOND
DEVICES: Final[dict[str, tuple[str, ...]]] = {
    name: tuple(codes.by_key[key].code for key in keys) for name, keys in RULES["devices"].items()
}
ENDS: Final = ("discharge", "transfer", "death")
_DAY_US: Final = 86_400 * SECOND


class Stayed(NamedTuple):
    """A stay in the unit; times in microseconds since 1970 UTC."""

    patient: str
    admitted: int
    ended: int | None
    reason: str = ""


def days_of(now: int, count: int, zone: tzinfo) -> list[tuple[int, int]]:
    """The last `count` local days up to now, the one of today included, as spans of UTC."""
    today = to_datetime(now).astimezone(zone).date()
    first = [today - timedelta(days=back) for back in range(count - 1, -2, -1)]
    edges = [from_datetime(datetime.combine(d, time.min, zone).astimezone(UTC)) for d in first]
    return [(begin, min(end, now)) for begin, end in pairwise(edges)]


def counted(
    stays: Sequence[Stayed],
    beds: int,
    device_days: Mapping[str, int],
    span: tuple[int, int],
) -> dict[str, Any]:
    """The figures of a unit with `beds` beds over `span`."""
    begin, end = span
    lain = sum(max(0, min(one.ended or end, end) - max(one.admitted, begin)) for one in stays)
    came = [one for one in stays if begin <= one.admitted < end]
    left = [one for one in stays if one.ended is not None and begin <= one.ended < end]
    again = sum(_came_back(one, stays) for one in came)
    counts = {"admissions": len(came), "readmissions": again}
    counts |= {kind: sum(one.reason == kind for one in left) for kind in ENDS}
    length = [((one.ended or end) - one.admitted) / _DAY_US for one in left]
    people = len({one.patient for one in stays if (one.ended or end) > begin})
    told = _told(people) is not None
    days = lain / _DAY_US
    return {
        "beds": beds,
        "least": LEAST,
        "readmission_h": RULES["readmission_h"],
        "counts": {name: _told(number) for name, number in counts.items()},
        "patient_days": round(days, 1) if told else None,
        "occupancy": round(lain / (beds * (end - begin)), 3) if told and beds else None,
        "length_of_stay_days": _spread(length),
        "device_days": {name: number if told else None for name, number in device_days.items()},
        "device_share": {
            name: round(min(1.0, number / days), 3) if told and days else None
            for name, number in device_days.items()
        },
    }


def _told(number: int) -> int | None:
    return number if number == 0 or number >= LEAST else None


def _came_back(one: Stayed, stays: Sequence[Stayed]) -> bool:
    """Whether somebody who had left the unit alive lies there again soon after."""
    return any(
        other.patient == one.patient
        and other.ended is not None
        and other.reason in ("discharge", "transfer")
        and 0 <= one.admitted - other.ended <= READMISSION_US
        for other in stays
    )


def _spread(length: Sequence[float]) -> dict[str, float] | None:
    if len(length) < LEAST:
        return None
    lower, middle, upper = quantiles(length, n=4, method="inclusive")
    return {"median": round(middle, 1), "lower": round(lower, 1), "upper": round(upper, 1)}
