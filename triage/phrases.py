"""The preset phrases between crew and department (phrases.json), in two languages."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Final

_TABLE: Final = json.loads((resources.files("triage") / "phrases.json").read_text(encoding="utf-8"))
PHRASES: Final[dict[str, dict[str, Any]]] = {row["id"]: row for row in _TABLE["phrases"]}


def phrases_to(whom: str) -> list[dict[str, Any]]:
    """The phrases for the crew, or for the hospital."""
    return [row for row in PHRASES.values() if row["to"] == whom]


def words_of(phrase: str, language: str) -> str:
    """A phrase in a language; its id where it is not known any more."""
    row = PHRASES.get(phrase)
    return str(row[language]) if row and language in row else phrase
