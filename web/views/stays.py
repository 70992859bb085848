"""A stay's panel in words. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hospital_ops.clock import from_iso
from web.views.values import Frame, clock


def known(
    found: dict[str, Any], frame: Frame, actor: str, name_of: Callable[[str], str]
) -> dict[str, Any]:
    """What the panel shows of a stay, its acts and what was agreed on. `name_of` names a bed."""
    return {
        "stay": found.get("stay"),
        "acts": [_act(one, frame, name_of) for one in found.get("acts", ())],
        "agreements": [
            _agreement(one, frame, actor)
            for one in found.get("agreements", ())
            if one["state"] != "ended"
        ],
    }


def _act(one: dict[str, Any], frame: Frame, name_of: Callable[[str], str]) -> dict[str, Any]:
    words = frame.words
    line = words.t(
        "stay.act_line",
        what=words.t(f"stay.kind.{one['kind']}"),
        at=clock(from_iso(one["at"]), frame.zone),
        by=one["by"],
    )
    if one["to_bed"]:
        line = f"{line} → {name_of(one['to_bed'])}"
    reversed_line = ""
    if one["reversed_at"]:
        at = clock(from_iso(one["reversed_at"]), frame.zone)
        reversed_line = words.t("stay.reversed_line", at=at, by=one["reversed_by"])
    return {
        "id": one["act"],
        "kind": one["kind"],
        "stay": one["stay"],
        "line": line,
        "words": one["words"],
        "messages": one.get("messages", ()),
        "reversed": reversed_line,
    }


def _agreement(one: dict[str, Any], frame: Frame, actor: str) -> dict[str, Any]:
    words = frame.words
    names = ", ".join(filter(None, (one["proposed_by"], one["confirmed_by"])))
    return {
        "id": one["agreement"],
        "version": one["version"],
        "kind": words.t(f"care.{one['kind']}"),
        "limits": ", ".join(words.t(f"care.limit.{limit}") for limit in one["limits"]),
        "words": one["words"],
        "state": words.t(f"care.state.{one['state']}"),
        "proposed": one["state"] == "proposed",
        "mine": one["proposed_by"] == actor,
        "by": names,
    }
