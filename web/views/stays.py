"""A stay's panel in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from hospital_ops.clock import SECOND, from_iso
from web.views.orders import day_clock
from web.views.values import Frame, clock
from web.words import Words

DAY: Final = 24 * 3600 * SECOND


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
            if one["state"] != "ended" or _lately(one, frame)
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


def _lately(one: dict[str, Any], frame: Frame) -> bool:
    """Whether it was in force and ended within a day: its end can be taken back here."""
    held = one["confirmed_by"] and one["ended_at"]
    return bool(held) and frame.now_us - from_iso(one["ended_at"]) < DAY


def _agreement(one: dict[str, Any], frame: Frame, actor: str) -> dict[str, Any]:
    words = frame.words
    names = ", ".join(filter(None, (one["proposed_by"], one["confirmed_by"])))
    ended, asked = one["state"] == "ended", one["end_asked_by"] and one["state"] == "in_force"
    return {
        "id": one["agreement"],
        "version": one["version"],
        "kind": words.t(f"care.{one['kind']}"),
        "limits": ", ".join(words.t(f"care.limit.{limit}") for limit in one["limits"]),
        "words": one["words"],
        "state": words.t(
            "care.state.change"
            if one["replaces"] and not ended and not one["confirmed_by"]
            else f"care.state.{one['state']}"
        ),
        "proposed": one["state"] == "proposed",
        "ended": ended,
        "mine": one["proposed_by"] == actor,
        "by": names,
        "asked": _said(
            "care.asked", one["end_asked_by"], one["end_asked_at"], one["end_reason"], frame
        )
        if asked
        else "",
        "asked_mine": one["end_asked_by"] == actor,
        "ended_line": _said(
            "care.ended", one["ended_by"], one["ended_at"], one["end_reason"], frame
        )
        if ended
        else "",
        "back": _said(
            "care.back", one["reinstated_by"], one["reinstated_at"], one["reinstate_reason"], frame
        )
        if one["reinstated_by"]
        else "",
    }


def _said(key: str, by: str, at: str, why: str, frame: Frame) -> str:
    """Who did it when, and the reason."""
    return frame.words.t(key, by=by, at=day_clock(from_iso(at), frame), why=why or "–")


def offered(bed: Mapping[str, Any], words: Words) -> str:
    """A bed that can be given; of a reserved one that it is, and for whom."""
    if bed["state"] == "free":
        return str(bed["label"])
    return f"{bed['label']} · {words.t('bedmap.reserved')} {bed['words']}".strip()
