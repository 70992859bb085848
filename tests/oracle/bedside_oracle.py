"""What stands beside SOFA at a bed, by hand: shock index, S/F, ROX, lactate, balance, NEWS2.

As `indicator_oracle.py`: the plain reading of the published formulas, apart from the house and slow
on purpose. Times are whole seconds, `events` are (second, key, value) of one patient, rising.
"""

from __future__ import annotations

from typing import Any

from tests.oracle.indicator_oracle import DAY, HOUR, Events, series, ventilated_at

# What a body can have; beyond it a sensor is off (codes.json, plausible).
POSSIBLE = {
    "hr": (20, 300), "rr": (2, 80), "temp": (25, 45), "abp_sys": (30, 300), "nibp_sys": (40, 270),
}  # fmt: skip
# What is stored and shown as questionable, and no score is made of it, whoever sent or typed it
# (codes.json, plausible; bilirubin and creatinine in mg/dL).
TRUSTED = {
    "pao2": (20, 600), "platelets": (1, 1500), "lactate": (0.2, 25), "bilirubin": (0.0585, 52.6),
    "creatinine": (0.1131, 22.6), "gcs": (3, 15), "urine": (0, 3000), "weight": (0.4, 300),
}  # fmt: skip
NOW_COUNTS = HOUR  # what describes now is an hour old at the most; a temperature four
Row = tuple[int, float]


def trusted(events: Events) -> Events:
    """Without results and entries that nobody would score before they were looked at."""
    return [
        (at, key, value)
        for at, key, value in events
        if key not in TRUSTED or TRUSTED[key][0] <= float(value) <= TRUSTED[key][1]
    ]


def newest(events: Events, key: str, now: int, within: int = NOW_COUNTS) -> Row | None:
    """(second, value) of the newest possible value younger than `within`."""
    low, high = POSSIBLE.get(key, (-1e9, 1e9))
    rows = [row for row in series(events, key, now) if low <= row[1] <= high]
    return rows[-1] if rows and rows[-1][0] > now - within else None


def pressure(events: Events, now: int) -> Row | None:
    """Systolic: of the line unless the cuff is newer by more than a minute."""
    line, cuff = newest(events, "abp_sys", now), newest(events, "nibp_sys", now)
    if line is not None and (cuff is None or line[0] >= cuff[0] - 60):
        return line
    return cuff


def shock_index(events: Events, now: int) -> float | None:
    """Heart rate over systolic pressure."""
    rate, systolic = newest(events, "hr", now), pressure(events, now)
    return rate[1] / systolic[1] if rate and systolic else None


def saturation_ratio(events: Events, now: int) -> float | str | None:
    """SpO2/FiO2; a word where the saturation is too high to tell anything."""
    saturation, oxygen = newest(events, "spo2", now), newest(events, "fio2", now)
    if saturation is None or oxygen is None:
        return None
    return "not_applicable" if saturation[1] > 97 else saturation[1] / (oxygen[1] / 100)


def rox(events: Events, now: int) -> float | None:
    """SpO2/FiO2 over the respiratory rate, of who breathes without a ventilator."""
    saturation, oxygen = newest(events, "spo2", now), newest(events, "fio2", now)
    rate = newest(events, "rr", now)
    if ventilated_at(events, now) or not (saturation and oxygen and rate):
        return None
    return saturation[1] / (oxygen[1] / 100) / rate[1]


def lactate_clearance(events: Events, now: int) -> float | None:
    """Percent that the newest lactate (6 h at most) lies below the first of the 8 h before it."""
    rows = series(events, "lactate", now)
    if not rows or rows[-1][0] <= now - 6 * HOUR:
        return None
    at, later = rows[-1]
    before = [value for moment, value in rows if at - 8 * HOUR <= moment < at]
    return 100 * (before[0] - later) / before[0] if before else None


def balance(events: Events, now: int) -> dict[str, Any]:
    """What was given and lost in all, in the last day, and in each UTC hour of it, in mL."""
    hours: dict[int, list[float]] = {}
    whole = [0.0, 0.0]
    for place, key in enumerate(("fluid_in", "urine")):
        for at, volume in series(events, key, now):
            whole[place] += volume
            hours.setdefault(at // HOUR * HOUR, [0.0, 0.0])[place] += volume
    day = [row for start, row in hours.items() if start > now - DAY]
    return {
        "in_ml": whole[0],
        "out_ml": whole[1],
        "day_ml": sum(given - lost for given, lost in day),
        "hours": {s: row for s, row in hours.items() if s > now // HOUR * HOUR - DAY},
    }


def news2_state(events: Events, now: int) -> str | None:
    """Not applicable under a ventilator; never complete here, for nobody recorded an AVPU."""
    known = [newest(events, key, now) for key in ("rr", "spo2", "hr")]
    known += [newest(events, "temp", now, 4 * HOUR), pressure(events, now)]
    if not any(known):
        return None
    return "not_applicable" if ventilated_at(events, now) else "incomplete"
