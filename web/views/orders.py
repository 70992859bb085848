"""An order in the reader's words: what, where it stands, when it is due, what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hospital_ops.clock import from_iso
from icu.orders import BY_PHYSICIAN, NEEDS_REASON, OPEN, Stage
from web.views.values import Frame, clock


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """One order of the panel."""

    id: str
    version: int
    kind: str
    text: str
    state: str
    tone: str  # due, late, done, stop: as the components name them
    due: str
    placed: str
    quick: tuple[str, ...]  # what whoever carries out orders does in one press
    decided: tuple[str, ...]  # what a physician does
    reasoned: tuple[str, ...]  # what needs a reason


def order(row: Mapping[str, Any], frame: Frame) -> OrderView:
    """The view of an order at this moment."""
    words = frame.words
    stage = Stage(row["request"], row["task"])
    due_us = from_iso(row["due_at"]) if row["due_at"] else None
    late = stage in OPEN and due_us is not None and due_us < frame.now_us
    acts = [act for act in row["acts"] if act != "mistake"]
    plain = [act for act in acts if act not in NEEDS_REASON]
    return OrderView(
        id=row["id"],
        version=row["version"],
        kind=words.t(f"orders.kind.{row['kind']}"),
        text=row["text"],
        state=words.t(f"orders.state.{_state(stage)}"),
        tone="late" if late else _tone(stage),
        due=words.t("orders.due", time=clock(due_us, frame.zone)) if due_us is not None else "",
        placed=f"{row['placed_by']} {clock(from_iso(row['placed_at']), frame.zone)}",
        quick=tuple(act for act in plain if act not in BY_PHYSICIAN),
        decided=tuple(act for act in plain if act in BY_PHYSICIAN),
        reasoned=tuple(act for act in acts if act in NEEDS_REASON),
    )


def _state(stage: Stage) -> str:
    return stage.task if stage.request == "active" else stage.request


def _tone(stage: Stage) -> str:
    if stage in OPEN:
        return "due"
    return "done" if stage.request == "completed" else "stop"
