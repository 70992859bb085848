"""What a tile says of orders: the next one due, beside their numbers."""

from __future__ import annotations

from typing import Any

from hospital_ops.clock import iso
from hospital_ops.wire import Form


class NextOrder(Form, frozen=True):
    """What is to be done next at a bed, or should have been done by now."""

    kind: str
    text: str
    due_at: int  # microseconds UTC


def next_json(order: NextOrder | None) -> dict[str, Any] | None:
    """The public form; None where nothing waits for its time."""
    if order is None:
        return None
    return {"kind": order.kind, "text": order.text, "due_at": iso(order.due_at)}
