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
_GONE: Final = ("D", "W")  # the sender may tell a right one later; a correction stands


def _key(observation: wire.Observation, at: int) -> str:
    return f"{observation.code}|{observation.channel}|{at}"


def is_taken_back(
    bed: BedState, observation: wire.Observation, at: int, sent_at: int | None
) -> bool:
    """Whether a value is what its sender has taken back since, told again or overtaken.

    What was deleted or wrong and is told in a message that was made later is a new result.
    """
    if not (bed.taken_back or bed.withdrawn) or observation.status:
        return False
    key = _key(observation, at)
    said = bed.withdrawn.get(key)
    return key in bed.taken_back or (said is not None and (sent_at is None or sent_at <= said))


def take_back(
    bed: BedState, observation: wire.Observation, at: int, now: int, sent_at: int | None
) -> bool:
    """Takes what was told of this moment out of the record; answers whether anything was there."""
    key = _key(observation, at)
    bed.taken_back.pop(key, None)
    bed.withdrawn.pop(key, None)
    if observation.status in _GONE and sent_at is not None:
        _keep(bed.withdrawn, key, sent_at)
    else:
        _keep(bed.taken_back, key, now)
    name = record.key_of(observation.code, observation.unit)
    return bool(name) and record.withdraw(bed.record, name, at, observation.channel)


def _keep(told: dict[str, int], key: str, when: int) -> None:
    told[key] = when
    while len(told) > _KEPT:
        del told[next(iter(told))]
