"""An order as its row has it: where it stands, its public form, what the live reader is told."""

from __future__ import annotations

from typing import Any, Final

from hospital_ops import wire
from hospital_ops.clock import SECOND, from_datetime, iso
from hospital_ops.database import Record
from icu import bedside_orders, order_targets
from icu.adjusting import ADJUSTED
from icu.bedside_orders import SPACED, TARGETS
from icu.order_kinds import Wanted, main_word
from icu.orders import Plan, Stage, Standing, acts_from

NATIVE: Final = "native"


def at_of(moment: Any) -> int:
    """Microseconds of a column; 0 where it is null."""
    return from_datetime(moment) if moment is not None else 0


def standing_of(row: Record) -> Standing:
    """Where the order stands."""
    stage = Stage(row["request"], row["task"])
    return Standing(stage, row["occurrence"], at_of(row["due_at"]))


def plan_of(row: Record) -> Plan:
    """When it is to be carried out again; what was taken back does not count."""
    times = row["times"] + row["undone"] if row["times"] else 0
    spaced = row["kind"] in SPACED
    return Plan(row["every_s"] * SECOND, times, at_of(row["ends_at"]), spaced)


def details_of(row: Record) -> dict[str, Any]:
    """The fields of the kind; the target stands beside them under `target`."""
    found: dict[str, Any] = wire.from_json(row["details"])
    return found


def wanted_of(row: Record) -> Wanted:
    """The order as it was wanted, for the checks of its signature or of another rate."""
    details = details_of(row)
    target = details.pop("target", None)
    return Wanted(row["kind"], row["words"], details, target)


def view(row: Record, now: int) -> dict[str, Any]:
    """The public form of an order at a moment."""
    stage, details = Stage(row["request"], row["task"]), details_of(row)
    target = details.pop("target", None)
    due, acted = at_of(row["due_at"]), at_of(row["changed_at"])
    step, since = bedside_orders.escalation(row["kind"], row["priority"], stage, due, acted, now)
    return {
        "id": str(row["order_id"]),
        "owner": NATIVE,
        "version": row["version"],
        "bed": row["bed"],
        "patient_id": str(row["patient_id"]),
        "kind": row["kind"],
        "text": row["words"],
        "what": main_word(row["kind"], row["words"], details),
        "details": details,
        "target": {**target, "text": order_targets.words(target)} if target else None,
        "priority": row["priority"],
        "due_at": _iso(row["due_at"]),
        "urgency": bedside_orders.urgency(row["kind"], stage, due, now),
        "escalation": {"step": step, "to": TARGETS[step - 1], "since": iso(since)}
        if step
        else None,
        "repeat": _repeat(row),
        "occurrence": row["occurrence"] - row["undone"],
        "done_at": _iso(row["done_at"]),
        "done_by": row["done_by"] or None,
        "request": row["request"],
        "task": row["task"],
        "set": row["order_set"] or None,
        "signing": str(row["signing"]) if row["signing"] else None,
        "signed_by": row["signed_by"],
        "signed_at": _iso(row["signed_at"]),
        "checks": wire.from_json(row["checks"]),
        "placed_by": row["placed_by"],
        "placed_at": _iso(row["placed_at"]),
        "changed_by": row["changed_by"],
        "changed_at": _iso(row["changed_at"]),
        "acts": [act for act in acts_from(stage) if _can(act, row)],
        "carried": {"from": row["carried_from"], "at": _iso(row["carried_at"])}
        if row["carried_from"]
        else None,
        "mode": row["mode"],
    }


def _can(act: str, row: Record) -> bool:
    """What the table allows and this order has something for."""
    if act == "review":
        return bool(row["carried_from"])
    if act == "undo":
        return bool(row["done_version"])
    return act != "adjust" or row["kind"] in ADJUSTED


def _iso(moment: Any) -> str | None:
    return iso(from_datetime(moment)) if moment is not None else None


def _repeat(row: Record) -> dict[str, Any] | None:
    if not row["every_s"]:
        return None
    return {
        "every_min": row["every_s"] // 60,
        "times": row["times"] or None,
        "until": _iso(row["ends_at"]),
    }


def event_view(row: Record) -> dict[str, Any]:
    """One step of an order's history: who, when, and where it led."""
    return {
        "version": row["version"],
        "act": row["act"],
        "request": row["request"],
        "task": row["task"],
        "occurrence": row["occurrence"],
        "missed": row["missed"],
        "due_at": _iso(row["due_at"]),
        "by": row["actor"],
        "at": _iso(row["at"]),
        "reason": row["reason"],
        "done_at": _iso(row["done_at"]),
        "undoes": row["undoes"],
        "changed": wire.from_json(row["changed"]) or None,
    }


def told(row: Record, act: str, by: str, at: int) -> wire.OrderChanged:
    """What the outbox carries to the unit's stream."""
    return wire.OrderChanged(
        unit=row["unit"],
        order=str(row["order_id"]),
        version=row["version"],
        bed=row["bed"],
        patient_id=str(row["patient_id"]),
        kind=row["kind"],
        text=row["words"],
        request=row["request"],
        task=row["task"],
        due_at=at_of(row["due_at"]),
        by=by,
        at=at,
        mode=row["mode"],
        priority=row["priority"],
        occurrence=row["occurrence"],
        target=details_of(row).get("target") or {},
        owner=NATIVE,
        act=act,
        carried_from=row["carried_from"],
    )
