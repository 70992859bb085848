"""The age band of a patient, from the bands of `clinical/tables/alarms.json`."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from hospital_ops.clinical.tables import table
from hospital_ops.clock import to_datetime

UNKNOWN: Final = "unknown"
_BANDS: Final = tuple(row for row in table("alarms")["age_bands"] if row["id"] != UNKNOWN)
BANDS: Final = tuple(row["id"] for row in _BANDS)


class Age(NamedTuple):
    """A band of the table and completed years; `unknown` and 0 where there is no birth date."""

    band: str
    years: int


NO_AGE: Final = Age(UNKNOWN, 0)


def age_at(birth_date: str, now_us: int) -> Age:
    """The band at a moment; a birth date that is empty, broken or to come gives `unknown`."""
    if not birth_date:
        return NO_AGE
    return _age_on(birth_date, to_datetime(now_us).date().toordinal())


@lru_cache(maxsize=4096)
def _age_on(birth_date: str, day: int) -> Age:
    try:
        born = date.fromisoformat(birth_date)
    except ValueError:
        return NO_AGE
    today = date.fromordinal(day)
    days = day - born.toordinal()
    if days < 0:
        return NO_AGE
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    for row in _BANDS:
        below_days, below_years = row.get("below_days"), row.get("below_years")
        if below_days is not None and days >= below_days:
            continue
        if below_years is not None and years >= below_years:
            continue
        return Age(row["id"], years)
    return NO_AGE
