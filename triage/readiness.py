"""The readiness of the house for a case: the open checklists with owners, times and what is done.

From pathways.json; an item is late from its target on and never rings (its rule).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.board import CaseCell
from hospital_ops.clock import SECOND, iso
from triage.pathways import PATHWAYS, items_of

_MINUTE_US: Final = 60 * SECOND
# The moments that the stream knows; injury, birth, arrest and ROSC have no clock of ours.
_FROM_OPENING: Final = ("message", "diagnosis", "recognition")


def checklists(cell: CaseCell) -> list[dict[str, Any]]:
    """The open checklists of a case, as the table orders pathways and items; times in ISO 8601."""
    found = []
    for pathway, table in PATHWAYS.items():
        row = cell.readiness.get(pathway)
        if row is None or row.get("closed"):
            continue
        items = [_item(item, row, cell) for item in items_of(pathway)]
        found.append(
            {
                "pathway": pathway,
                "name": table["name"],
                "opened_at": iso(row["opened_at"]),
                "opened_by": row.get("by") or None,
                "done": sum(1 for item in items if item["done_at"]),
                "items": items,
            }
        )
    return found


def _item(item: Mapping[str, Any], row: Mapping[str, Any], cell: CaseCell) -> dict[str, Any]:
    done = row["items"].get(item["id"]) or {}
    due = due_at(item, int(row["opened_at"]), cell)
    return {
        "id": item["id"],
        "text": item["text"],
        "owner": item["owner"],
        "target_min": item["target_min"],
        "from": item["from"],
        "source": item["source"],
        "due_at": iso(due) if due else None,
        "done_at": iso(done["at"]) if done else None,
        "done_by": done.get("by"),
        "note": done.get("note", ""),
    }


def due_at(item: Mapping[str, Any], opened_at: int, cell: CaseCell) -> int:
    """When an item is due, microseconds since 1970; 0 where its zero is not known here."""
    target = item["target_min"]
    if target is None:
        return 0
    if item["from"] in _FROM_OPENING:
        zero = opened_at
    elif item["from"] == "first contact":
        zero = cell.opened_at
    elif item["from"] == "door":
        zero = cell.arrived_at or cell.eta or 0
    else:
        zero = 0
    return zero + int(target) * _MINUTE_US if zero else 0
