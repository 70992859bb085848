"""The IITT chart alone: WHO/ICRC/MSF Interagency Integrated Triage Tool (2020), both ages.

Flow, as printed: any red criterion -> RED; else any yellow -> YELLOW; else a high-risk vital sign
(step 3) -> provisional YELLOW with review; else GREEN, but never with a step-3 vital or the signs
missing: then INCOMPLETE. Every criterion, limit and label comes from `iitt.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hospital_ops.clinical.rules import Rule
from hospital_ops.clinical.tables import table, words
from triage.age import Age
from triage.patient import Patient

Reason = dict[str, Any]

_TABLE: Final = table("iitt")
RANK: Final = {colour: rank for rank, colour in enumerate(table("safety_net")["combine"]["order"])}
GREEN, INCOMPLETE, YELLOW, RED = sorted(RANK, key=RANK.__getitem__)
_PREGNANCY_RULE: Final = "preg_bp"
_CHILD_PREGNANCY_RED: Final = "pregnant_adult_red"


class Verdict(NamedTuple):
    """What the chart says at one age."""

    colour: str
    colour_if_normal: str
    red: list[Reason]
    yellow: list[Reason]
    vitals: list[Reason]


class Limits(NamedTuple):
    """Step-3 limits of one vital; a value outside, never one equal to a limit, is abnormal."""

    key: str
    low: float | None
    high: float | None


def _limits(entry: Mapping[str, Any]) -> tuple[Limits, ...]:
    return tuple(
        Limits(key, bound.get("lt", bound.get("low")), bound.get("gt", bound.get("high")))
        for key, bound in entry.items()
        if isinstance(bound, dict)
    )


ADULT_LIMITS: Final = _limits(_TABLE["adult"]["high_risk_vitals"])
_ALL_CHILDREN: Final = _limits(_TABLE["child"]["high_risk_vitals"]["all_ages"])
_ALERT: Final = _TABLE["adult"]["high_risk_vitals"]["avpu_other_than"]
STEP_3_KEYS: Final = tuple(limit.key for limit in ADULT_LIMITS)
_TEMPERATURE: Final = next(limit for limit in ADULT_LIMITS if limit.key == "temp_c")


def _first_year(text: str) -> float:
    """The age from which a printed span such as "1-4 y" or "<1 y" holds, in years."""
    return 0.0 if text.startswith("<") else float(text.split("-", maxsplit=1)[0])


_CHILDREN_BY_AGE: Final = tuple(
    sorted(
        (
            (_first_year(row["age"]), _ALL_CHILDREN + _limits(row))
            for row in _TABLE["child"]["high_risk_vitals"]["by_age"]
        ),
        reverse=True,
        key=lambda row: row[0],
    )
)


def limits_at(age: Age) -> tuple[Limits, ...]:
    """The step-3 limits at this age; with a child of unknown age those of all children."""
    if age.adult_chart:
        return ADULT_LIMITS
    if age.years is None:
        return _ALL_CHILDREN
    for first_year, limits in _CHILDREN_BY_AGE:
        if age.years >= first_year:
            return limits
    return _ALL_CHILDREN


class Chart:
    """One compiled chart: criteria that are a tick, and criteria that are a rule."""

    def __init__(self, name: str) -> None:
        rows = _TABLE[name]
        self.source = f"IITT 2020, chart {'>=' if name == 'adult' else '<'}12 y"
        pregnancy = _TABLE["adult"]["red_pregnant"]
        self.red_ticks, self.red_rules = self._split(rows["red"])
        self.yellow_ticks, self.yellow_rules = self._split(rows["yellow"])
        self.pregnancy_ticks, self.pregnancy_rules = self._split(pregnancy)
        self.order = {
            row["id"]: place
            for place, row in enumerate([*rows["red"], *pregnancy, *rows["yellow"]])
        }
        self.adult = name == "adult"

    @staticmethod
    def _split(rows: list[dict[str, Any]]) -> tuple[frozenset[str], tuple[tuple[str, Rule], ...]]:
        return (
            frozenset(row["id"] for row in rows if "rule" not in row),
            tuple((row["id"], Rule(row["rule"])) for row in rows if "rule" in row),
        )

    def _reason(self, code: str, value: Any, threshold: Any) -> Reason:
        return {
            "code": code,
            "text": TEXTS[code],
            "value": value,
            "threshold": threshold,
            "source": self.source,
        }

    def _fired(
        self,
        ticks: frozenset[str],
        rules: tuple[tuple[str, Rule], ...],
        numbers: Mapping[str, float | None],
        flags: set[str],
    ) -> list[Reason]:
        found = [self._reason(code, True, None) for code in ticks & flags]
        for code, rule in rules:
            if rule.check(numbers, flags):
                found.append(self._reason(code, *rule.why(numbers, flags)))
        if len(found) > 1:
            found.sort(key=self._place)
        return found

    def _place(self, reason: Reason) -> int:
        return self.order[reason["code"]]

    def red(
        self, numbers: Mapping[str, float | None], flags: set[str], pregnant: bool
    ) -> list[Reason]:
        """Red criteria met, in the order of the chart."""
        found = self._fired(self.red_ticks, self.red_rules, numbers, flags)
        if pregnant:
            extra = self._fired(self.pregnancy_ticks, self.pregnancy_rules, numbers, flags)
            if self.adult:
                found += extra
            elif extra and _CHILD_PREGNANCY_RED not in flags:
                met = [reason["code"] for reason in extra]
                found.append(self._reason(_CHILD_PREGNANCY_RED, met, None))
        return found

    def yellow(self, numbers: Mapping[str, float | None], flags: set[str]) -> list[Reason]:
        """Yellow criteria met, in the order of the chart."""
        return self._fired(self.yellow_ticks, self.yellow_rules, numbers, flags)


TEXTS: Final = {
    row["id"]: words(row["id"])
    for chart in ("adult", "child")
    for group in ("red", "red_pregnant", "yellow")
    for row in _TABLE[chart].get(group, ())
}
ADULT: Final = Chart("adult")
CHILD: Final = Chart("child")
_STEP_3: Final = {key: (f"vital_{key}", words(f"vital_{key}")) for key in (*STEP_3_KEYS, "avpu")}


def flags_of(patient: Patient) -> set[str]:
    """The signs ticked, with those that a measured value says as well.

    Project decisions of `triage.md`: "unresponsive" is AVPU U; "hypothermia or fever" counts a
    measured temperature outside the chart's own limits.
    """
    flags = set(patient.signs)
    if patient.avpu == "U":
        flags.add("unresponsive")
    temperature = patient.numbers["temp_c"]
    if temperature is not None and _outside(temperature, _TEMPERATURE):
        flags.add("hypothermia_or_fever")
    if patient.pregnant:
        flags.add("pregnant")
        flags.add("pregnancy")
    if patient.ecg_ischaemia:
        flags.add("ecg_acute_ischaemia")
    return flags


def _outside(value: float, limit: Limits) -> bool:
    return (limit.low is not None and value < limit.low) or (
        limit.high is not None and value > limit.high
    )


def step_3(patient: Patient, age: Age, source: str) -> list[Reason]:
    """The high-risk vital signs that are abnormal at this age, with their limits."""
    found: list[Reason] = []
    numbers = patient.numbers
    for key, low, high in limits_at(age):
        value = numbers[key]
        if value is None:
            continue
        if low is not None and value < low:
            threshold = f"<{low:g}"
        elif high is not None and value > high:
            threshold = f">{high:g}"
        else:
            continue
        code, text = _STEP_3[key]
        found.append(
            {"code": code, "text": text, "value": value, "threshold": threshold, "source": source}
        )
    if patient.avpu is not None and patient.avpu != _ALERT:
        code, text = _STEP_3["avpu"]
        found.append(
            {
                "code": code,
                "text": text,
                "value": patient.avpu,
                "threshold": f"!={_ALERT}",
                "source": source,
            }
        )
    return found


def missing_for_green(patient: Patient) -> list[str]:
    """What has to be known before the chart may say GREEN, and is not."""
    numbers = patient.numbers
    missing = [key for key in STEP_3_KEYS if numbers[key] is None]
    if patient.avpu is None:
        missing.append("avpu")
    if not patient.signs_asked:
        missing.append("signs")
    return missing


def judge(patient: Patient, age: Age, flags: set[str], incomplete: bool) -> Verdict:
    """What the chart says at this age; `incomplete` as `missing_for_green` found."""
    chart = ADULT if age.adult_chart else CHILD
    numbers = patient.numbers
    numbers["age_years"], numbers["age_months"], numbers["age_days"] = age[:3]
    red = chart.red(numbers, flags, patient.pregnant)
    yellow = chart.yellow(numbers, flags)
    vitals = step_3(patient, age, chart.source)
    if red:
        return Verdict(RED, RED, red, yellow, vitals)
    if yellow or vitals:
        return Verdict(YELLOW, YELLOW, red, yellow, vitals)
    return Verdict(INCOMPLETE if incomplete else GREEN, GREEN, red, yellow, vitals)
