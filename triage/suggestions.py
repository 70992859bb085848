"""What the house suggests beside a colour: where to first, which care, each with its reason.

From the chart's own flow (iitt.json), the pathways (pathways.json) and NEWS2's response; a
suggestion starts nothing and is never pre-chosen on a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clinical.tables import table
from triage.pathways import opened_by

_IITT: Final = table("iitt")
_NEWS2: Final = table("news2")
_OF_COLOUR: Final = {"red": "resuscitation", "yellow": "treatment", "green": "waiting"}
# Pathway to the care that one of its own items names (pathways.json: item, care).
_OF_PATHWAY: Final = {
    "stemi": ("activate", "cath_lab"),
    "stroke": ("ct", "ct"),
    "trauma": ("theatre", "theatre"),
    "arrest": ("post", "icu"),
}
_EMERGENCY: Final = next(row for row in _NEWS2["risk"] if row["risk"] == "high")


def suggest(triage: Mapping[str, Any], facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """[{"care", "code", "source"}], the first is the destination; empty where nothing is known.

    `code` is the reason: a colour, a pathway or a score.
    """
    proposed = str(triage.get("proposed", ""))
    found: list[dict[str, Any]] = []
    for pathway in opened_by(triage, facts):
        item_id, care = _OF_PATHWAY.get(pathway["id"], ("", ""))
        item = next((row for row in pathway["items"] if row["id"] == item_id), None)
        if item is not None and item["default"] == "on":  # an item without a source is off
            found.append({"care": care, "code": pathway["id"], "source": item["source"]})
    if proposed in _OF_COLOUR:
        line = {"care": _OF_COLOUR[proposed], "code": proposed, "source": _IITT["source"]}
        found.insert(0, line) if proposed == "red" else found.append(line)
    news2 = (triage.get("scores") or {}).get("news2") or {}
    if news2.get("risk") == _EMERGENCY["risk"]:
        found.append({"care": "icu", "code": "news2_high", "source": _NEWS2["source"]})
    return list({row["care"]: row for row in reversed(found)}.values())[::-1]
