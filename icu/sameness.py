"""Whether the signals after an interruption are still those of who lay here: "check patient".

Nobody needs to tell a move: curves or values that come back after half a minute, from another
device, or in the bed to which somebody was moved, are held against what was known of the patient
(`record.Known`): the shape of the beats, lead by lead, and the level of pulse and pressure. What is
unlike asks a person to look; until then, and where they say "this patient lies here", values stay
with whoever is bound. Parameters and what they miss: docs/decisions/0052.
"""

from __future__ import annotations

import json
import math
from importlib.resources import files
from typing import Any, Final

from hospital_ops import wire
from hospital_ops.clock import SECOND
from hospital_ops.ecg.shape import likeness
from icu.record import Known, Levels, Record
from icu.state import BedState

BEATS: Final = "- beats"  # what asks for a look, beside the numbers that messages name
BASELINE: Final = "- baseline"
REASONS: Final = {BEATS: "check_beats", BASELINE: "check_baseline"}  # flags of a bed's cell
_SET: Final[dict[str, Any]] = json.loads(files("icu").joinpath("same_patient.json").read_bytes())
_SHAPE: Final = _SET["shape"]
_BASE: Final = _SET["baseline"]
GAP_US: Final = int(_SET["interruption_s"] * SECOND)
KNOWN_US: Final = int(_SET["known_for_s"] * SECOND)
SETTLED_US: Final = int(_BASE["settled_s"] * SECOND)
LEADS_MOST: Final = 3
_PRESSURES: Final = ("abp_mean", "nibp_mean")


def heard(record: Record, at: int) -> None:
    """A heart rate of a monitor comes: after a silence it may be another's."""
    running, last = record.minute.get("hr"), record.newest.get("hr")
    before = running.at if running else last.at if last else 0
    if before and at - before >= GAP_US and not record.known.since:
        _begin(record, at)


def moved(record: Record, now: int) -> None:
    """The patient of the record has come to another bed: what comes now is held against them."""
    record.known.moved_at = now
    _begin(record, now)


def settle(bed: BedState, now: int) -> bool:
    """Holds the level against the one before, once it can be seen; is there something to tell?"""
    known = bed.record.known
    if not known.since or now < known.since + SETTLED_US:
        return False
    after = _levels(bed.record, known.since + SETTLED_US)
    if "hr" not in after:
        if now > known.since + KNOWN_US:
            known.since, known.before = 0, {}
        return False
    unlike = _jumped(known.before, after)
    known.since, known.before = 0, {}
    # Beats that look the same outweigh a level that does not: hearts hurry, and are treated.
    seen = known.likeness if known.looked_at and now - known.looked_at < KNOWN_US else -1.0
    if unlike and seen < _SHAPE["alike_from"]:
        return _ask(bed, BASELINE, now)
    return False


def look(bed: BedState, seen: wire.BeatShape) -> bool:
    """The shape of a bed's beats: held against what is known, or learnt; anything to tell?"""
    known, now = bed.record.known, seen.at
    if not bed.history or not bed.history[-1].patient_id or bed.claimed_other_at:
        known.offered = dict(seen.shapes)
        return False
    apart = seen.gap_us == 1 or seen.gap_us >= GAP_US or known.moved_at > known.shaped_at
    like = _like(known, seen) if now - known.shaped_at < KNOWN_US else None
    if apart:
        known.moved_at, known.looked_at = 0, now
        known.likeness = -1.0 if like is None else like
        if like is not None and like < _SHAPE["unlike_below"]:
            known.offered = dict(seen.shapes)
            return _ask(bed, BEATS, now)
    _learn(known, seen.shapes, now)
    return False


def confirmed(record: Record, now: int) -> None:
    """Somebody has looked: what was unlike is this patient's."""
    known = record.known
    if known.offered:
        known.shapes = {}
        _learn(known, known.offered, now)


def _begin(record: Record, now: int) -> None:
    record.known.since = now
    record.known.before = _levels(record, now - KNOWN_US)


def _levels(record: Record, since: int) -> Levels:
    """Pulse and mean pressure of the last whole minute, where they are not older than `since`."""
    found: Levels = {}
    for key in ("hr", *_PRESSURES):
        reading = record.newest.get(key)
        if reading is not None and reading.at >= since and not isinstance(reading.value, str):
            found[key] = reading.value
    return found


def _jumped(before: Levels, after: Levels) -> bool:
    if "hr" not in before:
        return False
    rate = (after["hr"] - before["hr"]) / _BASE["hr_per_min"]
    for key in _PRESSURES:
        if key in before and key in after:
            pressure = (after[key] - before[key]) / _BASE["map_mmhg"]
            return bool(math.hypot(rate, pressure) / math.sqrt(2) > _BASE["hr_and_map_above"])
    return bool(abs(rate) > _BASE["hr_alone_above"])


def _like(known: Known, seen: wire.BeatShape) -> float | None:
    """The mean, over the leads of both, of the likeness to the most like of the known shapes."""
    found = [
        max(likeness(shape, seen.shapes[lead]) for shape in shapes)
        for lead, shapes in known.shapes.items()
        if lead in seen.shapes
    ]
    return sum(found) / len(found) if found else None


def _learn(known: Known, shapes: dict[str, bytes], now: int) -> None:
    """A heart may beat in more than one shape (a pacemaker, a bundle branch): some are kept."""
    for lead, shape in list(shapes.items())[:LEADS_MOST]:
        rows = known.shapes.get(lead, ())
        others = [row for row in rows if likeness(row, shape) < _SHAPE["alike_from"]]
        known.shapes[lead] = (*others, shape)[-_SHAPE["kept"] :]
    while len(known.shapes) > LEADS_MOST:
        del known.shapes[next(iter(known.shapes))]
    known.shaped_at, known.offered = now, {}


def _ask(bed: BedState, why: str, now: int) -> bool:
    if not bed.claimed_other_at:
        bed.claimed_other_at, bed.claimed_other = now, why
    return True
