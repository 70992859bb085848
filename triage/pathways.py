"""Which readiness checklists a case opens: by the crew's flag or by the reasons of triage.

The published triggers (pathways.json) are codes of the chart or sentences. Each sentence that the
stream can answer is read by one function here; the others open by the crew's flag alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from hospital_ops.clinical.tables import table
from triage.age import ADULT_CHART_FROM_YEARS

PATHWAYS: Final[dict[str, dict[str, Any]]] = {
    row["id"]: row for row in table("pathways")["pathways"]
}
ROLES: Final[tuple[str, ...]] = tuple(table("pathways")["roles"])
_DAYS_PER_YEAR: Final = 365.25

Facts = Mapping[str, Any]


def opened_by(triage: Facts, facts: Facts) -> list[dict[str, Any]]:
    """The pathways that this proposal or the crew's `pathways` open, as the table orders them."""
    flags = facts.get("pathways") or ()
    fired = _fired(triage, facts)
    return [
        pathway
        for pathway in PATHWAYS.values()
        if pathway["id"] in flags
        or any(_holds(t, fired, triage, facts) for t in pathway["trigger"])
    ]


def items_of(pathway: str) -> list[dict[str, Any]]:
    """The items that are on: one without a source is off until the site sets it."""
    return [item for item in PATHWAYS[pathway]["items"] if item["default"] == "on"]


def _fired(triage: Facts, facts: Facts) -> set[str]:
    signs = facts.get("signs") or ()
    return {
        *map(str, triage.get("criteria", ())),
        *(str(reason.get("code", "")) for reason in triage.get("reasons", ())),
        *(sign for sign in signs if isinstance(sign, str)),
    }


def _holds(trigger: str, fired: set[str], triage: Facts, facts: Facts) -> bool:
    said = _SENTENCES.get(trigger)
    return said(triage, facts) if said else trigger in fired


def _pregnancy_red(triage: Facts, facts: Facts) -> bool:
    return triage.get("colour") == "red" and any(
        str(code).startswith("preg_") for code in triage.get("criteria", ())
    )


def _red_child(triage: Facts, facts: Facts) -> bool:
    years, days = facts.get("age_years"), facts.get("age_days")
    age = years if isinstance(years, int | float) else None
    if age is None and isinstance(days, int | float):
        age = days / _DAYS_PER_YEAR
    return triage.get("proposed") == "red" and age is not None and age < ADULT_CHART_FROM_YEARS


_SENTENCES: Final[dict[str, Callable[[Facts, Facts], bool]]] = {
    "any pregnancy red of IITT": _pregnancy_red,
    "age <12 and red": _red_child,
}
