"""Limits that a site has set: a unit's own and a patient's own, over those of the table. Pure.

A red is only ever made stricter, a rule that latches is never changed, and any other limit stays
within the safe range; what is outside does not hold, wherever it comes from, and the table does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from hospital_ops import codes, wire
from hospital_ops.clock import SECOND
from icu.ages import Age
from icu.rules import HIGH, Limit, limits_of

DELAY_MOST_S: Final = 120.0  # also what a replay may be asked
OWN_KEPT: Final = 1000  # changes of patients that a unit remembers

Changes = Mapping[str, wire.LimitSet]


class SafeRange(NamedTuple):
    """What a limit may be set to; the looser end first comes from the table, never beyond a red."""

    least: float
    most: float


def name_of(rule: str, code: str, band: str, patient_id: str) -> str:
    """What a change is known by; a patient's own holds in every age band."""
    return f"{rule}|{code}|{patient_id}" if patient_id else f"{rule}|{code}||{band}"


def limits_for(changes: Changes, patient_id: str, code: str, age: Age) -> tuple[Limit, ...]:
    """The limits that hold for a code: the patient's own, else the unit's, else the table's."""
    found = limits_of(code, age.band, age.years)
    if not changes:
        return found
    return tuple(_in_force(changes, patient_id, age.band, age.years, limit) for limit in found)


def _in_force(changes: Changes, patient_id: str, band: str, years: int, limit: Limit) -> Limit:
    rule, code = limit.of.rule.id, limit.of.code
    unit = changes.get(name_of(rule, code, band, ""))
    own = changes.get(name_of(rule, code, band, patient_id)) if patient_id else None
    for change in (unit, own):
        if change is not None:
            limit = _with(limit, band, years, change.limit, change.delay_s, change.by)
    return limit


@lru_cache(maxsize=4096)
def _with(
    limit: Limit, band: str, years: int, number: float | None, delay_s: float | None, by: str
) -> Limit:
    changed = limit
    if number is not None and number != limit.limit and is_safe(limit, band, years, number):
        changed = changed._replace(limit=number)
    if delay_s is not None and delay_is_safe(limit, delay_s):
        changed = changed._replace(delay_us=round(delay_s * SECOND))
    return changed if changed == limit else changed._replace(by=by)


def is_safe(limit: Limit, band: str, years: int, number: float) -> bool:
    """Whether the rule of `limit` may have this number; asked of the table's own limit."""
    found = safe_range(limit, band, years)
    return found is not None and found.least <= number <= found.most


def delay_is_safe(limit: Limit, delay_s: float) -> bool:
    """A red never waits longer than it does; anything else at most two minutes."""
    if limit.of.rule.latching or limit.of.side == "s" or delay_s < 0:
        return False
    longest = limit.delay_us / SECOND if limit.priority == HIGH else DELAY_MOST_S
    return delay_s <= longest


def safe_range(limit: Limit, band: str, years: int) -> SafeRange | None:
    """How far a limit may be set; None: not at all.

    Looser by no more than the table's step of "worse" and never beyond the red of the same side; a
    red not looser at all. Stricter up to the limit of the other side, or what a body can reach.
    """
    side = limit.of.side
    if limit.of.rule.latching or side == "s":
        return None
    table = limits_of(limit.of.code, band, years)
    own = next((each for each in table if each.of is limit.of), None)
    bounds = codes.by_code[limit.of.code].plausible
    if own is None or bounds is None:
        return None
    looser = 0.0 if own.priority == HIGH else own.of.step
    reds = [x.limit for x in table if x.priority == HIGH and x.of.side == side]
    others = [x.limit for x in table if x.of.side not in (side, "s")]
    if side == "low":
        return SafeRange(max([own.limit - looser, bounds[0], *reds]), min([bounds[1], *others]))
    return SafeRange(max([bounds[0], *others]), min([own.limit + looser, bounds[1], *reds]))


def taken(known: dict[str, wire.LimitSet], change: wire.LimitSet, here: set[str]) -> bool:
    """Remembers a change that is newer than what is known; `here`: the patients of the unit."""
    name = name_of(change.rule, change.code, change.band, change.patient_id)
    before = known.get(name)
    if before is not None and before.version >= change.version:
        return False
    known[name] = change
    own = [each for each, one in known.items() if one.patient_id and one.patient_id not in here]
    for each in own[: max(0, len(own) - OWN_KEPT)]:
        del known[each]
    return True
