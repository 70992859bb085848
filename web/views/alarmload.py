"""The alarm load of a unit in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hospital_ops import codes
from hospital_ops.errors import MessageError
from icu.rules import HIGH, LimitRule
from icu.rules import words as rule_words
from web.words import Words


def rows(found: Iterable[Mapping[str, Any]], words: Words) -> list[dict[str, str]]:
    """Rows of `GET .../alarm-load` as a table shows them."""
    return [
        {
            "bed": str(row.get("bed", "")).rpartition("-")[2].lstrip("0"),
            "shift": words.t(f"load.shift.{row['shift']}") if "shift" in row else "",
            "rule": rule_words(row["rule"], words.language),
            "priority": words.t(f"alarm.{row['priority']}"),
            "count": words.number(row["count"]),
            "sounding": words.duration(row["sounding_s"]),
            "answer": words.duration(row["answer_s"]) if row["answer_s"] is not None else "–",
            "followed": f"{words.number(round(100 * row['followed_share']))} %",
            "doubted": words.number(row["probably_false"]) if row["probably_false"] else "",
            "few": words.t("load.too_few") if row["too_few"] else "",
        }
        for row in found
    ]


def tunable(rules: Iterable[LimitRule], words: Words) -> list[tuple[str, str]]:
    """What may be asked about: RULE|CODE and its words; no red, nothing that latches."""
    return [
        (each.key, f"{rule_words(each.rule.id, words.language)} ({codes.by_code[each.code].name})")
        for each in rules
        if each.rule.priority != HIGH and not each.rule.latching and each.side != "s"
    ]


def number(text: str) -> float | None:
    """A figure of the form, comma or point; None where it is empty."""
    if not text.strip():
        return None
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise MessageError("no_number", "limit and delay are numbers") from None


def replayed(found: Mapping[str, Any], words: Words) -> dict[str, Any]:
    """The answer of a replay as its page says it."""
    return {
        **found,
        "name": rule_words(found["rule"], words.language),
        "missed_list": [_ring(each) for each in found["missed_list"]],
        "new_list": [_ring(each) for each in found["new_list"]],
    }


def _ring(each: Mapping[str, Any]) -> str:
    bed = str(each["bed"]).rpartition("-")[2].lstrip("0")
    return f"{bed} · {each['at'][:19].replace('T', ' ')} UTC · {each['seconds']} s"
