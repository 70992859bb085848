"""The record of each bed kept up to date by its values, and the figures found from it when due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hospital_ops import codes, units, wire
from hospital_ops.board import Shown
from hospital_ops.clock import SECOND
from icu import record, sameness
from icu.ages import UNKNOWN, age_at
from icu.direction import directions
from icu.indicators import Person, figures
from icu.record import Reading, Record
from icu.state import BedState, UnitState

AGAIN_US: Final = 10 * SECOND  # a monitor that tells a spot value each second changes no more
_BY_HAND: Final = ("typed", "laboratory")


def note(
    bed: BedState, observation: wire.Observation, shown: Shown | None, at: int, now: int
) -> bool:
    """Takes a value of this patient in; answers whether the figures are due at once.

    `shown` is what the board made of it, None where it came late: of those only results and what
    people chart still count.
    """
    key = record.key_of(observation.code, observation.unit)
    value = observation.value
    if not key or value is None or observation.validity != "Vld":
        return False
    by_hand = observation.origin in _BY_HAND
    if not by_hand and (shown is None or not _plausible(observation.code, value)):
        return False
    streamed = shown is not None and shown.kind == "continuous"
    if streamed and key == "hr":
        sameness.heard(bed.record, at)
    if streamed and not isinstance(value, str):
        record.sample(bed.bed, bed.record, key, value, at, now)
        return False
    due = record.note(bed.record, key, Reading(at, value, channel=observation.channel), now)
    again = bed.record.found_at + AGAIN_US
    if not due or by_hand or now >= again:
        return due
    bed.record.next_at = min(bed.record.next_at or again, again)
    return False


def _plausible(code: str, value: float | str) -> bool:
    """A flushed line of 0 mmHg is stored and shown, and no score is made of it (codes.md)."""
    return isinstance(value, str) or units.in_range(value, codes.by_code[code].plausible)


def pass_time(bed: BedState, now: int) -> bool:
    """Closes a minute that is over; answers whether the figures are due."""
    closed = record.close_minute(bed.record, now)
    asks = closed and sameness.settle(bed, now)
    return closed or asks or 0 < bed.record.next_at <= now


def next_moment(bed: BedState) -> int:
    """When a minute ends or a value leaves its window; 0: nothing is waiting."""
    moments = (bed.record.minute_until, bed.record.next_at)
    return min((moment for moment in moments if moment), default=0)


def move(state: UnitState, moved: Mapping[str, str]) -> None:
    """A record goes with its patient to the next bed and ends where they leave."""
    records = {before: state.beds[name].record for name, before in moved.items() if before}
    for name in moved:
        bed = state.beds[name]
        carried = records.get(bed.history[-1].patient_id)
        bed.record = carried or Record()
        if carried is not None:
            sameness.moved(carried, state.now)


class Found(NamedTuple):
    """What the record of a bed says at a moment."""

    figures: dict[str, Any]
    trends: dict[str, str]


def found(bed: BedState, now: int) -> Found:
    """The figures of a bed at a moment, and which values move."""
    return Found(_figures(bed, now), directions(bed.record, now))


def _figures(bed: BedState, now: int) -> dict[str, Any]:
    patient = bed.people.get(bed.history[-1].patient_id) if bed.history else None
    if patient is None:
        return figures(bed.record, Person(None, ""), now)
    age = age_at(patient.birth_date, now)
    years = float(age.years) if age.band != UNKNOWN else patient.age_years
    told = patient.weight
    weight = Reading(told.at, told.value) if told is not None else None
    return figures(bed.record, Person(years, patient.sex, weight), now)
