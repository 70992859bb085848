"""What belongs to a case beside its facts: values under their ids, treatments, limits, ECGs.

They can be withdrawn and moved to another case; what was taken out stays out when it is sent
again. Pure: the case is changed in place, nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hospital_ops import wire
from hospital_ops.board import Shown
from hospital_ops.clock import iso
from triage.state import CaseState, Recent

RECENT_MAX: Final = 8  # of each value: enough to fall back on when the newest were a mistake
ITEMS_MAX: Final = 200  # of a case: more than any crew does on one way
GONE_MAX: Final = 512
# Facts that one case may take over from another that turns out to be the same person.
TAKEN_OVER: Final = (
    "age_years", "age_days", "age_band", "age_sub_band", "adult", "sex", "pregnant", "complaint",
    "mechanism", "injuries", "on_oxygen", "eta", "notify", "crew", "code_word",
    "crew_colour",
)  # fmt: skip


@dataclass(slots=True)
class Taken:
    """What was taken out of a case."""

    values: dict[str, tuple[Recent, ...]] = field(default_factory=dict)
    items: tuple[dict[str, Any], ...] = ()
    ecgs: tuple[dict[str, Any], ...] = ()


def add_value(case: CaseState, name: str, event: str, shown: Shown) -> None:
    """A value becomes one of the case; the newest by event time is current, whatever its age."""
    if event and event in case.gone:
        return
    known = case.recent.get(name, ())
    if event and any(one.event == event for one in known):
        return
    case.recent[name] = _newest((*known, Recent(event, shown)))
    current = case.values.get(name)
    if current is None or shown.at >= current.at:
        case.values[name] = shown


def add_item(case: CaseState, entry: wire.CaseItem) -> bool:
    """A treatment, limit or note becomes one of the case; a withdrawal takes something out."""
    if entry.kind == "withdrawal":
        take_out(case, {str(entry.said.get("of", ""))})
        return True
    if entry.item in case.gone or any(one["id"] == entry.item for one in case.items):
        return False
    item = {"id": entry.item, "kind": entry.kind, "at": iso(entry.at), **entry.said}
    if entry.kind == "allergy":  # who was told stands beside it wherever it goes
        item["by"] = entry.source
    case.items = _ordered((*case.items, item))
    return True


def take_out(case: CaseState, ids: Collection[str], to: str = "") -> Taken:
    """Takes what has one of these ids out of the case; older values become current again.

    `to` is the case they belong to, so that what comes of them later finds it; "": withdrawn.
    """
    taken = Taken()
    for name, known in list(case.recent.items()):
        away = tuple(one for one in known if one.event in ids)
        if not away:
            continue
        taken.values[name] = away
        left = tuple(one for one in known if one.event not in ids)
        case.recent[name] = left
        if left:
            case.values[name] = left[-1].shown
        else:
            del case.recent[name]
            case.values.pop(name, None)
    taken.items = tuple(one for one in case.items if one["id"] in ids)
    taken.ecgs = tuple(one for one in case.ecgs if one["id"] in ids)
    case.items = tuple(one for one in case.items if one["id"] not in ids)
    case.ecgs = tuple(one for one in case.ecgs if one["id"] not in ids)
    if taken.ecgs:
        said = set(case.facts.get("ecg_findings") or ()) - findings_of(taken.ecgs)
        case.facts = {**case.facts, "ecg_findings": sorted(said | findings_of(case.ecgs))}
    for old in list(case.gone)[: max(0, len(case.gone) + len(ids) - GONE_MAX)]:
        del case.gone[old]
    case.gone |= dict.fromkeys(sorted(ids), to)  # what is forgotten first is the same in a replay
    return taken


def everything(case: CaseState) -> set[str]:
    """The ids of all that belongs to a case."""
    values = {one.event for known in case.recent.values() for one in known}
    return values | {str(one["id"]) for one in (*case.items, *case.ecgs)}


def put_in(case: CaseState, taken: Taken, came_from: str) -> None:
    """What was taken out of another case becomes part of this one; an ECG says where it lies."""
    back = {one.event for known in taken.values.values() for one in known}
    back |= {str(one["id"]) for one in (*taken.items, *taken.ecgs)}
    case.gone = {one: to for one, to in case.gone.items() if one not in back}
    for name, known in taken.values.items():
        for one in known:
            add_value(case, name, one.event, one.shown)
    new = [one for one in taken.items if all(one["id"] != k["id"] for k in case.items)]
    case.items = _ordered((*case.items, *new))
    for ecg in taken.ecgs:
        if all(ecg["id"] != known["id"] for known in case.ecgs):
            moved = {**ecg, "case": ecg.get("case", came_from)}
            case.ecgs = tuple(
                sorted((*case.ecgs, moved), key=lambda one: (str(one["at"]), str(one["id"])))
            )
    if found := findings_of(taken.ecgs):
        known_findings = set(case.facts.get("ecg_findings") or ())
        case.facts = {**case.facts, "ecg_findings": sorted(known_findings | found)}


def facts_of_both(kept: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a case with those of the other where it has none; signs of both count."""
    facts = dict(kept)
    for name in TAKEN_OVER:
        unknown = facts.get(name) in (None, "", "unknown")
        if unknown and other.get(name) not in (None, ""):
            facts[name] = other[name]
    if other.get("signs") is not None:
        facts["signs"] = sorted({*(facts.get("signs") or ()), *other["signs"]})
    if other.get("ecg_findings"):
        known = facts.get("ecg_findings") or ()
        facts["ecg_findings"] = sorted({*known, *other["ecg_findings"]})
    return facts


def _newest(known: tuple[Recent, ...]) -> tuple[Recent, ...]:
    return tuple(sorted(known, key=lambda one: one.shown.at)[-RECENT_MAX:])


def _ordered(items: tuple[dict[str, Any], ...]) -> tuple[dict[str, Any], ...]:
    return tuple(sorted(items, key=lambda one: (str(one["at"]), str(one["id"])))[-ITEMS_MAX:])


def findings_of(ecgs: tuple[dict[str, Any], ...]) -> set[str]:
    return {str(code) for ecg in ecgs for code in ecg.get("findings", ())}
