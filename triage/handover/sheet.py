"""The hand-over sheet of a case, made from its stored values. Pure: readings in, a sheet out.

Invalid readings are left out; nothing is filled in where nothing was measured. A desaturation
lasts from the first reading below the chart's limit to the first that is not, or to the last
reading there is (then it is `open`): between two readings nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from hospital_ops import codes
from hospital_ops.clinical.tables import table
from hospital_ops.clock import SECOND, iso

SYSTOLIC: Final = tuple(codes.by_key[key].code for key in ("nibp_sys", "abp_sys"))
SATURATION: Final = codes.by_key["spo2"].code
LIMIT_PCT: Final = float(table("iitt")["adult"]["high_risk_vitals"]["spo2_pct"]["lt"])
SOURCE: Final[str] = str(table("iitt")["source"])
TREATMENTS_MAX: Final = 200


class Reading(NamedTuple):
    """One stored value of a case; `at` in microseconds since 1970."""

    code: str
    value: float
    unit: str
    at: int


def sheet_of(readings: Iterable[Reading], case: Mapping[str, Any], made_at: int) -> dict[str, Any]:
    """The sheet; `case` is the public form of the case (hospital_ops.board.case_json)."""
    ordered = sorted(readings, key=lambda reading: (reading.at, reading.code, reading.value))
    saturation = [r for r in ordered if r.code == SATURATION]
    pressure = [r for r in ordered if r.code in SYSTOLIC]
    return {
        "made_at": iso(made_at),
        "lowest_pressure": _lowest(pressure),
        "lowest_saturation": _lowest(saturation),
        "longest_desaturation": longest_below(saturation, LIMIT_PCT),
        "limit_pct": LIMIT_PCT,
        "limit_source": SOURCE,
        "values": [_course(code, ordered) for code in dict.fromkeys(r.code for r in ordered)],
        "treatments": treatments_of(case),
        "limits": limits_of(case),
        "allergies": allergies_of(case),
        "facts": dict(case.get("facts") or {}),
        "proposed": case.get("proposed"),
        "decision": case.get("decision"),
        "arrived_at": case.get("arrived_at"),
        "mode": case.get("mode"),
    }


def longest_below(readings: Sequence[Reading], limit: float) -> dict[str, Any] | None:
    """The longest time below `limit` in readings ordered by time; None where there was none."""
    best: tuple[int, int, bool, float] | None = None  # length, start, open, lowest
    start, lowest = 0, limit
    for reading in readings:
        if reading.value < limit:
            if not start:
                start, lowest = reading.at, reading.value
            lowest = min(lowest, reading.value)
        elif start:
            best = _longer(best, (reading.at - start, start, False, lowest))
            start = 0
    if start:
        best = _longer(best, (readings[-1].at - start, start, True, lowest))
    if best is None:
        return None
    length, began, unfinished, low = best
    return {
        "seconds": length // SECOND,
        "from": iso(began),
        "open": unfinished,
        "lowest": low,
    }


def treatments_of(case: Mapping[str, Any]) -> list[dict[str, str]]:
    """What the crew gave, oldest first: `{"what", "dose", "route", "at"}`."""
    told = (case.get("facts") or {}).get("treatments")
    said = _items(case, "treatment")
    said += [each for each in told if isinstance(each, dict)] if isinstance(told, list) else []
    lines = [
        {**_line(each, ("dose", "route", "at")), "what": str(each.get("what") or each.get("text"))}
        for each in said
        if each.get("what") or each.get("text")
    ]
    return sorted(lines, key=lambda line: line["at"])[:TREATMENTS_MAX]


def limits_of(case: Mapping[str, Any]) -> list[dict[str, str]]:
    """What was agreed not to be done, oldest first: `{"what", "who", "until", "at"}`."""
    return [_line(each, ("what", "who", "until", "at")) for each in _items(case, "limit")]


def allergies_of(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was told of allergies, oldest first, with who heard it; `none_known`: there are none."""
    names = ("what", "reaction", "who", "role", "by", "at")
    return [
        {**_line(each, names), "none_known": bool(each.get("none_known"))}
        for each in _items(case, "allergy")
    ]


def _items(case: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    """The crew's items of a kind, as the board keeps them: flat, beside `kind` and `at`."""
    return [item for item in case.get("items") or () if item.get("kind") == kind]


def _line(said: Mapping[str, Any], names: Sequence[str]) -> dict[str, str]:
    return {name: str(said.get(name) or "") for name in names}


def _longer(
    best: tuple[int, int, bool, float] | None, other: tuple[int, int, bool, float]
) -> tuple[int, int, bool, float]:
    return other if best is None or other[0] > best[0] else best


def _lowest(readings: Sequence[Reading]) -> dict[str, Any] | None:
    """The lowest value and when it was measured first."""
    if not readings:
        return None
    lowest = min(readings, key=lambda reading: (reading.value, reading.at))
    return {"value": lowest.value, "unit": lowest.unit, "at": iso(lowest.at)}


def _course(code: str, ordered: Sequence[Reading]) -> dict[str, Any]:
    own = [reading for reading in ordered if reading.code == code]
    values = [reading.value for reading in own]
    return {
        "code": code,
        "unit": own[-1].unit,
        "first": own[0].value,
        "lowest": min(values),
        "highest": max(values),
        "last": own[-1].value,
        "last_at": iso(own[-1].at),
        "count": len(own),
    }
