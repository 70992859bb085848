"""A case of the audit and what became of the patient afterwards. Pure.

A course is known or it is not: a patient of whom nothing more was heard counts nowhere, for what is
missing is not "went well".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from hospital_ops.clinical.tables import at
from hospital_ops.clock import SECOND, to_datetime

TABLE: Final = at("triage/audit_measures")
LEAST: Final = int(TABLE["least"])
JUDGES: Final = ("proposed", "crew", "physician")
DIMENSIONS: Final = ("age", "sex", "hour", "rule", "unit")
HOUR_US: Final = 3600 * SECOND
HOURS_MAX: Final = 168  # the longest course that a site may ask for: a week
_QUARTER_OF_DAY_H: Final = 6
_CHILD_UNTIL_YEARS: Final = 12  # the charts' own limits (iitt.json): < 12, and > 50 for pain
_OLD_FROM_YEARS: Final = 50


class Case(NamedTuple):
    """A case that came and that a physician decided; times in microseconds, 0: did not happen."""

    case: str
    unit: str
    at: int  # arrival, or the death on the way
    proposed: str
    crew: str  # empty: the crew gave no colour
    physician: str
    rule: str  # the first reason of the proposal in the order of the chart; empty: none
    age: str
    sex: str
    linked: bool  # an admission names this case
    icu_at: int = 0
    death_at: int = 0
    theatre_at: int = 0
    home_at: int = 0


class Told(NamedTuple):
    """A case with what its line in a list says beside the colours."""

    case: Case
    reason: str  # the physician's, where the colour is another than the proposed one
    reasons: list[dict[str, Any]]
    inputs: dict[str, Any]
    rules: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What is counted among whom; `set_at` and `set_by` where a site has switched it on."""

    id: str
    kind: str  # under, over
    among: frozenset[str]
    without: frozenset[str]
    counted: str  # red, not_red
    within_h: int
    source: str  # empty: a site's own setting
    set_at: int = 0
    version: int = 0


class Setting(NamedTuple):
    """What a site set for a measure without a source."""

    measure: str
    version: int
    on: bool
    within_h: int
    at: int


def measures(settings: Iterable[Setting] = ()) -> tuple[Measure, ...]:
    """The measures in force: those with a source, and those that the site has switched on."""
    chosen = {each.measure: each for each in settings}
    found = []
    for row in TABLE["measures"]:
        own = chosen.get(row["id"])
        if row["default"] != "on" and (own is None or not own.on):
            continue
        found.append(_measure(row, own if row["default"] != "on" else None))
    return tuple(found)


def switchable() -> tuple[str, ...]:
    """The measures without a source: off until a site switches them on."""
    return tuple(row["id"] for row in TABLE["measures"] if row["source"] is None)


def _measure(row: Mapping[str, Any], own: Setting | None) -> Measure:
    return Measure(
        id=row["id"],
        kind=row["kind"],
        among=frozenset(row.get("among", ())),
        without=frozenset(row.get("without", ())),
        counted=row["counted"],
        within_h=own.within_h if own else int(row["within_h"]),
        source=row["source"] or "",
        set_at=own.at if own else 0,
        version=own.version if own else 0,
    )


def had(case: Case, events: Collection[str], within_h: int) -> bool:
    """Whether one of these events is known within so many hours of the arrival."""
    until = case.at + within_h * HOUR_US
    return any(0 < at <= until for at in (getattr(case, f"{event}_at") for event in events))


def is_known(case: Case, within_h: int, now_us: int) -> bool:
    """Whether it is known what became of the patient in that time.

    It is where something grave is on record, and otherwise once the time is over for whoever went
    home or was admitted under this case.
    """
    if had(case, ("death", "icu"), within_h):
        return True
    return case.at + within_h * HOUR_US <= now_us and bool(case.home_at or case.linked)


def belongs(case: Case, measure: Measure, now_us: int) -> bool:
    """Whether the case is one of those among whom the measure counts."""
    within = measure.within_h
    if not is_known(case, within, now_us) or had(case, measure.without, within):
        return False
    if measure.among == {"home"}:
        return bool(case.home_at)
    return not measure.among or had(case, measure.among, within)


def colour(case: Case, judge: str) -> str:
    """The colour that the engine, the crew or the physician gave; empty where none was given."""
    return str(getattr(case, judge))


def counts(case: Case, measure: Measure, judge: str) -> bool:
    """Whether this judge's colour counts as mistaken; "incomplete" is not red."""
    red = colour(case, judge) == "red"
    return red if measure.counted == "red" else not red


def place(case: Case, dimension: str, zone: tzinfo) -> str:
    """Where a case stands in a dimension; the hour is that of the house's clock."""
    if dimension == "hour":
        hour = to_datetime(case.at).astimezone(zone).hour
        return str(hour // _QUARTER_OF_DAY_H * _QUARTER_OF_DAY_H)
    if dimension == "rule":
        return case.rule or "none"
    return str(getattr(case, dimension))


def age_of(inputs: Mapping[str, Any]) -> str:
    """lt12y, 12to50y, gt50y or unknown, from the inputs that the proposal was made of."""
    years, days, band = (inputs.get(key) for key in ("age_years", "age_days", "age_band"))
    if isinstance(years, int | float) and not isinstance(years, bool):
        if years < _CHILD_UNTIL_YEARS:
            return "lt12y"
        return "gt50y" if years > _OLD_FROM_YEARS else "12to50y"
    if days is not None or band in ("lt8d", "lt2m", "lt12y"):
        return "lt12y"
    return str(band) if band in ("12to50y", "gt50y") else "unknown"


def events_of(case: Case) -> list[tuple[str, int]]:
    """What is on record of the course, with its time, oldest first."""
    found = [(name, getattr(case, f"{name}_at")) for name in ("icu", "death", "theatre", "home")]
    return sorted((pair for pair in found if pair[1]), key=lambda pair: pair[1])
