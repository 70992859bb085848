"""Tune by replay: what a limit or delay would have rung on the unit's own last days. Pure.

The archived values of one code pass the rule of the engine again, once as it stands and once as it
is asked about: beyond the limit for the delay rings, a value inside cancels and ends, and what was
not heard of for longer than a live value lasts is over. A test holds it to the engine itself.
Nothing changes by looking. Not for a red, and fewer than thirty events decide nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clock import SECOND, iso
from hospital_ops.errors import MessageError
from icu.ages import BANDS, Age, age_at
from icu.load.figures import FEW
from icu.rules import HIGH, Limit
from icu.site_limits import DELAY_MOST_S, Changes, is_safe, limits_for, safe_range

LISTED: Final = 50  # alarms named one by one in an answer
ADULT: Final = "adult"
_NONE: Final[Changes] = MappingProxyType({})


class Value(NamedTuple):
    """An archived value of one code; `at` is its event time, microseconds since 1970 UTC."""

    bed: str
    at: int
    value: float
    birth_date: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """Which rule of which code, and what is asked of it; None leaves a figure as it stands."""

    rule: str
    code: str
    limit: float | None = None
    delay_s: float | None = None
    band: str = ADULT


class Ring(NamedTuple):
    """An alarm of the replay."""

    bed: str
    since: int
    rang: int
    ended: int


def standing(question: Question, changes: Changes = _NONE) -> Limit:
    """The limit that stands in the unit; MessageError where it may not be tuned, or is none."""
    if question.band not in BANDS:
        raise MessageError("unknown_band", f"`band` is one of {', '.join(BANDS)}")
    found = [
        limit for limit in limits_for(changes, "", question.code, age_of(question.band))
        if limit.of.rule.id == question.rule
    ]  # fmt: skip
    if not found or found[0].of.side == "s":
        raise MessageError("no_limit", "there is no such rule with a limit for this code and age")
    if found[0].priority == HIGH or found[0].of.rule.latching:
        raise MessageError("red", "a red alarm is not tuned: its limit is the table's")
    if question.limit is None and question.delay_s is None:
        raise MessageError("nothing_asked", "give `limit`, `delay_s` or both")
    if question.limit is not None and not math.isfinite(question.limit):
        raise MessageError("bad_limit", "`limit` is a number")
    if question.delay_s is not None and not 0 <= question.delay_s <= DELAY_MOST_S:
        raise MessageError("bad_delay", "`delay_s` is 0 to 120 seconds")
    return found[0]


def may_apply(found: Mapping[str, Any]) -> bool:
    """Whether what a replay has found may be applied: safe, whole, and of thirty events."""
    return bool(found["safe"] and found["whole"] and not found["too_few"])


def loosest(question: Question, changes: Changes = _NONE) -> tuple[str, float]:
    """The side, and the limit within which no value can matter to either of the two."""
    stands = standing(question, changes)
    asked = stands.limit if question.limit is None else question.limit
    side = stands.of.side
    return side, max(asked, stands.limit) if side == "low" else min(asked, stands.limit)


def replayed(
    values: Iterable[Value], question: Question, changes: Changes = _NONE
) -> dict[str, Any]:
    """What rang as it stands, and what would have rung; what is new and what would be missed."""
    stands = standing(question, changes)
    asked = as_asked(stands, question)
    rows = [each for each in values if age_at(each.birth_date, each.at).band == question.band]
    before, after = rings(rows, stands), rings(rows, asked)
    missed = [each for each in before if not _meets(each, after)]
    new = [each for each in after if not _meets(each, before)]
    return {
        "rule": question.rule,
        "code": question.code,
        "band": question.band,
        "stands": {"limit": stands.limit, "delay_s": stands.delay_us / SECOND},
        "asked": {"limit": asked.limit, "delay_s": asked.delay_us / SECOND},
        "rang": len(before),
        "would_ring": len(after),
        "missed": len(missed),
        "new": len(new),
        "missed_list": [_told(each) for each in missed[:LISTED]],
        "new_list": [_told(each) for each in new[:LISTED]],
        "too_few": len(before) < FEW and len(after) < FEW,
        "source": stands.of.rule.source,
        "safe": is_safe(stands, *age_of(question.band), asked.limit),
        "range": safe_range(stands, *age_of(question.band)),
        "approved_by": stands.by or None,
    }


def as_asked(stands: Limit, question: Question) -> Limit:
    """The limit as it is asked about."""
    limit = stands.limit if question.limit is None else question.limit
    delay = stands.delay_us if question.delay_s is None else round(question.delay_s * SECOND)
    return stands._replace(limit=limit, delay_us=delay)


def rings(values: Iterable[Value], limit: Limit) -> list[Ring]:
    """The alarms of values that are in the order of their time at each bed."""
    _, _, gone_s = codes.ages(limit.of.code)
    gone_us = round((gone_s or 0) * SECOND)
    found: list[Ring] = []
    open_: dict[str, tuple[int, int]] = {}  # bed -> (since, last beyond)
    for each in values:
        held = open_.get(each.bed)
        if held is not None and gone_us and each.at >= held[1] + gone_us:
            _close(found, each.bed, held, held[1] + gone_us, limit)
            held = None
            del open_[each.bed]
        if limit.beyond(each.value):
            open_[each.bed] = (held[0] if held else each.at, each.at)
        elif held is not None:
            del open_[each.bed]
            # A tick of the delay's end comes before the value of the same moment.
            _close(found, each.bed, held, each.at + 1, limit)
    for bed, held in open_.items():
        _close(found, bed, held, held[1] + gone_us, limit)
    return sorted(found, key=lambda ring: (ring.rang, ring.bed))


def _close(found: list[Ring], bed: str, held: tuple[int, int], end: int, limit: Limit) -> None:
    rang = held[0] + limit.delay_us
    if rang < end or not limit.delay_us:
        found.append(Ring(bed, held[0], rang, end))


def _meets(ring: Ring, others: list[Ring]) -> bool:
    return any(o.bed == ring.bed and o.since < ring.ended and ring.since < o.ended for o in others)


def _told(ring: Ring) -> dict[str, Any]:
    return {"bed": ring.bed, "at": iso(ring.rang), "seconds": round((ring.ended - ring.rang) / 1e6)}


def age_of(band: str) -> Age:
    """An age within a band, at which its limits are asked for."""
    return Age(band, {"adult": 40, "5-11": 8, "1-4": 2}.get(band, 0))
