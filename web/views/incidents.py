"""What somebody held to be wrong, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hospital_ops.board import BedCell
from hospital_ops.clock import from_iso, to_datetime
from web.views.alarms import alarm_text
from web.views.values import Frame, clock, name_words, unit_words


def things(
    cell: BedCell | None, messages: Iterable[tuple[str, str]], frame: Frame
) -> list[dict[str, str]]:
    """What can be pointed at on a bed: values, alarms, messages; each with what is sent."""
    words = frame.words
    found = [{"about": "board:bed", "name": words.t("wrong.bed")}]
    if cell is not None:
        found += [
            {"about": f"alarm:{one.id}", "name": alarm_text(one, words)} for one in cell.alarms
        ]
        found += [
            {"about": f"value:{code}", "name": name_words(code, words)} for code in cell.values
        ]
    found += [
        {"about": f"message:{message}", "name": words.t("wrong.message", at=when(at, frame))}
        for message, at in messages
    ]
    return found


def when(at: str, frame: Frame) -> str:
    """`21.11 14:03:22`."""
    moment = from_iso(at)
    local = to_datetime(moment).astimezone(frame.zone)
    return f"{local:%d.%m} {clock(moment, frame.zone, seconds=True)}"


def line(one: dict[str, Any], frame: Frame) -> dict[str, Any]:
    """An incident for the list."""
    words = frame.words
    about = one["about"]
    if one["kind"] == "value":
        about = name_words(about, words)
    elif one["kind"] == "alarm":
        about = one["seen"].get("text") or about
    state = f"incidents.outcome.{one['outcome']}" if one["outcome"] else "incidents.waits"
    return {
        "id": one["incident"],
        "place": one["place"],
        "what": f"{words.t('incidents.kind.' + one['kind'])}: {about}",
        "at": when(one["at"], frame),
        "by": one["reported_by"],
        "words": one["words"],
        "state": words.t(state),
        "reviewed": one["reviewed_by"] or "",
        "finding": one["finding"],
        "version": one["version"],
        "simulated": one["mode"] != "Real",
    }


def details(one: dict[str, Any], frame: Frame) -> dict[str, Any]:
    """What the page of one adds: what stood there, versions, what was copied."""
    words = frame.words
    seen = one["seen"]
    facts = [
        (str(name), str(value))
        for name, value in seen.items()
        if value is not None and not isinstance(value, dict | list)
    ]
    frozen = (
        words.t("incidents.frozen", at=when(one["frozen_at"], frame))
        if one["frozen_at"]
        else words.t("incidents.freezing", at=when(one["to"], frame))
    )
    return {
        "seen": facts,
        "versions": sorted(one["versions"].items()),
        "copies": sorted(one["copies"].items()),
        "frozen": frozen,
        "nearest": [
            {
                "at": when(copy["at"], frame),
                "name": name_words(str(copy["content"].get("code", "")), words),
                "value": copy["content"].get("value")
                if copy["content"].get("value_text") is None
                else copy["content"]["value_text"],
                "unit": unit_words(copy["content"].get("physical_unit") or "", words),
                "device": copy["content"].get("device", ""),
                "validity": copy["content"].get("validity", ""),
            }
            for copy in one["nearest"]
            if copy["kind"] == "measurement"
        ],
    }
