"""How far reviewed verdicts can be trusted: a count and an exact upper bound. Pure.

An alarm counts once: it was a wrong verdict as soon as anybody who reviewed it found it true.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, NamedTuple

from icu.load.figures import FEW

CONFIDENCE: Final = 0.95
LEAST: Final = FEW  # a site may ask for more: fewer events decide nothing
_STEPS: Final = 60  # halvings: the bound is exact to the last digit that is shown


class Counted(NamedTuple):
    """Reviewed verdicts of one rule of one unit."""

    reviewed: int
    wrong: int  # the alarm was true: silencing would have lost it

    @property
    def upper(self) -> float:
        """The 95 % upper bound of the share of wrong ones."""
        return upper_bound(self.wrong, self.reviewed)


class Needed(NamedTuple):
    """What a site asks for before silencing may be enabled; a project has no figure for it."""

    least: int
    most_share: float


def counted(found: Iterable[tuple[str, bool]]) -> Counted:
    """The count of (alarm, was it false) by whoever reviewed it."""
    alarms: dict[str, bool] = {}
    for alarm, was_false in found:
        alarms[alarm] = alarms.get(alarm, True) and was_false
    return Counted(len(alarms), sum(not was_false for was_false in alarms.values()))


def enough(count: Counted, needed: Needed | None) -> bool:
    """Whether a rule may be enabled; without a site's own figures nothing is ever enough."""
    if needed is None or needed.least < LEAST:
        return False
    return count.reviewed >= needed.least and count.upper <= needed.most_share


def upper_bound(wrong: int, of: int) -> float:
    """The one-sided Clopper-Pearson bound (1934): p at which so few are as rare as 1 in 20."""
    if wrong >= of:
        return 1.0
    low, high = wrong / of, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _at_most(wrong, of, middle) > 1 - CONFIDENCE:
            low = middle
        else:
            high = middle
    return high


def _at_most(wrong: int, of: int, share: float) -> float:
    """The probability of at most `wrong` of `of`, each with probability `share`."""
    if share <= 0.0:
        return 1.0
    if share >= 1.0:
        return 0.0
    yes, no = math.log(share), math.log1p(-share)
    whole = math.lgamma(of + 1)
    return math.fsum(
        math.exp(whole - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * yes + (of - k) * no)
        for k in range(wrong + 1)
    )
