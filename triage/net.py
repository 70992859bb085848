"""The safety net: a site rule beside IITT that only ever moves a colour up.

Its limits stand as sentences in `safety_net.json`; they are read out of those sentences once,
here, so that a site that tightens a figure there changes it everywhere. A rule whose default is
not "on", or whose limit is null, is never evaluated. A partial score is a lower bound: when it
reaches a limit the rule fires.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from hospital_ops.clinical import news2
from hospital_ops.clinical.early_warning import PEWS_DOMAINS, pews_points
from hospital_ops.clinical.tables import table, words
from hospital_ops.errors import ConfigurationError
from triage.age import Age
from triage.patient import Patient

Reason = dict[str, Any]

_RULES: Final = {row["id"]: row for row in table("safety_net")["rules"]}
ON: Final = frozenset(
    code
    for code, row in _RULES.items()
    if row["default"] == "on" and not ("limit" in row and row["limit"] is None)
)
TEXTS: Final = {code: words(code) for code in _RULES}
COLOURS: Final = {code: str(row["colour"]) for code, row in _RULES.items()}
_SOURCES: Final = {
    code: f"Safety net (site rule): {row['source'] or row['decided']}"
    for code, row in _RULES.items()
    if code in ON
}


def _figures(code: str, pattern: str) -> list[tuple[str, ...]]:
    """Every match of `pattern` in the sentence of a rule; none is an error of the table."""
    found = re.findall(pattern, _RULES[code]["when"])
    if not found:
        raise ConfigurationError(
            f"rule {code} of safety_net.json reads {_RULES[code]['when']!r}: its figures are not "
            "where the program looks for them; keep the wording and change only the figures"
        )
    return [match if isinstance(match, tuple) else (match,) for match in found]


def _figure(code: str, pattern: str) -> float:
    return float(_figures(code, pattern)[0][0])


NEWS2_FROM_YEARS: Final = float(_RULES["news2_ge7"]["ages"].split()[0].removeprefix(">="))
_DEEP: Final = tuple(_figures("avpu_p_u", r"\((\w), (\w)\)")[0])
GCS_LIMIT: Final = _figure("gcs_le8", r"<= (\d+)")
NEWS2_RED: Final = int(_figure("news2_ge7", r">= (\d+)"))
NEWS2_YELLOW: Final = int(_figure("news2_ge5", r">= (\d+)"))
PEWS_LIMIT: Final = _figure("pews_ge4", r">= (\d+)")
PEWS_SINGLE: Final = _figure("pews_ge4", r"= (\d+)$")


class _ByYear(NamedTuple):
    """A limit that holds from the first to the last completed year."""

    first: int
    last: int
    limit: float


# "> 1.2 (1-3 y), > 1.22 (4-6), ..."
SIPA: Final = tuple(
    _ByYear(int(first), int(last), float(limit))
    for limit, first, last in _figures("sipa_high", r"> ([\d.]+) \((\d+)-(\d+)")
)
# "SBP <60 (<28 d), <70 (<1 y), <70+2*age (1-9 y), <90 (10-15 y)"
_NEONATE: Final = _figures("child_hypotension", r"<(\d+) \(<(\d+) d\)")[0]
_INFANT: Final = _figures("child_hypotension", r"<(\d+) \(<(\d+) y\)")[0]
_GROWING: Final = _figures("child_hypotension", r"<(\d+)\+(\d+)\*age \((\d+)-(\d+) y\)")[0]
_SCHOOL: Final = _figures("child_hypotension", r"<(\d+) \((\d+)-(\d+) y\)")[0]

_MEWC_KEYS: Final = {
    "SBP": "sbp_mmhg",
    "DBP": "dbp_mmhg",
    "HR": "hr_bpm",
    "RR": "rr_bpm",
    "SpO2": "spo2_pct",
}


def _mewc() -> tuple[tuple[str, float | None, float | None], ...]:
    limits: list[tuple[str, float | None, float | None]] = []
    for part in _RULES["mewc"]["when"].split(","):
        name = part.split()[0]
        if name not in _MEWC_KEYS:
            continue
        low = re.search(r"<(\d+)", part)
        high = re.search(r">(\d+)", part)
        limits.append(
            (_MEWC_KEYS[name], float(low[1]) if low else None, float(high[1]) if high else None)
        )
    return tuple(limits)


MEWC: Final = _mewc()
_MEWC_ALERT: Final = _figures("mewc", r"avpu not (\w)")[0][0]


class Caught(NamedTuple):
    """What the net says at one age."""

    reasons: list[Reason]
    score: news2.Score | None


def _reason(code: str, value: Any, threshold: str) -> Reason:
    return {
        "code": code,
        "text": TEXTS[code],
        "value": value,
        "threshold": threshold,
        "source": _SOURCES[code],
        "colour": COLOURS[code],
    }


def hypotension_limit(age: Age) -> float | None:
    """PALS lower limit of the systolic pressure at this age in mmHg, None from 16 years."""
    if age.years is None or age.days is None:
        return None
    if age.days < float(_NEONATE[1]):
        return float(_NEONATE[0])
    completed = int(age.years)
    if completed < int(_INFANT[1]):
        return float(_INFANT[0])
    if int(_GROWING[2]) <= completed <= int(_GROWING[3]):
        return float(_GROWING[0]) + float(_GROWING[1]) * completed
    return float(_SCHOOL[0]) if int(_SCHOOL[1]) <= completed <= int(_SCHOOL[2]) else None


def sipa_limit(age: Age) -> float | None:
    """Shock index above which a child of this age is caught, None outside 1-15 years."""
    if age.years is None:
        return None
    completed = int(age.years)
    for first, last, limit in SIPA:
        if first <= completed <= last:
            return limit
    return None


def judge(patient: Patient, age: Age, *, known: str) -> Caught:
    """Every rule of the net that holds at this age.

    `known` is how the age is known: with "none" only the rules of all ages apply; in the adult
    band that begins at 12 years NEWS2 waits until the crew ticks "adult".
    """
    found: list[Reason] = []
    numbers = patient.numbers
    if patient.avpu in _DEEP and "avpu_p_u" in ON:
        found.append(_reason("avpu_p_u", patient.avpu, "P, U"))
    gcs = numbers["gcs"]
    if gcs is not None and gcs <= GCS_LIMIT and "gcs_le8" in ON:
        found.append(_reason("gcs_le8", gcs, f"<={GCS_LIMIT:g}"))
    if "sbp_mmhg" in patient.not_measurable and "bp_not_measurable" in ON:
        found.append(_reason("bp_not_measurable", "not measurable", "two failed readings"))
    if known == "none":
        return Caught(found, None)
    score = None
    if patient.pregnant:
        found += _maternal(patient)
    grown = patient.adult_ticked or (age.years is not None and age.years >= NEWS2_FROM_YEARS)
    if grown:
        if not patient.pregnant:
            score = _news2(patient)
            found += _news2_rules(score)
    elif known == "exact" or not age.adult_chart:
        found += _child(patient, age)
    return Caught(found, score)


def _news2(patient: Patient) -> news2.Score:
    numbers = patient.numbers
    return news2.score(
        numbers["rr_bpm"],
        numbers["spo2_pct"],
        patient.on_oxygen,
        numbers["sbp_mmhg"],
        numbers["hr_bpm"],
        patient.avpu,
        numbers["temp_c"],
        patient.spo2_scale,
    )


def _news2_rules(score: news2.Score) -> list[Reason]:
    found: list[Reason] = []
    if score.total >= NEWS2_RED and "news2_ge7" in ON:
        found.append(_reason("news2_ge7", score.total, f">={NEWS2_RED}"))
    elif score.total >= NEWS2_YELLOW and "news2_ge5" in ON:
        found.append(_reason("news2_ge5", score.total, f">={NEWS2_YELLOW}"))
    if score.single and "news2_single3" in ON:
        parts = [
            part
            for part, points in zip(news2.PARTS, score.points, strict=True)
            if points == news2.SINGLE
        ]
        found.append(_reason("news2_single3", parts, f"={news2.SINGLE}"))
    return found


def _child(patient: Patient, age: Age) -> list[Reason]:
    found: list[Reason] = []
    numbers = patient.numbers
    pressure, rate = numbers["sbp_mmhg"], numbers["hr_bpm"]
    if not patient.pregnant and pressure is not None:
        limit = sipa_limit(age)
        if limit is not None and rate is not None and pressure > 0 and "sipa_high" in ON:
            index = rate / pressure
            if index > limit:
                found.append(_reason("sipa_high", round(index, 2), f">{limit:g}"))
        lowest = hypotension_limit(age)
        if lowest is not None and pressure < lowest and "child_hypotension" in ON:
            found.append(_reason("child_hypotension", pressure, f"<{lowest:g}"))
    if patient.pews is not None and "pews_ge4" in ON:
        total, single = pews(patient.pews)
        if total >= PEWS_LIMIT or single:
            found.append(_reason("pews_ge4", total, f">={PEWS_LIMIT:g}"))
    return found


def pews(given: Mapping[str, Any]) -> tuple[float, bool]:
    """PEWS Brighton: the sum of what is given, and whether one domain has the highest points."""
    points = pews_points(given)
    return sum(points.values()), any(
        points.get(domain, 0) >= PEWS_SINGLE for domain in PEWS_DOMAINS
    )


def _maternal(patient: Patient) -> list[Reason]:
    if "mewc" not in ON:
        return []
    hits: list[tuple[Any, str]] = []
    for key, low, high in MEWC:
        value = patient.numbers[key]
        if value is None:
            continue
        if low is not None and value < low:
            hits.append((value, f"{key} <{low:g}"))
        elif high is not None and value > high:
            hits.append((value, f"{key} >{high:g}"))
    if patient.avpu is not None and patient.avpu != _MEWC_ALERT:
        hits.append((patient.avpu, f"avpu !={_MEWC_ALERT}"))
    return [_reason("mewc", value, threshold) for value, threshold in hits]
