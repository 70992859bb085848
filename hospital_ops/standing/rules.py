"""At which bed a device stood at a moment, and which values that parts from each other. Pure."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from hospital_ops import wire
from hospital_ops.clock import SECOND

# From a press to its effect: by then every process of the way in knows of it, so that no value is
# taken for the bed before because somebody was still being told.
EFFECT_US: Final = 5 * SECOND
E = TypeVar("E", bound=wire.Observed | wire.Waved)
KEPT: Final = 16  # acts of one device that the way in remembers


class Stand(NamedTuple):
    """From `from_at` on (microseconds UTC) the device is at the bed; an empty one: at none."""

    from_at: int
    bed: str


Standing = tuple[Stand, ...]  # rising; empty: nobody has ever said anything


def bed_at(standing: Standing, moment: int) -> str:
    """The bed at a moment; empty where it stood at none, or nobody had said anything yet."""
    index = bisect_right(standing, moment, key=lambda one: one.from_at)
    return standing[index - 1].bed if index else ""


def parted(entry: E, standing: Standing, unit_of: Callable[[str], str | None]) -> list[E]:
    """The entry as one for each bed at which its device stood when its values were taken.

    What a device kept while it was carried to another bed belongs to the bed of its own time
    (SAFETY I10). Values of a time at no bed go without a bed: they can be filed by hand.
    """
    if not standing:
        return [entry]
    if isinstance(entry, wire.Waved):
        bed = bed_at(standing, min(entry.started_at, entry.received_at))
        return [entry if bed == entry.bed else _at(entry, bed, unit_of)]
    beds: dict[str, list[int]] = {}
    for index, one in enumerate(entry.observations):
        at = entry.received_at if one.determined_at is None else one.determined_at
        beds.setdefault(bed_at(standing, min(at, entry.received_at)), []).append(index)
    if list(beds) == [entry.bed]:
        return [entry]
    return [
        wire.replaced(
            _at(entry, bed, unit_of),
            observations=tuple(entry.observations[index] for index in some),
            as_sent=tuple(entry.as_sent[index] for index in some if entry.as_sent),
        )
        for bed, some in beds.items()
    ]


def _at(entry: E, bed: str, unit_of: Callable[[str], str | None]) -> E:
    """The entry for another bed: a message of its own, for the same bytes bring several."""
    if bed == entry.bed:
        return entry
    own = hashlib.sha256(entry.identity + b"\x1f" + bed.encode()).digest()
    return wire.replaced(entry, bed=bed, unit=unit_of(bed) or entry.unit, identity=own)


def mode_of(said: str, registered: str) -> str:
    """The mode of what a device sends: nothing of a demo or test device passes as real.

    `registered` is that of the device in the registry; empty where it is not known there.
    """
    return registered if registered not in ("", "Real") else said


def elsewhere(standing: Standing, bed: str, moment: int) -> bool:
    """Whether a person has bound the device to another bed than the one its message names."""
    stood = bed_at(standing, moment)
    return bool(bed and stood and stood != bed)
