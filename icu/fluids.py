"""Volumes of the chart by hour: balance, and urine as KDIGO looks at it. Hours are UTC spans."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from hospital_ops.clinical.scores import score
from hospital_ops.clinical.tables import table
from hospital_ops.clock import iso
from icu.record import DAY, HOUR, IN, OUT, Reading, Record
from icu.windows import DAY as DAY_SET
from icu.windows import WARD, fresh, window_us

HOURS_SHOWN: Final = 24
_ENOUGH_ML: Final = max(row["lt"] for row in table("scores")["sofa"]["urine_ml_24h"])
EARLIER: Final = "earlier"  # missing: what was before the record knows of anything (`left.py`)


def hourly_urine(record: Record, now: int) -> tuple[list[float | None], int]:
    """(mL of each whole hour, newest last; the end of the last one).

    A volume is spread evenly over the time since the entry before; where that is longer than a
    urine value counts, or there was none before, the hours are unknown (None).
    """
    spans = _collected(record)
    if not spans:
        return [], 0
    last = spans[-1][1] // HOUR * HOUR
    if last <= now - window_us("urine", DAY_SET):
        return [], 0  # of hours long ago: nothing about now
    hours: list[float | None] = []
    for start in range(last - HOURS_SHOWN * HOUR, last, HOUR):
        covered, volume = 0, 0.0
        for begin, end, whole in spans:
            inside = min(end, start + HOUR) - max(begin, start)
            if inside > 0:
                covered += inside
                volume += whole * inside / (end - begin)
        hours.append(volume if covered == HOUR else None)
    while hours and hours[0] is None:
        del hours[0]
    return hours, last


def _entries(record: Record) -> dict[int, float]:
    """The urine charted at each moment, rising by time; two bags of one moment are one entry."""
    entries: dict[int, float] = {}
    for row in record.spots.get("urine", ()):
        if not isinstance(row.value, str):
            entries[row.at] = entries.get(row.at, 0.0) + row.value
    return entries


def _collected(record: Record) -> list[tuple[int, int, float]]:
    """(from, to, mL) of every collection whose length is known."""
    entries, longest = _entries(record), window_us("urine", DAY_SET)
    return [(before, at, entries[at]) for before, at in pairwise(entries) if at - before <= longest]


def urine_of_a_day(record: Record, now: int) -> Reading | None:
    """The urine of the 24 h up to the newest entry in mL, with its time; None where not known.

    Of a collection that began before them the part inside counts, by its share of the time. Every
    minute of the 24 h has to be of a collection that is not too long; after the newest entry
    nobody knows, so it is none of them, and it may be as old as a urine value counts.
    """
    entries = _entries(record)
    last = max(entries, default=0)
    if not entries or last <= now - window_us("urine", DAY_SET):
        return None
    volume, known = 0.0, 0
    for begin, end, whole in _collected(record):
        inside = end - max(begin, last - DAY)
        if inside > 0:
            known += inside
            volume += whole if inside >= end - begin else whole * inside / (end - begin)
    return Reading(last, round(volume, 6)) if known >= DAY else None


def urine_in_doubt(record: Record, now: int) -> bool:
    """Whether urine has been charted for a day, that of the 24 h is not known, and may be low."""
    entries = _entries(record)
    if not entries or min(entries) > now - DAY or max(entries) <= now - DAY:
        return False
    charted = sum(volume for at, volume in entries.items() if at > now - DAY)
    return charted < _ENOUGH_ML and urine_of_a_day(record, now) is None


def kdigo(
    record: Record, now: int, told: Reading | None = None
) -> tuple[dict[str, Any], list[Reading]] | None:
    """KDIGO's urine stage with the readings it is made of; None where no urine was charted.

    `told`: a weight that was told before the hospital, until one is charted.
    """
    rows = record.spots.get("urine", ())
    if not rows or rows[-1].at <= now - window_us("urine", DAY_SET):
        return None
    weight = fresh(record, "weight", WARD, now) or told
    hours, _ = hourly_urine(record, now)
    found = score(
        "kdigo_urine", {"weight_kg": weight.value if weight else None, "hourly_ml": hours}
    )
    if "error" in found:
        found = {"stage": None, "ml_kg_h_6h": None, "missing": ["weight_kg"], "reasons": []}
    return found, [rows[-1], *([weight] if weight else [])]


def balance(record: Record, now: int) -> dict[str, Any] | None:
    """In and out by hour and since the record began, in mL; None where nothing was charted.

    Without an entry of what was given, or lost, there is no balance: what is unknown is not
    nothing. A bag that was charted as empty is known: who makes no urine has a balance.
    """
    if not record.hours:
        return None
    hour = now // HOUR * HOUR
    missing = []
    if not (record.given or any(key in record.newest for key in IN)):
        missing.append("fluid_in")
    if not (record.lost or any(key in record.newest for key in OUT)):
        missing.append("urine")
    # What was charted before the record knows of anything is in no sum.
    lacking = [EARLIER] if record.known_from else []
    day = [row for start, row in record.hours.items() if start > now - DAY]
    # Of the admission weight, as the table says: the first one of the stay.
    weight = record.first_weight or fresh(record, "weight", WARD, now)
    whole = record.given - record.lost
    found = score(
        "fluid_balance",
        {
            "total_in_ml": record.given, "urine_ml": record.lost,
            "weight_kg": weight.value if weight else None,
        },
    )  # fmt: skip
    return {
        "value": None if missing or lacking else whole,
        "in_ml": record.given,
        "out_ml": record.lost,
        "day_ml": None if missing else sum(taken - lost for taken, lost in day),
        "hours": {
            iso(start): [taken, lost]
            for start, (taken, lost) in sorted(record.hours.items())
            if start > hour - HOURS_SHOWN * HOUR
        },
        "overload_pct": None if missing or lacking else found.get("overload_pct"),
        "missing": missing + lacking,
    }


def last_volume(record: Record) -> Reading | None:
    """The newest volume that was charted."""
    known = [record.newest[key] for key in (*OUT, "fluid_in") if key in record.newest]
    return max(known, key=lambda reading: reading.at, default=None)
