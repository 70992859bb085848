"""Presenting complaints: which signs to ask first, which time-critical conditions to rule out.

From `complaints.json`. Never a diagnosis, and without any effect on colour or urgency: a
complaint asks, only an answered sign or a measured value decides. "Not listed" is not excluded.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any, Final

from hospital_ops.clinical.tables import table

_TABLE: Final = table("complaints")
_CONDITIONS: Final[dict[str, dict[str, Any]]] = _TABLE["conditions"]
LABEL: Final[dict[str, str]] = _TABLE["label"]
# "show at most 3 conditions for a complaint"
MOST_SHOWN: Final = int(_TABLE["rules"][0].split("at most ")[1].split()[0])

# "pregnancy items for females 10-55"
_AGES: Final = next(r for r in _TABLE["rules"] if "females" in r).split("females ")[1].split(",")[0]
PREGNANCY_YEARS: Final = tuple(float(years) for years in _AGES.split("-"))


@cache
def _by_name() -> dict[str, dict[str, Any]]:
    names: dict[str, dict[str, Any]] = {}
    for row in _TABLE["complaints"]:
        for name in (row["id"], *row["label"].values()):
            names.setdefault(name.casefold(), row)
    return names


def find(given: str | None) -> dict[str, Any] | None:
    """The complaint of this id or label (English or Russian), None for free text."""
    return _by_name().get(given.strip().casefold()) if given else None


def signs_to_ask(given: str | None, *, adult: bool) -> list[str]:
    """The IITT signs to ask first for this complaint, most telling first."""
    complaint = find(given)
    return list(complaint["iitt_ask"]["adult" if adult else "child"]) if complaint else []


def to_rule_out(
    given: str | None,
    found: Collection[str],
    *,
    sex: str = "unknown",
    age_years: float | None = None,
) -> list[dict[str, Any]]:
    """Up to three time-critical conditions for this complaint.

    `found` are ids of findings and signs that are present; an unknown sex or age leaves nothing
    out. Order: found "for" minus found
    "against", ties as the table lists them. A condition without a source is never shown.
    """
    complaint = find(given)
    if complaint is None:
        return []
    ranked: list[tuple[int, int, dict[str, Any]]] = []
    for place, code in enumerate(complaint["rule_out"]):
        condition = _CONDITIONS[code]
        if condition["default"] != "on" or not _fits(condition["icd10"], sex, age_years):
            continue
        speaks_for = [finding for finding in condition["for"] if finding in found]
        against = [finding for finding in condition["against"] if finding in found]
        ranked.append(
            (
                len(against) - len(speaks_for),
                place,
                {
                    "code": code,
                    "name": condition["name"],
                    "icd10": condition["icd10"],
                    "for": speaks_for,
                    "against": against,
                    "ask": [finding for finding in condition["for"] if finding not in found],
                    "window_min": condition["window_min"],
                    "window_from": "onset"
                    if code in _TABLE["windows_from_onset"]
                    else "recognition",
                    "source": condition["source"],
                },
            )
        )
    ranked.sort(key=lambda row: row[:2])
    return [row[2] for row in ranked[:MOST_SHOWN]]


def name_of(finding: str, language: str) -> str:
    """A finding in a language; empty where it is none of the table's."""
    row = _TABLE["findings"].get(finding)
    return str(row[language]) if row and language in row else ""


def _fits(icd10: str, sex: str, age_years: float | None) -> bool:
    """The table's filter: pregnancy (chapter O) and testis (N44) by sex, the former by age."""
    if icd10.startswith("O"):
        young, old = PREGNANCY_YEARS
        return sex != "M" and (age_years is None or young <= age_years <= old)
    return not (icd10.startswith("N44") and sex == "F")
