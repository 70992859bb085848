"""The line of an order and its goal in the words of the ward: units, numbers, ways, names. Pure.

Orders are kept as they were written. In Russian a number with its unit, a way of giving at the
end of a part, and what a goal is of are said in Russian; words that somebody typed stay as typed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hospital_ops import codes
from icu import order_targets
from icu.order_kinds import DOSE_UNITS, RATE_UNITS, ROUTES
from web.views.values import name_words, unit_words
from web.words import DEFAULT, Words

_UCUM: Final = ("mm[Hg]", "cm[H2O]", "ug/kg/min", "umol/L")  # as no ward says them
_UNITS: Final = sorted(
    {*DOSE_UNITS, *RATE_UNITS, *_UCUM, "mmol/L", "g/L", "g/dL", "kcal", "/min", "%"},
    key=len,
    reverse=True,
)
_NUMBER: Final = r"\d+(?:\.\d+)?"
_AMOUNT: Final = re.compile(
    rf"(?P<number>{_NUMBER}(?:\s?[–-]\s?{_NUMBER})?)(?P<gap>\s?)"
    rf"(?P<unit>{'|'.join(map(re.escape, _UNITS))})(?![\w/])"
)
_SHORT: Final = ("iv", "po", "im", "sc", "ng", "pr")
_WAY: Final = re.compile(
    rf"(?:(?<=, )(?P<long>{'|'.join(ROUTES)})|(?<= )(?P<short>{'|'.join(_SHORT)}))(?=,|;|$)"
)
_PARAMETERS: Final = {label: key for key, label in order_targets.LABELS.items() if len(label) > 1}
_AIM: Final = re.compile(
    rf"\b(?P<name>{'|'.join(map(re.escape, _PARAMETERS))}|urine|crt)(?= [≥≤<>]?\s?-?\d)"
)


def plain_units(text: str, words: Words) -> str:
    """Words of an order with its units as the ward says them."""
    if words.language != DEFAULT:
        text = _AMOUNT.sub(lambda found: _amount(found, words), text)
        text = _WAY.sub(lambda found: words.t(f"way.{found['long'] or found['short']}"), text)
        text = _AIM.sub(lambda found: goal_label(_parameter(found["name"]), words), text)
    for unit in _UCUM:
        text = text.replace(unit, unit_words(unit, words))
    return text


def goal(target: Mapping[str, Any], words: Words) -> str:
    """What is aimed at: `MAP 65–75 mmHg`, `АД ср 65–75 мм рт. ст.`."""
    low, high = target.get("low"), target.get("high")
    if low is not None and high is not None:
        said = f"{words.number(low)}–{words.number(high)}"
    else:
        said = f"≥ {words.number(low)}" if low is not None else f"≤ {words.number(high or 0)}"
    unit = unit_words(target.get("unit") or "", words)
    return f"{goal_label(target['parameter'], words)} {said} {unit}".strip()


def goal_label(parameter: str, words: Words) -> str:
    """What a goal is of, in words."""
    if words.has(key := f"goal.{parameter}"):
        return words.t(key)
    vital = codes.by_key.get(parameter)
    if words.language != DEFAULT and vital is not None:
        return name_words(vital.code, words)
    return order_targets.LABELS.get(parameter, parameter.replace("_", " "))


def _parameter(name: str) -> str:
    return _PARAMETERS.get(name, name)


def _amount(found: re.Match[str], words: Words) -> str:
    number = found["number"].replace(".", ",")
    gap = " " if found["unit"] != "/min" or found["gap"] else ""
    return f"{number}{gap}{unit_words(found['unit'], words)}"
