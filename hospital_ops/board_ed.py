"""What only the cells of an emergency board have: the ring for a red patient, the kept places."""

from __future__ import annotations

from typing import Any

from hospital_ops.clock import iso
from hospital_ops.wire_forms import Form


class RingCell(Form, frozen=True):
    """A call for a red patient: since when, how often it rang, for whom, when again."""

    since: int
    count: int
    level: int  # 1: triage nurse, 2: physician of the department, 3: everybody
    rang_at: int
    again_at: int


class PlaceCell(Form, frozen=True):
    """A place that is kept for a case, or ready for it."""

    place: str
    kind: str
    label: str
    entrance: str
    state: str  # held, ready
    at: int
    by: str
    zone: str = ""


def ring_json(ring: RingCell | None) -> dict[str, Any] | None:
    """The public form of a ring."""
    if ring is None:
        return None
    return {
        "since": iso(ring.since),
        "count": ring.count,
        "level": ring.level,
        "again_at": iso(ring.again_at),
    }


def place_json(place: PlaceCell) -> dict[str, Any]:
    """The public form of a place."""
    return {
        "place": place.place,
        "kind": place.kind,
        "label": place.label,
        "entrance": place.entrance,
        "state": place.state,
        "at": iso(place.at),
        "by": place.by,
    }


def way_json(
    rerouted: dict[str, Any],
    arrivals: dict[str, str],
    eta_range: tuple[int, int] | None,
    taken_over: tuple[str, int],
) -> dict[str, Any]:
    """The public form of the way: another department, who said when it ended, the interval.

    `taken_over`: by whom and when; 0: by nobody yet.
    """
    by, at = taken_over
    return {
        "taken_over": {"by": by, "at": iso(at)} if at else None,
        "rerouted": rerouted or None,
        "arrivals": arrivals,
        "eta_range": [iso(at) for at in eta_range] if eta_range else None,
    }
