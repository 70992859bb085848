"""How old the patient is, or may be: exact, an estimated band, or unknown.

A band is judged at every age where the charts or limits change inside it (`age_bands.json`). With
no age at all the patient is judged on both charts without any rule that needs an age.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hospital_ops.clinical.bounds import checked
from hospital_ops.clinical.tables import at, table

_BANDS: Final = at("triage/age_bands")
_DAYS_PER_YEAR: Final[float] = _BANDS["days_per_year"]
_MONTHS_PER_YEAR: Final = 12
# "adult chart when age >=12 y"
ADULT_CHART_FROM_YEARS: Final = float(
    table("iitt")["age_split"].split(">=")[1].removesuffix("y").strip()
)


class Age(NamedTuple):
    """One age to judge at. Numbers are None where the age is unknown."""

    years: float | None
    months: float | None
    days: float | None
    adult_chart: bool


class Ages(NamedTuple):
    """Every age to judge at, and how well the age is known."""

    ages: tuple[Age, ...]
    known: str  # "exact", "band" or "none"
    band: str | None = None


def from_years(years: float) -> Age:
    """An age given in years."""
    return Age(
        years, years * _MONTHS_PER_YEAR, years * _DAYS_PER_YEAR, years >= ADULT_CHART_FROM_YEARS
    )


def from_days(days: float) -> Age:
    """An age given in days."""
    years = days / _DAYS_PER_YEAR
    return Age(years, years * _MONTHS_PER_YEAR, days, years >= ADULT_CHART_FROM_YEARS)


def _representative(entry: Mapping[str, float]) -> Age:
    if "days" in entry:
        return from_days(entry["days"])
    if "months" in entry:
        return from_years(entry["months"] / _MONTHS_PER_YEAR)
    return from_years(entry["years"])


BANDS: Final = {
    name: Ages(tuple(_representative(entry) for entry in entries), "band", name)
    for group in ("bands", "sub_bands")
    for name, entries in _BANDS[group].items()
}
BAND_NAMES: Final = tuple(_BANDS["bands"])
SUB_BAND_NAMES: Final = tuple(_BANDS["sub_bands"])
# The one band that has sub-bands is the one they divide.
_DIVIDED: Final = "lt12y"
UNKNOWN: Final = Ages((Age(None, None, None, True), Age(None, None, None, False)), "none")


def read(inputs: Mapping[str, Any], warn: Any) -> Ages:
    """The ages to judge at. `age_years` or `age_days` win over a band.

    A figure that is no age counts as not given; `warn(code, key)` is told.
    """
    years = _number(inputs, "age_years", warn)
    days = _number(inputs, "age_days", warn)
    if years is not None:
        if days is None or years >= ADULT_CHART_FROM_YEARS:
            if days is not None and int(days / _DAYS_PER_YEAR) != int(years):
                warn("age_disagrees", "age_years")
            return Ages((from_years(years),), "exact")
        exact = from_days(days)
        if int(exact.years or 0) != int(years):
            warn("age_disagrees", "age_years")
        return Ages((exact._replace(years=years, adult_chart=False),), "exact")
    if days is not None:
        return Ages((from_days(days),), "exact")
    band = inputs.get("age_band")
    if band is None:
        return UNKNOWN
    if not isinstance(band, str) or band not in BAND_NAMES:
        warn("unknown_word", "age_band")
        return UNKNOWN
    finer = inputs.get("age_sub_band")
    if band == _DIVIDED and finer is not None:
        if isinstance(finer, str) and finer in SUB_BAND_NAMES:
            return BANDS[finer]
        warn("unknown_word", "age_sub_band")
    return BANDS[band]


def _number(inputs: Mapping[str, Any], key: str, warn: Any) -> float | None:
    value = inputs.get(key)
    if value is None:
        return None
    number, problem = checked(key, value)
    if problem is not None:
        warn(problem, key)
    return number
