"""Why an alarm rings: its rule as the table has it, in a form for people and machines."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from hospital_ops.board import AlarmCell
from hospital_ops.clock import SECOND
from icu.ages import age_at
from icu.rules import ROWS, limits_of, words


class SiteLimit(NamedTuple):
    """The limit and delay of an alarm where a site has set one of them, and who approved it."""

    limit: float | None
    delay_s: float | None
    by: str


def of_cell(alarm: AlarmCell) -> SiteLimit | None:
    """The same of an alarm on a board; None: the table's values hold."""
    return SiteLimit(alarm.limit, alarm.delay_s, alarm.limit_by) if alarm.limit_by else None


def rule_json(
    rule: str, about: str, birth_date: str, now_us: int, site: SiteLimit | None = None
) -> dict[str, Any]:
    """The rule with the limit that holds for an age, its delay and where the limit comes from."""
    row = ROWS.get(rule, {})
    band, years = age_at(birth_date, now_us)
    held = next(
        (limit for limit in limits_of(about, band, years) if limit.of.rule.id == rule), None
    )
    delay_s = held.delay_us / SECOND if held else row.get("delay_s")
    if site is not None and site.delay_s is not None:
        delay_s = site.delay_s
    by_band = (row.get("limits") or {}).get(band) or {}
    return {
        "id": rule,
        "text": {"en": words(rule), "ru": words(rule, "ru")},
        "condition": row.get("condition", ""),
        "kind": row.get("kind", "physiological"),
        "age_band": band,
        "limit": site.limit if site else held.limit if held else None,
        "delay_s": delay_s,
        "latching": bool(row.get("latching")),
        "priority_reason": row.get("priority_reason", ""),
        "source": row.get("source"),
        "limit_source": "site" if site else by_band.get("source") or row.get("source"),
        "approved_by": site.by if site else None,  # None: the table's start value holds
        "note": row.get("note"),
    }


def cited(source: str, language: str = "en") -> str:
    """Where a limit comes from, in the language of the page; names and numbers stay as they are."""
    if language == "ru":
        for phrase, said in _phrases():
            source = source.replace(phrase, said)
        return source
    for place in (" (seen, see default_limits.source)", " (default_limits)"):
        source = source.replace(place, "")
    return source


def condition_words(rule: str, language: str = "en") -> str:
    """When a rule holds, in the language of the page; empty where only the table has words."""
    if language == "en":
        return str(ROWS.get(rule, {}).get("condition", ""))
    return str(_words()["conditions"].get(rule, ""))


@cache
def _words() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        files("icu").joinpath("source_words.json").read_text("utf-8")
    )
    return loaded


@cache
def _phrases() -> tuple[tuple[str, str], ...]:
    return tuple((phrase, said) for phrase, said in _words()["ru"])
