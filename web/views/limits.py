"""Limits in force and their changes in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from icu.explained import cited
from icu.rules import words as rule_words
from web.views.values import name_words, unit_words
from web.words import Words


def rows(found: Iterable[Mapping[str, Any]], words: Words) -> list[dict[str, Any]]:
    """Rows of `GET .../beds/{bed}/limits` as a table shows them."""
    return [
        {
            "what": f"{row['rule']}|{row['code']}|{row['version']}",
            "name": f"{rule_words(row['rule'], words.language)} ({name_words(row['code'], words)})",
            "priority": words.t(f"alarm.{row['priority']}"),
            "limit": f"{row['comparator']} {words.number(row['limit'])}"
            f" {unit_words(row['unit'], words)}",
            "delay": words.number(row["delay_s"]),
            "source": words.t(f"limits.of.{row['of']}"),
            "told": cited(row["source"] or "", words.language) if row["of"] == "table" else "",
            "by": row["approved_by"] or "",
            "range": _range(row["range"], words),
            "tighten": row["tighten_only"],
        }
        for row in found
    ]


def devices(found: Iterable[Mapping[str, Any]], words: Words) -> list[dict[str, Any]]:
    """What devices at the bed have, beside the board; what differs first."""
    rows = [
        {
            "name": name_words(row["code"], words),
            "side": words.t(f"limits.side.{row['side']}"),
            "device": _number(row["device_limit"], row["unit"], words),
            "board": _number(row["board_limit"], row["unit"], words),
            "word": words.t(f"limits.device.{row['device_rings']}"),
            "differs": row["device_rings"] != "same",
            "age": words.since(row["age_s"]),
            "old": row["old"],
            "sender": row["device"],
        }
        for row in found
    ]
    return sorted(rows, key=lambda row: not row["differs"])


def _number(number: float | None, unit: str, words: Words) -> str:
    return "–" if number is None else f"{words.number(number)} {unit_words(unit, words)}"


def changes(found: Iterable[Mapping[str, Any]], words: Words) -> list[dict[str, Any]]:
    """Changes with who, when and why, the newest first."""
    return [
        {
            "change": row["change"],
            "name": f"{rule_words(row['rule'], words.language)} ({name_words(row['code'], words)})",
            "band": row["band"],
            "limit": "–" if row["limit"] is None else words.number(row["limit"]),
            "delay": "–" if row["delay_s"] is None else words.number(row["delay_s"]),
            "by": row["approved_by"],
            "at": _when(row["approved_at"]),
            "reason": row["reason"],
            "in_force": row["in_force"],
            "undone_by": row["undone_by"] or "",
            "undone_at": _when(row["undone_at"]),
            "undo_reason": row["undo_reason"] or "",
        }
        for row in found
    ]


def _range(found: list[float] | None, words: Words) -> str:
    return f"{words.number(found[0])} – {words.number(found[1])}" if found else ""


def _when(text: str | None) -> str:
    return f"{text[:16].replace('T', ' ')} UTC" if text else ""
