"""The editions of the rules that are kept, by name; reads none of the present tables."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Final

FOLDER: Final = "kept_rules"


def names() -> list[str]:
    """The editions that are kept."""
    found = (resources.files("triage") / FOLDER).iterdir()
    return sorted(each.name.removesuffix(".json") for each in found if each.name.endswith(".json"))


def edition(name: str) -> dict[str, dict[str, Any]] | None:
    """The tables of an edition; None where there is none of that name."""
    if name not in names():
        return None
    source = resources.files("triage") / FOLDER / f"{name}.json"
    found: dict[str, dict[str, Any]] = json.loads(source.read_text(encoding="utf-8"))
    return found
