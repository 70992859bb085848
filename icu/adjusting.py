"""Another rate or goal of an infusion: the same order, what was before is kept. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hospital_ops.errors import MessageError
from icu.order_kinds import Wanted, wanted

ADJUSTED: Final = ("infusion",)
_FIELDS: Final = ("rate", "rate_unit", "max_rate")


def adjusted(order: Wanted, sent: Mapping[str, Any], now: int) -> tuple[Wanted, dict[str, Any]]:
    """The order with what is `sent`, and `{"before", "after"}` of what differs.

    `rate`, `rate_unit` and `max_rate` of an order with fields, `text` of one in words; `target` of
    both. MessageError where nothing differs, or the new rate lies above the highest.
    """
    if order.kind not in ADJUSTED:
        raise MessageError("not_adjusted", f"what can be adjusted is of kind {ADJUSTED[0]}")
    details = dict(order.details)
    text = str(sent.get("text") or "").strip()
    if details:
        given = {name: sent[name] for name in _FIELDS if sent.get(name) not in (None, "")}
        details, text = {**details, **given}, ""
    elif any(sent.get(name) not in (None, "") for name in _FIELDS):
        raise MessageError("words_only", "this order is in words: send its new `text`")
    target = sent["target"] if sent.get("target") else order.target
    asked = {"kind": order.kind, "details": details, "target": target}
    made = wanted({**asked, "text": "" if details else text or order.text}, now)
    highest, rate = made.details.get("max_rate"), made.details.get("rate")
    if highest is not None and rate is not None and rate > highest:
        raise MessageError("above_max", "`rate` lies above `max_rate` of the order")
    before, after = _told(order), _told(made)
    if before == after:
        raise MessageError("no_change", "nothing differs from what is ordered")
    before["text"], after["text"] = order.text, made.text
    return made, {
        "before": {name: value for name, value in before.items() if after.get(name) != value},
        "after": {name: value for name, value in after.items() if before.get(name) != value},
    }


def _told(order: Wanted) -> dict[str, Any]:
    found = {name: order.details.get(name) for name in _FIELDS} | {"target": order.target}
    if not order.details:
        found["text"] = order.text
    return {name: value for name, value in found.items() if value is not None}
