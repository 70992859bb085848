"""What the forms of the order panel send, as the order that the API would be sent. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.clock import SECOND, iso
from hospital_ops.errors import MessageError
from icu.order_kinds import KINDS

MINUTES_MAX: Final = 10_080


def order_of(form: Mapping[str, Any], now: int) -> dict[str, Any]:
    """The fields of the form of one order, as `POST .../orders` takes them."""
    kind = _text(form, "kind")
    if kind not in KINDS:
        raise MessageError("bad_kind", f"the kind is one of {', '.join(KINDS)}")
    words, fields = _text(form, "words"), KINDS[kind]
    main = fields[0].name
    details: dict[str, Any] = {}
    for field in fields:
        value = _text(form, f"field-{field.name}")
        if value:
            details[field.name] = number(value, field.name) if field.form == "number" else value
    if details and kind != "ventilation" and words:
        details[main], words = words, ""
    every, times = minutes(form, "every"), minutes(form, "times")
    due = minutes(form, "minutes")
    return {
        "kind": kind,
        "text": words,
        "details": details,
        "target": target_of(form),
        "priority": _text(form, "priority") or "routine",
        "due_at": iso(now + due * 60 * SECOND) if due is not None else None,
        "repeat": {"every_min": every, "times": times or 0} if every is not None else None,
        "override": _text(form, "override"),
        "seen": seen_in(form),
        "draft": "draft" in form,
    }


def target_of(form: Mapping[str, Any], suffix: str = "") -> dict[str, Any] | None:
    """The target of three fields; None where no bound is given."""
    low, high = _text(form, f"low{suffix}"), _text(form, f"high{suffix}")
    if not low and not high:
        return None
    return {
        "parameter": _text(form, f"parameter{suffix}"),
        "low": number(low, "low") if low else None,
        "high": number(high, "high") if high else None,
    }


def set_of(form: Mapping[str, Any]) -> dict[str, Any]:
    """The ticked items of a set with what was changed in them."""
    items = []
    for name in form:
        place = name.removeprefix("item-")
        if place == name or not place.isdecimal():
            continue
        item: dict[str, Any] = {
            "item": int(place),
            "text": " ".join(_text(form, f"text-{place}").split()),
        }
        item["due_min"] = minutes(form, f"due-{place}")
        if _text(form, f"parameter-{place}"):
            item["target"] = target_of(form, f"-{place}")
        items.append(item)
    return {
        "version": _text(form, "version"),
        "items": items,
        "override": _text(form, "override"),
        "seen": seen_in(form),
    }


def seen_in(form: Mapping[str, Any]) -> list[str]:
    """Digests of the findings that stood above the form."""
    value = form.get("seen")
    return value.split() if isinstance(value, str) else []


def done_at(form: Mapping[str, Any], now: int) -> int:
    """When something was carried out: some minutes ago; 0 where nothing was entered."""
    ago = minutes(form, "ago")
    return now - ago * 60 * SECOND if ago else 0


def change_of(form: Mapping[str, Any]) -> dict[str, Any]:
    """Another rate or goal of an infusion, or its new words."""
    rate, highest = _text(form, "rate"), _text(form, "max_rate")
    return {
        "rate": number(rate, "rate") if rate else None,
        "max_rate": number(highest, "max_rate") if highest else None,
        "target": target_of(form),
        "text": _text(form, "text"),
    }


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name)
    return value.strip()[:500] if isinstance(value, str) else ""


def number(text: str, name: str) -> float:
    """A number as people type it, with a point or a comma."""
    try:
        return float(text.replace(",", ".").replace("−", "-"))
    except ValueError as error:
        raise MessageError("bad_field", f"`{name}` is a number") from error


def minutes(form: Mapping[str, Any], name: str) -> int | None:
    """Whole minutes (or times) of a field; None where it is empty."""
    text = _text(form, name)
    if not text:
        return None
    if not text.isdecimal() or int(text) > MINUTES_MAX:
        raise MessageError("bad_time", f"`{name}` is a whole number, at most {MINUTES_MAX}")
    return int(text)
