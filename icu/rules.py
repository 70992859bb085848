"""The alarm rules of `clinical/tables/alarms.json`, read once into the form that deciding needs.

No limit, delay or priority is typed here. A rule without a source, or whose default is off, is
not read as a limit rule at all: a site has to set it first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND
from icu.ages import BANDS, UNKNOWN

HIGH, MEDIUM, LOW = PRIORITIES = ("high", "medium", "low")
_TABLE: Final = table("alarms")
_LIMIT_DELAY_S: Final = _TABLE["project_defaults"]["limit_delay_s"]
_STEPS: Final = _TABLE["rule_defaults"]["acknowledged_red"]["step"]
RED_REMINDER_US: Final = round(_TABLE["rule_defaults"]["reminder_s"]["high"] * SECOND)
_LETHAL_S: Final = _TABLE["rule_defaults"]["escalate_physician_s"]["lethal_apnoea_arrest"]
# First word of a rule's `parameter` -> its step of `acknowledged_red` (a pulse is a heart rate).
_STEP_OF: Final = {
    "hr": "hr_bpm", "pr": "hr_bpm", "rr": "rr_bpm", "spo2": "spo2_pct", "nibp_sys": "sbp_mmhg",
    "nibp_mean": "map_mmhg", "etco2": "etco2_mmhg", "temp": "temp_c", "icp": "icp_mmhg",
}  # fmt: skip
_LOINC: Final = re.compile(r"\d+-\d")
_FORMULA: Final = re.compile(r"(\d+)\+(\d+)\*age_years(?:, (\d+) from (\d+) y)?")
_SIGNS: Final = {"low": "<", "high": ">", "s": "≥"}


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One row of the table, with what is common to all its codes."""

    id: str
    kind: str  # physiological, technical
    priority: str  # high, medium, low; as_source for alarms of devices
    latching: bool
    delay_us: int
    reminder_us: int  # while acknowledged and still present; 0: never
    on: bool
    source: str
    calls: bool  # somebody beside the nurse is called, if nobody takes it on
    lethal: bool  # the physician is called at once: death within minutes
    silent_in_comfort: bool  # comfort care takes its sound away


@dataclass(frozen=True, slots=True, eq=False)
class LimitRule:
    """A rule on the numbers of one code."""

    rule: Rule
    code: str  # LOINC
    key: str  # rule and code: the name of the condition
    side: str  # low, high, or s (no breath for so many seconds)
    sign: str  # as it is written between value and limit
    unit: str
    step: float  # so much worse than at the acknowledgement rings again; 0: no step
    limits: Mapping[str, Any]  # band -> number, formula or None
    priorities: Mapping[str, str]  # band -> priority, where it differs
    delay_us: int


class Limit(NamedTuple):
    """What holds for one age band: the number, and how long and how loud."""

    of: LimitRule
    limit: float
    delay_us: int
    priority: str
    by: str = ""  # who approved it, where a site has set it

    def beyond(self, value: float) -> bool:
        """Whether a value breaks the limit; an apnoea rule waits for no breath at all."""
        if self.of.side == "low":
            return value < self.limit
        if self.of.side == "high":
            return value > self.limit
        return value <= 0


def _seconds(number: float | None) -> int:
    return round((number or 0) * SECOND)


def _rule(row: Mapping[str, Any]) -> Rule:
    return Rule(
        id=row["id"],
        kind=row["kind"],
        priority=row["priority"],
        latching=row["latching"],
        delay_us=_seconds(row["delay_s"]),
        reminder_us=_seconds(row["reminder_s"]),
        on=row["default"] == "on" and row["source"] is not None,
        source=row["source"] or "",
        calls=row["escalate_physician_s"] is not None,
        lethal=row["escalate_physician_s"] == _LETHAL_S,
        silent_in_comfort=row["kind"] == "technical" or row["comfort_care"]["audio"] == "off",
    )


@cache
def _own() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files("icu").joinpath("own_rules.json").read_text("utf-8"))
    return loaded


ROWS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {row["id"]: row for row in (*_TABLE["rules"], *_own()["rules"])}
)
RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {name: _rule(row) for name, row in ROWS.items()}
)


def _side(row: Mapping[str, Any]) -> str:
    """Which single figure the limits of a row hold: low, high or s; empty for any other form."""
    figures = {
        name
        for limit in (row["limits"] or {}).values()
        if limit
        for name in limit
        if name != "source"
    }
    return figures.pop() if len(figures) == 1 and figures <= set(_SIGNS) else ""


def _limit_rules(row: Mapping[str, Any]) -> list[LimitRule]:
    rule, side = RULES[row["id"]], _side(row)
    if rule.kind != "physiological" or row["parameter"] == "combined" or not rule.on or not side:
        return []
    return [
        LimitRule(
            rule=rule,
            code=code,
            key=f"{rule.id}|{code}",
            side=side,
            sign=_SIGNS[side],
            unit=row.get("unit", codes.by_code[code].ucum) if side != "s" else "s",
            step=float(_STEPS.get(_STEP_OF.get(row["parameter"].split("|")[0], ""), 0)),
            limits={b: (v[side] if v else None) for b, v in row["limits"].items()},
            priorities=row.get("priority_by_band", {}),
            delay_us=_delay_us(rule, codes.by_code[code]),
        )
        for code in row["codes"]
        if _LOINC.fullmatch(code) and code in codes.by_code
    ]


def _delay_us(rule: Rule, vital: codes.Vital) -> int:
    """A cuff is judged on arrival; a line at least for the table's delay of a line."""
    if vital.key.startswith("nibp"):
        return _seconds(_LIMIT_DELAY_S["nibp"])
    if vital.key.startswith("abp"):
        return max(rule.delay_us, _seconds(_LIMIT_DELAY_S["abp"]))
    return rule.delay_us


LIMIT_RULES: Final = tuple(made for row in ROWS.values() for made in _limit_rules(row))
BY_KEY: Final[Mapping[str, LimitRule]] = MappingProxyType({each.key: each for each in LIMIT_RULES})


def _number(limit: Any, years: int) -> float | None:
    """A limit of the table as a number; formulas count completed years."""
    if limit is None or isinstance(limit, int | float):
        return limit
    match = _FORMULA.fullmatch(limit)
    if match is None:
        raise ValueError(f"the limit {limit!r} of alarms.json is no number and no known formula")
    base, by_year, later, from_years = (int(part) if part else None for part in match.groups())
    if from_years is not None and years >= from_years:
        return later
    return (base or 0) + (by_year or 0) * years


def _without_age(each: LimitRule) -> float | None:
    """The limit where no age is known; None: the rule is off.

    Adult limits are never borrowed. A limit that is the same in every band needs no age. Rules
    that latch (lethal) stay on: they ring beyond the limit of every band, where any age is wrong.
    """
    figures = [each.limits.get(band) for band in BANDS]
    numbers = [figure for figure in figures if isinstance(figure, int | float)]
    if len(numbers) < len(BANDS):
        return None
    if len(set(numbers)) == 1:
        return numbers[0]
    if not each.rule.latching:
        return None
    return max(numbers) if each.side == "high" else min(numbers)


def figure(rule: str, pattern: str) -> float:
    """A figure that the table writes into the words of a condition (one group in `pattern`)."""
    found = re.search(pattern, ROWS[rule]["condition"])
    if found is None:
        raise ValueError(f"alarms.json no longer says {pattern!r} in the condition of {rule}")
    return float(found[1])


@lru_cache(maxsize=4096)
def limits_of(code: str, band: str, years: int) -> tuple[Limit, ...]:
    """The limits that hold for a code in an age band (an id of the table, or `unknown`)."""
    found = []
    for each in LIMIT_RULES:
        if each.code != code:
            continue
        limit = _without_age(each) if band == UNKNOWN else _number(each.limits.get(band), years)
        if limit is None:
            continue
        delay = _seconds(limit) if each.side == "s" else each.delay_us
        priority = each.priorities.get(band, each.rule.priority)
        found.append(Limit(each, float(limit), delay, priority))
    return tuple(found)


@cache
def has_rules(code: str) -> bool:
    """Whether any limit rule looks at this code."""
    return any(each.code == code for each in LIMIT_RULES)


@cache
def _own_words() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(
        files("icu").joinpath("alarm_words.json").read_text("utf-8")
    )
    return loaded


def words(rule: str, language: str = "en") -> str:
    """What a rule says, in `en` or `ru`: the table's words, else our own, else its id."""
    own = _own_words().get(rule)
    said = ROWS.get(rule, {}).get("text") or own or {}
    return str(said.get(language, rule)) if isinstance(said, Mapping) else rule
