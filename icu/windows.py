"""How old a value may be for an indicator: `clinical/tables/observation_classes.json`, read once.

`DAY` is the set of SOFA and its like, `WARD` that of NEWS2 and of what describes now.
"""

from __future__ import annotations

from typing import Final

from hospital_ops.clinical.prose import numbers
from hospital_ops.clinical.tables import table
from icu.record import MINUTE, OUT, VOLUMES, Reading, Readings, Record

DAY, WARD = "icu_24h", "news2_ward"
_ROWS: Final = {row["key"]: row for row in table("observation_classes")["rows"]}
# "P/F only with FiO2 within 5 min of the draw", "driving pressure only with PEEP within 5 min"
NEAR_DRAW_US: Final = int(numbers(_ROWS["pao2"]["reason"].split("within")[1])[0]) * MINUTE
NEAR_HOLD_US: Final = int(numbers(_ROWS["pplat"]["note"].split("within")[1])[0]) * MINUTE
# "dose_unit": "ug/kg/min for >=1 h"
DOSE_US: Final = int(numbers(table("scores")["sofa"]["dose_unit"])[0]) * 60 * MINUTE
_ALIKE: Final = {
    "bilirubin_umol_l": "bilirubin", "bilirubin_mg_dl": "bilirubin", "pregnant": "weight",
    "creatinine_umol_l": "creatinine", "creatinine_mg_dl": "creatinine",
    **{key: "urine" for key in (*OUT, *VOLUMES)},
}  # fmt: skip
# codes.json, vent_mode and o2_device: what is no ventilator.
NOTVENTILATED: Final = frozenset(("none", "off", "standby", "high_flow", "air", ""))
# "RASS": the lightest state that the scale calls sedation.
SEDATED: Final = max(
    int(points) for points, label in table("scores")["rass"]["scale"].items() if "sedation" in label
)


def window_us(key: str, which: str) -> int:
    """How long a value of `key` counts in the set `which`, in microseconds."""
    row = _ROWS[_ALIKE.get(key, key)]["window_min"]
    # What the ward's set leaves out is judged as in the day's.
    minutes = row[which] if row[which] is not None else row[DAY] or row[WARD]
    return int(minutes) * MINUTE


def fresh(record: Record, key: str, which: str, now: int) -> Reading | None:
    """The newest value of `key` that still counts; None: it is missing."""
    reading = record.newest.get(key)
    if reading is None or reading.at <= now - window_us(key, which):
        return None
    return reading


def held_at(record: Record, key: str, moment: int, near_us: int) -> Reading | None:
    """What was held at a moment: the span around it, or one that ends or begins near it."""
    best, distance = None, near_us + 1
    for span in record.held.get(key, ()):
        away = max(span.at - moment, moment - span.until, 0)
        if away < distance or (away == distance and best is not None):
            best, distance = span, away
    return best


def rate_now(record: Record, drug: str, now: int) -> tuple[Reading | None, bool]:
    """(rate, known) of a drug: a pump that fell silent is unknown unless it stood still."""
    spans = record.held.get(drug, ())
    if not spans:
        return None, True  # never connected
    last = spans[-1]
    if last.until > now - window_us(drug, DAY) or last.value == 0:
        return last, True
    return last, False


def sustained(spans: Readings, valid_us: int, since: int, now: int) -> Reading | None:
    """The highest rate that was held without a gap for as long as SOFA asks, in [since, now].

    The answer's `at` is the beginning of that stretch. A rate holds until the next one, and after
    the last one for `valid_us`.
    """
    pieces: list[tuple[int, int, float]] = []
    for index, span in enumerate(spans):
        later = spans[index + 1].at if index + 1 < len(spans) else now
        until = min(later, span.until + valid_us, now)
        begin = max(span.at, since)
        if until > begin and not isinstance(span.value, str):
            pieces.append((begin, until, span.value))
    for rate in sorted({piece[2] for piece in pieces if piece[2] > 0}, reverse=True):
        begun, reached = 0, -1
        for begin, until, value in pieces:
            if value < rate:
                reached = -1
                continue
            if begin != reached:
                begun = begin
            reached = until
            if reached - begun >= DOSE_US:
                return Reading(begun, rate, until=reached)
    return None


def supported_at(record: Record, moment: int) -> bool:
    """Whether a ventilator was documented at a moment, or one sent PEEP around it."""
    modes = [span for span in record.held.get("vent_mode", ()) if span.at <= moment]
    if modes and moment - modes[-1].until < window_us("vent_mode", DAY):
        return str(modes[-1].value).lower() not in NOTVENTILATED
    return held_at(record, "peep", moment, window_us("peep", WARD)) is not None


def sedated(record: Record, moment: int) -> bool:
    """Whether the RASS that counts at a moment is one of sedation."""
    window = window_us("rass", DAY)
    known = [r for r in record.spots.get("rass", ()) if moment - window < r.at <= moment]
    return bool(known) and not isinstance(known[-1].value, str) and known[-1].value <= SEDATED
