"""What a crew says about a case, checked: nothing is refused, what is doubtful is named. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND, from_iso

AGE_BANDS: Final = tuple(table("safety_net")["age_unknown"]["bands"])
SIGNS: Final = frozenset(sign["id"] for sign in table("iitt")["signs"])
TEXT_MAX: Final = 500
LONGEST_DRIVE_US: Final = 48 * 3600 * SECOND  # an ETA further away than this is a wrong clock
# What each fact may be; anything else is left out and named.
WORDS: Final = {
    "sex": ("F", "M", "unknown"),
    "notify": ("alert", "advice", "information"),
    "age_band": AGE_BANDS,
    "crew_colour": ("red", "yellow", "green"),
}
YES_OR_NO: Final = ("pregnant", "on_oxygen", "adult")
OLDEST: Final = {"age_years": 130.0, "age_days": 130.0 * 366}


def checked_facts(facts: Mapping[str, Any], now_us: int) -> tuple[dict[str, Any], list[str]]:
    """(facts that can be used, what was doubtful about the others)."""
    kept, warnings = dict(facts), list[str]()

    def leave_out(name: str, why: str) -> None:
        del kept[name]
        warnings.append(f"{name} {why}: left out")

    for name, allowed in WORDS.items():
        if facts.get(name) is not None and facts[name] not in allowed:
            leave_out(name, f"is one of {', '.join(allowed)}")
    for name in YES_OR_NO:
        if facts.get(name) is not None and not isinstance(facts[name], bool):
            leave_out(name, "is true or false")
    for name, oldest in OLDEST.items():
        age = facts.get(name)
        if age is not None and not (_is_number(age) and 0 <= age <= oldest):
            leave_out(name, "is not an age")
    if facts.get("eta") is not None and not _is_near(facts["eta"], now_us):
        leave_out("eta", "is an ISO 8601 time with a zone, within two days")
    if facts.get("signs") is not None:
        kept["signs"], doubts = _signs(facts["signs"])
        warnings += doubts
    for name in ("complaint", "mechanism", "injuries", "crew", "code_word"):
        said = facts.get(name)
        if said is not None and (not isinstance(said, str) or len(said) > TEXT_MAX):
            kept[name] = str(said)[:TEXT_MAX]
            warnings.append(f"{name} is a text of at most {TEXT_MAX} characters: cut")
    return kept, warnings


def _signs(said: Any) -> tuple[list[str], list[str]]:
    listed = said if isinstance(said, list) else [said]
    known = [sign for sign in listed if isinstance(sign, str)]
    doubts = [f"unknown sign kept: {sign[:64]}" for sign in known if sign not in SIGNS]
    if len(known) < len(listed):
        doubts.append("signs are ids of the chart: what is no text was left out")
    return known, doubts


def _is_near(eta: Any, now_us: int) -> bool:
    try:
        return abs(from_iso(eta) - now_us) <= LONGEST_DRIVE_US
    except (ValueError, TypeError, OverflowError):
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
