"""Orders: the life cycle after FHIR (ServiceRequest and Task) as one table, and what is due.

request: draft, active, on-hold, completed, revoked, entered-in-error
task:    requested, accepted, in-progress, completed, rejected

An act leads from one pair of states to the next; what the table does not hold cannot happen, so a
repeated or late event never moves an order back.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hospital_ops import wire
from hospital_ops.clock import SECOND
from hospital_ops.errors import Conflict
from hospital_ops.wire import State

KINDS: Final = (
    "medication",
    "infusion",
    "ventilation",
    "laboratory",
    "imaging",
    "procedure",
    "nursing",
    "diet",
    "consult",
)
ENDED_KEPT: Final = 100  # ended orders of a bed whose versions are remembered
DUE_SOON_US: Final = 30 * 60 * SECOND  # project: an order is "due" from half an hour before


class Stage(NamedTuple):
    """Where an order stands: its request and its task."""

    request: str
    task: str


REQUESTED: Final = Stage("active", "requested")
ACCEPTED: Final = Stage("active", "accepted")
RUNNING: Final = Stage("active", "in-progress")
DONE: Final = Stage("completed", "completed")
REJECTED: Final = Stage("active", "rejected")
OPEN: Final = (REQUESTED, ACCEPTED, RUNNING)

# (act, from) to: everything that can happen.
ACTS: Final[dict[tuple[str, Stage], Stage]] = {
    ("accept", REQUESTED): ACCEPTED,
    ("start", REQUESTED): RUNNING,
    ("start", ACCEPTED): RUNNING,
    ("complete", REQUESTED): DONE,
    ("complete", ACCEPTED): DONE,
    ("complete", RUNNING): DONE,
    ("reject", REQUESTED): REJECTED,
    ("reject", ACCEPTED): REJECTED,
    **{("hold", stage): Stage("on-hold", stage.task) for stage in OPEN},
    **{("resume", Stage("on-hold", stage.task)): stage for stage in OPEN},
    **{("revoke", stage): Stage("revoked", stage.task) for stage in (*OPEN, REJECTED)},
    **{("revoke", Stage("on-hold", stage.task)): Stage("revoked", stage.task) for stage in OPEN},
    **{("mistake", stage): Stage("entered-in-error", stage.task) for stage in (*OPEN, DONE)},
}
BY_PHYSICIAN: Final = frozenset({"hold", "resume", "revoke", "mistake"})
NEEDS_REASON: Final = frozenset({"reject", "revoke", "mistake"})


def after(act: str, stage: Stage) -> Stage:
    """The stage that `act` leads to; Conflict in words where it cannot happen from here."""
    following = ACTS.get((act, stage))
    if following is None:
        raise Conflict(f"An order that is {stage.request}, {stage.task}, cannot be: {act}.")
    return following


def acts_from(stage: Stage) -> list[str]:
    """What can be done with an order at this stage."""
    return [act for act, start in ACTS if start == stage]


class BedsideOrder(State):
    """An order as the live reader remembers it, while it is open."""

    order: str
    version: int
    kind: str
    text: str
    request: str
    task: str
    due_at: int  # microseconds UTC; 0: no time was set


def taken(known: dict[str, BedsideOrder], entry: wire.OrderChanged) -> dict[str, BedsideOrder]:
    """The orders of a bed after an event; what is not newer than what is known changes nothing.

    An order that has ended is remembered by its version, so that a late event does not open it.
    """
    before = known.get(entry.order)
    if before is not None and entry.version <= before.version:
        return known
    order = BedsideOrder(
        order=entry.order,
        version=entry.version,
        kind=entry.kind,
        text=entry.text,
        request=entry.request,
        task=entry.task,
        due_at=entry.due_at,
    )
    others = {name: other for name, other in known.items() if name != entry.order}
    ended = [name for name, other in others.items() if not is_open(other)]
    for name in ended[: max(0, len(ended) - ENDED_KEPT)]:
        del others[name]
    return {**others, entry.order: order}


def is_open(order: BedsideOrder) -> bool:
    """Whether something is still to be done."""
    return Stage(order.request, order.task) in OPEN


def counts(orders: dict[str, BedsideOrder], now: int) -> dict[str, int]:
    """How many orders of a bed are active, due and overdue at `now`."""
    active = [order for order in orders.values() if is_open(order)]
    timed = [order.due_at for order in active if order.due_at]
    return {
        "active": len(active),
        "due": sum(now <= due <= now + DUE_SOON_US for due in timed),
        "overdue": sum(due < now for due in timed),
    }


def next_change(orders: dict[str, BedsideOrder], now: int) -> int:
    """The next moment at which an order becomes due or overdue; 0 when none will."""
    moments = [
        moment
        for order in orders.values()
        if order.due_at and is_open(order)
        for moment in (order.due_at - DUE_SOON_US, order.due_at + 1)
        if moment > now
    ]
    return min(moments, default=0)
