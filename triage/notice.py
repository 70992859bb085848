"""Who has taken notice of which red reason of a case. Pure: the case is changed in place.

A red reason of which nobody has taken notice rings (triage/calls.py). Notice is taken of what stood
there when somebody heard by name, decided, or took over, and when the net spoke; never of what
comes later. So nothing rings twice for one reason, and nothing heard before silences what is new.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from hospital_ops.clock import SECOND
from triage.reopening import codes_of
from triage.state import CaseState

# A reason that was away for so long and holds again is a new one (a value at a limit is not).
LASTING_US: Final = 600 * SECOND
_RED: Final = ":red"


def red_reasons(case: CaseState) -> frozenset[str]:
    """The reasons of the present proposal that ask for red by themselves."""
    if case.triage.get("proposed") != "red":
        return frozenset()
    red = (code.removesuffix(_RED) for code in codes_of(case.triage) if code.endswith(_RED))
    return frozenset(red) or frozenset(("red",))


def unheard(case: CaseState) -> frozenset[str]:
    """The red reasons of which nobody has taken notice."""
    return red_reasons(case) - (case.noticed or {}).keys()


def take(case: CaseState, seen: Collection[str] | None = None) -> None:
    """Somebody takes notice: of all that holds, or of what they had before their eyes (`seen`)."""
    reds = red_reasons(case)
    if seen is not None:
        reds &= {code.partition(":")[0] for code in seen}
    case.noticed = {**(case.noticed or {}), **dict.fromkeys(sorted(reds), 0)}
    case.lapsed = None


def follow(case: CaseState, now: int) -> None:
    """After a proposal: what holds no more is dated, what comes back after long is new again.

    What a decision had before its eyes stays known for as long as the decision stands.
    """
    if not case.noticed:
        return
    reds, noticed = red_reasons(case), {}
    for code, gone in case.noticed.items():
        if code not in reds:
            noticed[code] = gone or now
        elif not gone or now - gone < LASTING_US or case.decision is not None:
            noticed[code] = 0
    case.noticed = noticed


def adopt(case: CaseState) -> None:
    """A case of a snapshot that knew no notices: what was quiet stays quiet, what is new rings."""
    if case.noticed is not None:
        return
    if case.decision is not None:
        case.known = tuple(sorted({*case.known, *codes_of(case.triage)}))
    if case.acknowledgements or case.decision or case.taken_over_at or case.untaken:
        take(case)
