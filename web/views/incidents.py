"""What somebody held to be wrong, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from hospital_ops.board import BedCell
from hospital_ops.clock import from_iso, to_datetime
from web.views.alarms import alarm_text
from web.views.values import Frame, clock, name_words, unit_words

_MOMENTS: Final = ("determined_at", "since")


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
    facts = [_fact(name, value, one["seen"], frame) for name, value in _told(one["seen"])]
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


def _told(seen: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What stood there, without its unit, which stands with the value."""
    return [
        (name, value)
        for name, value in seen.items()
        if value is not None
        and not isinstance(value, dict | list)
        and not (name == "unit" and "value" in seen)
    ]


def _fact(name: str, value: Any, seen: Mapping[str, Any], frame: Frame) -> tuple[str, str]:
    """A name and a value of the house in the reader's words; another one as it was kept."""
    words = frame.words
    said = words.t(f"incidents.seen.{name}") if words.has(f"incidents.seen.{name}") else name
    if name in _MOMENTS:
        return said, when(str(value), frame)
    if name == "age_s":
        return said, words.duration(float(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        unit = unit_words(str(seen.get("unit") or ""), words) if name == "value" else ""
        return said, f"{words.number(float(value))} {unit}".strip()
    return said, str(value)
