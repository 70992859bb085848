"""Where the ambulance is: the time of arrival with its interval, and the arrival by position. Pure.

The house's own simple model; another one (a road router, a city's service) takes its place by the
same `Estimator`. Its constants are start values of the house, not of a study.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final, NamedTuple, Protocol

from hospital_ops.clock import SECOND, from_iso, iso
from hospital_ops.wire import EdSettings
from triage.state import CaseState

EARTH_M: Final = 6_371_000.0
ROAD: Final = 1.3  # metres of road for a metre as the crow flies
USUAL_M_S: Final = 10.0  # where nothing is known of this way yet: 36 km/h through a town
SLOWEST_M_S, FASTEST_M_S = 3.0, 30.0
UNSURE: Final = (0.75, 1.5)  # of the time left: the interval around the estimate
TRACK_KEPT: Final = 12  # positions of a case
TRACK_US: Final = 600 * SECOND  # of its speed: the last ten minutes
STALE_US: Final = 300 * SECOND  # a position older than this tells no time of arrival
ACCURACY_M: Final = 500.0  # a position worse than this says nothing

Fix = tuple[int, float, float]  # moment, latitude, longitude


class Estimate(NamedTuple):
    """When the patient is expected, microseconds since 1970, and between when and when."""

    at: int
    earliest: int
    latest: int


class Estimator(Protocol):
    """Says from positions (newest last) and the place of the department when to expect a crew."""

    def __call__(self, track: Sequence[Fix], site: Fix) -> Estimate | None:
        """None where the positions say nothing."""


def metres(one: Fix, other: Fix) -> float:
    """The distance as the crow flies (haversine)."""
    (_, lat_1, lon_1), (_, lat_2, lon_2) = one, other
    a, b = radians(lat_1), radians(lat_2)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(lon_2 - lon_1) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(half)))


def simple(track: Sequence[Fix], site: Fix) -> Estimate | None:
    """Road left by the mean speed of the last ten minutes, held within what an ambulance does."""
    if not track:
        return None
    last = track[-1]
    recent = [fix for fix in track if last[0] - fix[0] <= TRACK_US]
    way = sum(metres(a, b) for a, b in pairwise(recent))
    seconds = (last[0] - recent[0][0]) / SECOND
    speed = way / seconds if seconds >= 60 else USUAL_M_S
    speed = min(max(speed, SLOWEST_M_S), FASTEST_M_S)
    left_us = metres(last, site) * ROAD / speed * SECOND
    early, late = (last[0] + round(left_us * share) for share in UNSURE)
    return Estimate(last[0] + round(left_us), early, late)


def take(
    case: CaseState, site: EdSettings | None, received_at: int, estimate: Estimator = simple
) -> bool:
    """Takes the position among the facts; True where it says that the crew is at the door.

    What the crew says about the time of arrival goes before the estimate.
    """
    fix = _fix(case.facts.get("position"), received_at)
    if fix is not None and (not case.track or fix[0] > case.track[-1][0]):
        case.track = (*case.track, fix)[-TRACK_KEPT:]
    case.eta_range = None
    if site is None or site.latitude is None or site.longitude is None or not case.track:
        return False
    last, door = case.track[-1], (0, site.latitude, site.longitude)
    if received_at - last[0] > STALE_US:
        return False
    found = estimate(case.track, door)
    if found is not None and not case.facts.get("eta"):
        case.eta, case.eta_range = found.at, (found.earliest, found.latest)
    if metres(last, door) > site.radius_m:
        return False
    case.arrivals.setdefault("position", iso(last[0]))
    return True


def _fix(told: Any, received_at: int) -> Fix | None:
    """A position as a tablet tells it; None where it cannot be used."""
    if not isinstance(told, dict):
        return None
    lat, lon, accuracy = (told.get(key) for key in ("latitude", "longitude", "accuracy_m"))
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return None
    if isinstance(accuracy, int | float) and accuracy > ACCURACY_M:
        return None
    try:
        at = from_iso(str(told.get("at")))
    except ValueError:
        return None
    return (min(at, received_at), float(lat), float(lon))
