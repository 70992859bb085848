"""Why an alarm rings: its rule as the table has it, in a form for people and machines."""

from __future__ import annotations

from typing import Any

from hospital_ops.clock import SECOND
from icu.ages import age_at
from icu.rules import ROWS, limits_of, words


def rule_json(rule: str, about: str, birth_date: str, now_us: int) -> dict[str, Any]:
    """The rule with the limit that holds for an age, its delay and where the limit comes from."""
    row = ROWS.get(rule, {})
    band, years = age_at(birth_date, now_us)
    held = next(
        (limit for limit in limits_of(about, band, years) if limit.of.rule.id == rule), None
    )
    by_band = (row.get("limits") or {}).get(band) or {}
    return {
        "id": rule,
        "text": {"en": words(rule), "ru": words(rule, "ru")},
        "condition": row.get("condition", ""),
        "kind": row.get("kind", "physiological"),
        "age_band": band,
        "limit": held.limit if held else None,
        "delay_s": held.delay_us / SECOND if held else row.get("delay_s"),
        "latching": bool(row.get("latching")),
        "priority_reason": row.get("priority_reason", ""),
        "source": row.get("source"),
        "limit_source": by_band.get("source") or row.get("source"),
        "approved_by": None,  # nobody has changed a limit: the table's start value holds
        "note": row.get("note"),
    }
