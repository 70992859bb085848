"""Order sets: the proposals of `order_sets.json`, orderable once the site has approved them.

A set is approved in one version: the digest of what it says. A changed table is another version.
Nothing is ticked beforehand but monitoring, no dose stands here that the table has no source for,
and nothing is computed from a weight: the rule is shown with the weight and its status.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from hospital_ops import wire
from hospital_ops.clinical.tables import table
from hospital_ops.errors import MessageError, NotFound
from icu import order_targets
from icu.bedside_orders import MINUTE_US
from icu.order_kinds import TARGETED, Wanted, wanted

KIND_OF: Final = {
    "lab": "laboratory", "imaging": "imaging", "monitoring": "nursing", "medication": "medication",
    "fluid": "infusion", "blood": "infusion", "procedure": "procedure", "consult": "consult",
    "nursing": "nursing", "ventilation": "ventilation",
}  # fmt: skip
TICKED: Final = "monitoring"
_RUSSIAN: Final[dict[str, Any]] = json.loads(
    files("icu").joinpath("order_sets_ru.json").read_text("utf-8")
)
_SETS: Final[dict[str, Any]] = {each["id"]: each for each in table("order_sets")["sets"]}


def ids() -> list[str]:
    """All sets, in the table's order."""
    return list(_SETS)


@cache
def version(order_set: str) -> str:
    """The digest of what a set says: what an approval is for."""
    return hashlib.sha256(wire.to_json(_of(order_set))).hexdigest()[:16]


def _of(order_set: str) -> dict[str, Any]:
    found: dict[str, Any] | None = _SETS.get(order_set)
    if found is None:
        raise NotFound(f"An order set is one of: {', '.join(_SETS)}.")
    return found


def name(order_set: str, language: str) -> str:
    """What a set is called; the id of one that the table no longer has."""
    found = _SETS.get(order_set)
    return str(found["name"][language]) if found else order_set


def as_json(order_set: str, language: str, approval: Mapping[str, Any] | None) -> dict[str, Any]:
    """A set with its items, as it is shown before signing."""
    found = _of(order_set)
    return {
        "id": order_set,
        "name": found["name"][language],
        "version": version(order_set),
        "source": found["source"],
        "population": in_words(table("order_sets")["population"], language),
        "approved": dict(approval) if approval else None,
        "items": [_item(place, item, language) for place, item in enumerate(found["items"])],
    }


def _item(place: int, item: Mapping[str, Any], language: str) -> dict[str, Any]:
    target = item["target"]
    dose = item["dose_rule"]
    return {
        "item": place,
        "kind": KIND_OF[item["type"]],
        "type": item["type"],
        "text": _text(item, language),
        "due_min": item["timing_min"],
        "target": {**target, "text": order_targets.words(target)} if target else None,
        "dose_rule": dict(dose) | _dose(dose, language) if dose else None,
        "when": in_words(item.get("when", ""), language),
        "when_in_table": item.get("when", ""),
        "source": item["source"],
        "ticked": item["type"] == TICKED,
    }


def in_words(said: str, language: str) -> str:
    """What the table says in English only, in the language where the house has translated it."""
    return str(_RUSSIAN["words"].get(said, said)) if language == "ru" else said


def _text(item: Mapping[str, Any], language: str) -> str:
    text = item["text"]
    return str(_RUSSIAN["items"].get(text["en"], text["ru"]) if language == "ru" else text["en"])


def _dose(dose: Mapping[str, Any], language: str) -> dict[str, str]:
    """The rule in the language, and as the table has it."""
    needs = dose.get("needs") or ""
    told = {"rule": in_words(dose["rule"], language), "rule_in_table": dose["rule"]}
    return told | ({"needs": in_words(needs, language)} if needs else {})


def signed(order_set: str, sent: Mapping[str, Any], now: int) -> list[Wanted]:
    """The chosen items as orders, edited as somebody wants them.

    `{"version", "items": [{"item", and what differs: "text", "due_min", "target", ...}]}`.
    MessageError where the set has changed, an item is not of it, or nothing was chosen.
    """
    found = _of(order_set)
    if sent.get("version") != version(order_set):
        raise MessageError("set_changed", "this set has changed: read it again before you sign")
    items = sent.get("items")
    if not isinstance(items, Sequence) or isinstance(items, str) or not items:
        raise MessageError("no_items", "choose at least one item of the set")
    return [_wanted(found["items"], item, now) for item in items]


def _wanted(items: Sequence[Mapping[str, Any]], sent: Any, now: int) -> Wanted:
    place = sent.get("item") if isinstance(sent, Mapping) else None
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(items):
        raise MessageError("no_such_item", "an item of the set is named by its number from 0")
    item = items[place]
    due = sent.get("due_min", item["timing_min"])
    if due is not None and (
        isinstance(due, bool) or not isinstance(due, int) or not 0 <= due <= 10_080
    ):
        raise MessageError("bad_time", "`due_min` is a number of minutes from 0 to 10080")
    target = sent["target"] if "target" in sent else item["target"]
    kind = KIND_OF[item["type"]]
    order = {
        "kind": kind,
        "text": sent.get("text") or item["text"]["en"],
        "target": target if kind in TARGETED else None,
        **{
            name: sent[name] for name in ("details", "priority", "repeat", "due_at") if name in sent
        },
    }
    made = wanted(order, now)
    due_at = made.due_at or (now + due * MINUTE_US if due is not None else 0)
    return made._replace(due_at=due_at, item=place)
