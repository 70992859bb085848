"""The orders of a bed as the live reader remembers them: what is due, overdue and escalated. Pure.

They belong to the patient and go along to another bed. Steps and distances are those of
`order_rules.json`, whom a step is for is that of `clinical/tables/alarms.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any, Final

from hospital_ops import wire
from hospital_ops.board import NextOrder
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from hospital_ops.wire import State, field
from icu.orders import ACCEPTED, OPEN, REACHABLE, RUNNING, Stage

MINUTE_US: Final = 60 * SECOND
ENDED_KEPT: Final = 100  # ended orders of a bed whose versions are remembered
RULES: Final[dict[str, Any]] = json.loads(
    files("icu").joinpath("order_rules.json").read_text("utf-8")
)
DUE_SOON_US: Final = RULES["due_soon_min"] * MINUTE_US
CONTINUING: Final = frozenset(RULES["continuing"])
SPACED: Final = frozenset(RULES["spaced"])
_STEPS_US: Final = {
    priority: tuple(minutes * MINUTE_US for minutes in steps)
    for priority, steps in RULES["escalate_min"].items()
}
# Whom the steps are for: the nurse of the bed, the nurse in charge, the physician on call.
TARGETS: Final[tuple[str, ...]] = tuple(table("alarms")["project_defaults"]["escalation_targets"])
TOLD_FROM: Final = 2  # the first step that goes beyond the nurse of the bed
PRIORITIES: Final = tuple(RULES["escalate_min"])  # rising
NATIVE: Final = "native"
HOSPITAL: Final = "hospital"  # of the hospital's own system, which alone changes it


class BedsideOrder(State):
    """An order as the live reader remembers it, while it is open."""

    order: str
    version: int
    kind: str
    text: str
    request: str
    task: str
    due_at: int  # microseconds UTC; 0: no time was set
    patient_id: str = ""  # empty in a snapshot of the version before
    priority: str = "routine"
    occurrence: int = 1
    at: int = 0  # of its last act
    told: int = 0  # the step of escalation that has been told
    target: dict[str, Any] = field(default_factory=dict)  # parameter, low, high, unit
    carried_from: str = ""  # unit; a physician of this one has not looked at it yet
    home: str = ""  # the unit that it came from first; empty: this one
    owner: str = NATIVE
    source: str = ""  # of a hospital's order: who said so, and its numbers there
    placer: str = ""
    filler: str = ""
    said: str = ""  # its status in that system's own words
    # What that system said last and the table does not allow: shown beside, never guessed away.
    conflict: str = ""
    conflict_at: int = 0

    @property
    def stage(self) -> Stage:
        """Request and task."""
        return Stage(self.request, self.task)


def taken(known: dict[str, BedsideOrder], entry: wire.OrderChanged) -> dict[str, BedsideOrder]:
    """The orders of a bed after an event; what is not newer than what is known changes nothing.

    Nor does what no act can lead to from where the order stands, unless a new occurrence of a
    recurring order begins. An order that has ended is remembered by its version, so that a late
    event does not open it. Nobody but its owner changes an order; where the hospital's own system
    says what cannot be, or two things of one moment, that stands beside the order as a conflict.
    """
    before = known.get(entry.order)
    stage = Stage(entry.request, entry.task)
    if before is not None:
        again = entry.occurrence > before.occurrence and is_unfinished(before.stage)
        if entry.owner != before.owner or entry.version < before.version:
            return known
        if entry.version == before.version:
            same = (stage, entry.said) == (before.stage, before.said)
            return known if same else _disputed(known, before, entry)
        if not again and stage not in REACHABLE.get(before.stage, frozenset()):
            return _disputed(known, before, entry)
    order = BedsideOrder(
        order=entry.order,
        version=entry.version,
        kind=entry.kind,
        text=entry.text,
        request=entry.request,
        task=entry.task,
        due_at=entry.due_at,
        patient_id=entry.patient_id,
        priority=entry.priority,
        occurrence=entry.occurrence,
        at=entry.at,
        target=entry.target,
        carried_from=entry.carried_from,
        home=before.home if before is not None else "",
        owner=entry.owner,
        source=entry.source,
        placer=entry.placer or (before.placer if before else ""),
        filler=entry.filler or (before.filler if before else ""),
        said=entry.said,
    )
    if before is not None and before.conflict_at > entry.version:
        order.conflict, order.conflict_at = before.conflict, before.conflict_at
    others = {name: other for name, other in known.items() if name != entry.order}
    ended = [name for name, other in others.items() if not is_unfinished(other.stage)]
    for name in ended[: max(0, len(ended) - ENDED_KEPT)]:
        del others[name]
    return {**others, entry.order: order}


def _disputed(
    known: dict[str, BedsideOrder], before: BedsideOrder, entry: wire.OrderChanged
) -> dict[str, BedsideOrder]:
    """The orders with what the hospital's system said against one; a native one stays as it is."""
    if entry.owner != HOSPITAL or entry.version < before.conflict_at:
        return known
    said = entry.said or f"{entry.request} {entry.task}"
    noted = wire.replaced(before, conflict=said, conflict_at=entry.version)
    return {**known, entry.order: noted}


def is_open(order: BedsideOrder) -> bool:
    """Whether something is still to be done now."""
    return order.stage in OPEN


def is_unfinished(stage: Stage) -> bool:
    """Whether something may still be asked of somebody."""
    return stage.request in ("draft", "active", "on-hold")


def waits(kind: str, stage: Stage, due_at: int) -> bool:
    """Whether the due time still counts: what goes on by itself has only to be begun."""
    return bool(due_at) and stage in OPEN and not (kind in CONTINUING and stage == RUNNING)


def urgency(kind: str, stage: Stage, due_at: int, now: int) -> str:
    """later, due or overdue; empty where no time counts."""
    if not waits(kind, stage, due_at):
        return ""
    if due_at < now:
        return "overdue"
    return "due" if due_at <= now + DUE_SOON_US else "later"


def _clock(stage: Stage, due_at: int, acted_at: int) -> int:
    """From when the steps are counted: somebody who has taken it on gets the time anew."""
    return max(due_at, acted_at) if stage in (ACCEPTED, RUNNING) else due_at


def escalation(
    kind: str, priority: str, stage: Stage, due_at: int, acted_at: int, now: int
) -> tuple[int, int]:
    """(step, since when): 0 not overdue, then one for each of `TARGETS`."""
    if urgency(kind, stage, due_at, now) != "overdue":
        return 0, 0
    since = _clock(stage, due_at, acted_at)
    reached = [since + wait for wait in _STEPS_US[priority] if since + wait < now]
    return (len(reached), reached[-1]) if reached else (1, due_at)


def of_patient(orders: Iterable[BedsideOrder], patient_id: str) -> list[BedsideOrder]:
    """Those of whoever lies here; a snapshot of the version before did not say whose."""
    return [order for order in orders if order.patient_id in ("", patient_id)]


def counts(orders: Sequence[BedsideOrder], now: int) -> dict[str, int]:
    """How many orders are active, due, overdue, and overdue for more than the bed's nurse.

    `review` stands there where some came along from another unit and nobody has looked at them,
    `conflicts` where the hospital's own system contradicts itself.
    """
    active = [order for order in orders if is_open(order)]
    said = [urgency(order.kind, order.stage, order.due_at, now) for order in active]
    found = {
        "active": len(active),
        "due": said.count("due"),
        "overdue": said.count("overdue"),
        "escalated": sum(_step(order, now) >= TOLD_FROM for order in active),
    }
    review = sum(bool(order.carried_from) and is_unfinished(order.stage) for order in orders)
    disputed = sum(bool(order.conflict) for order in orders)
    more = {"review": review, "conflicts": disputed}
    return found | {name: number for name, number in more.items() if number}


def next_due(orders: Iterable[BedsideOrder]) -> NextOrder | None:
    """What is due next, or overdue for the longest; of one moment the more urgent order."""
    waiting = [order for order in orders if waits(order.kind, order.stage, order.due_at)]
    first = min(
        waiting,
        key=lambda order: (order.due_at, -PRIORITIES.index(order.priority), order.text),
        default=None,
    )
    return NextOrder(first.kind, first.text, first.due_at) if first else None


def _step(order: BedsideOrder, now: int) -> int:
    stage = order.stage
    return escalation(order.kind, order.priority, stage, order.due_at, order.at, now)[0]


def newly_escalated(orders: Iterable[BedsideOrder], now: int) -> list[tuple[BedsideOrder, int]]:
    """Orders that have come to a step nobody was told of; each is told once (it is noted)."""
    found = []
    for order in orders:
        reached = _step(order, now)
        if reached >= TOLD_FROM and reached > order.told:
            order.told = reached
            found.append((order, reached))
    return found


def next_change(orders: Iterable[BedsideOrder], now: int) -> int:
    """The next moment at which an order becomes due, overdue or escalated; 0: none will."""
    moments = [
        moment
        for order in orders
        if waits(order.kind, order.stage, order.due_at)
        for moment in (
            order.due_at - DUE_SOON_US,
            order.due_at + 1,
            *(
                _clock(order.stage, order.due_at, order.at) + wait + 1
                for wait in _STEPS_US[order.priority]
            ),
        )
        if moment > now
    ]
    return min(moments, default=0)


def kept(orders: dict[str, BedsideOrder], patient_id: str) -> dict[str, BedsideOrder]:
    """Those of the patient, and the last of others: a discharge may have been a mistake."""
    others = [name for name, order in orders.items() if order.patient_id != patient_id]
    gone = set(others[: max(0, len(others) - ENDED_KEPT)])
    return {name: order for name, order in orders.items() if name not in gone}


def along(here: dict[str, BedsideOrder], patient_id: str) -> dict[str, BedsideOrder]:
    """Takes a patient's orders from a bed, to be put on another."""
    going = {name: order for name, order in here.items() if order.patient_id == patient_id}
    for name in going:
        del here[name]
    return going
