"""What an order's goal offers for the alarm limits of the patient: only an offer. Pure.

Which limits a goal stands for is `rule_defaults.order_target` of `clinical/tables/alarms.json`; a
rule that latches (lethal, apnoea, SpO2 below 80) is never offered another limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clinical.tables import table
from icu.ages import age_at
from icu.rules import RULES, limits_of

_MAP: Final[Mapping[str, list[str]]] = table("alarms")["rule_defaults"]["order_target"]["map"]
OFFERING: Final = ("spo2", "map")
# Codes on which the rules of a parameter look: a line and a cuff have limits of their own.
_CODES: Final = {"spo2": ("spo2",), "map": ("abp_mean", "nibp_mean")}


class Offer(NamedTuple):
    """A limit that follows from a goal, beside the one that holds now."""

    rule: str
    side: str  # low, high
    code: str
    offered: float
    now: float | None  # of the table for this age; None: the rule is off
    unit: str


def offers(target: Mapping[str, Any] | None, birth_date: str, now: int) -> list[Offer]:
    """The limits that a goal offers; those that hold already are left out."""
    if not target or target["parameter"] not in OFFERING:
        return []
    found = []
    for key in _CODES[target["parameter"]]:
        code = codes.by_key[key].code
        age = age_at(birth_date, now)
        held = {limit.of.rule.id: limit for limit in limits_of(code, age.band, age.years)}
        for rule in _MAP[target["parameter"]]:
            side = rule.rpartition("_")[2]
            wanted = target.get(side)
            if wanted is None or RULES[rule].latching:
                continue
            present = held[rule].limit if rule in held else None
            if present != wanted:
                found.append(Offer(rule, side, code, wanted, present, codes.by_key[key].ucum))
    return found


def as_json(found: list[Offer]) -> list[dict[str, Any]]:
    """The public form; nothing is changed by it."""
    return [offer._asdict() for offer in found]
