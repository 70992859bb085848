"""After a physician's decision: what is new re-opens the case, what was overridden stays quiet.

A decision stands until a person changes it. A criterion that did not hold when it was made, and
that asks for a more urgent colour, opens the case again ("Dr Ray green 14:02; new 14:10"). The
same criterion does not ring twice; nothing falls by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

RANK: Final = {"green": 0, "incomplete": 1, "yellow": 2, "red": 3}


def codes_of(result: Mapping[str, Any]) -> frozenset[str]:
    """The reasons that hold in a proposal, with the colour each asks for.

    A high-risk vital sign never makes the chart red; beside a red criterion it asks for yellow.
    """
    chart = str(result.get("colour", ""))
    criteria = frozenset(result.get("criteria", ()))
    beside = "yellow" if chart == "red" else chart
    return frozenset(
        f"{code}:{reason.get('colour') or (chart if code in criteria else beside)}"
        for reason in result.get("reasons", ())
        if (code := reason["code"])
    )


def reopening(decided: str, known: frozenset[str], result: Mapping[str, Any]) -> tuple[str, ...]:
    """Codes of reasons that are new since the decision and ask for more than it gave."""
    gave = RANK.get(decided, 0)
    if RANK.get(str(result.get("proposed")), 0) <= gave:
        return ()
    new = (code.partition(":") for code in codes_of(result) - known)
    return tuple(sorted({code for code, _, colour in new if RANK.get(colour, 0) > gave}))
