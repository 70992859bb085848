"""Results that their sender corrects, deletes or calls wrong (OBX-11 C, D, W; HL7 table 0085).

What was told before holds no longer: it is in no sum and no score, and told again it does not come
back. Pure.
"""

from __future__ import annotations

from typing import Final

from hospital_ops import wire
from icu import record
from icu.state import BedState

_KEPT: Final = 256  # of one bed


def _key(observation: wire.Observation, at: int) -> str:
    return f"{observation.code}|{observation.channel}|{at}"


def is_taken_back(bed: BedState, observation: wire.Observation, at: int) -> bool:
    """Whether a value is what its sender has taken back since, told again or overtaken."""
    if not bed.taken_back or observation.status:
        return False
    return _key(observation, at) in bed.taken_back


def take_back(bed: BedState, observation: wire.Observation, at: int, now: int) -> bool:
    """Takes what was told of this moment out of the record; answers whether anything was there."""
    key = _key(observation, at)
    bed.taken_back.pop(key, None)
    bed.taken_back[key] = now
    while len(bed.taken_back) > _KEPT:
        del bed.taken_back[next(iter(bed.taken_back))]
    name = record.key_of(observation.code, observation.unit)
    return bool(name) and record.withdraw(bed.record, name, at, observation.channel)
