"""Which published rules of triage are at work here, each with its source; off means no source."""

from __future__ import annotations

from functools import cache
from typing import Any

from hospital_ops.clinical.tables import at, table


@cache
def catalogue() -> tuple[dict[str, str], ...]:
    """`{"id", "name", "state", "source", "why"}` of each rule; no source: it is off.

    `state`: on (gives the colour), site (raises it, labelled), beside (shown with it), score (by
    the command `score` only), off.
    """
    return tuple(
        {
            "id": row["id"],
            "name": row["name"],
            "state": row["state"],
            "source": _source(table(row["table"])) if row["table"] else "",
            "why": row.get("why", ""),
        }
        for row in at("triage/catalogue")["rules"]
    )


def _source(rows: dict[str, Any]) -> str:
    said = rows.get("source") or rows.get("sources") or rows.get("decided") or rows["title"]
    return "; ".join(map(str, said.values())) if isinstance(said, dict) else str(said)
