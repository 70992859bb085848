"""The alarm load of a unit in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

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
