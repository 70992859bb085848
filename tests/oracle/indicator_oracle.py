"""SOFA, P/F, balance and urine by hand: the plain reading of the published tables.

Written apart from the house (it imports nothing of it) and slow on purpose: every window is walked
through again for every question. Times are whole seconds, `events` are (second, key, value) of one
patient, rising; creatinine and bilirubin are in mg/dL, FiO2 in percent.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

HOUR = 3600
DAY = 24 * HOUR
Events = list[tuple[int, str, float | str]]


# What a monitor may send and nobody would score: a line flushed to 0, an oximeter in a drawer.
PLAUSIBLE = {
    "abp_mean": (20, 250), "nibp_mean": (25, 230), "spo2": (40, 100), "fio2": (21, 100),
}  # fmt: skip


def series(events: Events, key: str, now: int) -> list[tuple[int, float]]:
    """The values of one key until now that a body can have."""
    low, high = PLAUSIBLE.get(key, (-1e9, 1e9))
    return [(at, v) for at, k, v in events if k == key and at <= now and low <= float(v) <= high]  # type: ignore[misc]


def last(events: Events, key: str, now: int, within: int) -> float | None:
    """The newest value younger than `within` seconds."""
    rows = [v for at, v in series(events, key, now) if at > now - within]
    return rows[-1] if rows else None


def within_day(events: Events, key: str, now: int) -> list[float]:
    """Every value of the last 24 h."""
    return [v for at, v in series(events, key, now) if at > now - DAY]


def fio2_at(events: Events, draw: int, now: int) -> float | None:
    """FiO2 at a draw: held between two readings an hour apart at most, else one within 5 min."""
    rows = series(events, "fio2", now)
    index = bisect_right([at for at, _ in rows], draw)
    before = rows[index - 1] if index else None
    after = rows[index] if index < len(rows) else None
    if before is not None and before[0] == draw:
        return before[1]
    if before is not None and after is not None and after[0] - before[0] <= HOUR:
        return before[1]
    near = [(abs(row[0] - draw), -row[0], row[1]) for row in (before, after) if row is not None]
    near = [row for row in near if row[0] <= 300]
    return min(near)[2] if near else None


def ventilated_at(events: Events, moment: int) -> bool:
    """Whether a ventilator was documented in the 12 h before."""
    rows = [(at, v) for at, k, v in events if k == "vent_mode" and at <= moment]
    return bool(rows) and moment - rows[-1][0] < 12 * HOUR and rows[-1][1] == "invasive"


def pf_points(ratio: float, ventilated: bool) -> int:
    """Respiration: < 400, < 300, and with support < 200 and < 100."""
    if ratio < 100 and ventilated:
        return 4
    if ratio < 200 and ventilated:
        return 3
    return 2 if ratio < 300 else 1 if ratio < 400 else 0


def gases(events: Events, now: int) -> list[tuple[float, bool]]:
    """(P/F, ventilated) of each gas of the last 12 h."""
    found = []
    for at, oxygen in series(events, "pao2", now):
        fraction = fio2_at(events, at, now)
        if at > now - 12 * HOUR and fraction:
            found.append((oxygen / (fraction / 100), ventilated_at(events, at)))
    return found


def estimate(events: Events, now: int) -> int | None:
    """Respiration from SpO2/FiO2 where the saturation is 97 % at most."""
    ratios: list[tuple[float, int]] = []
    oxygen = series(events, "fio2", now)
    for at, saturation in series(events, "spo2", now):
        held = [row for row in oxygen if row[0] <= at]
        if at > now - DAY and saturation <= 97 and held and at - held[-1][0] <= HOUR:
            ratios.append((saturation / (held[-1][1] / 100), at))
    if not ratios:
        return None
    lowest = min(ratio for ratio, _ in ratios)
    newest = max(at for ratio, at in ratios if ratio == lowest)
    points = 4 if lowest < 89 else 3 if lowest < 214 else 2 if lowest < 357 else 0
    points = points or (1 if lowest < 512 else 0)
    return points if ventilated_at(events, newest) else min(points, 2)


def urine(events: Events, now: int) -> dict[int, float]:
    """mL by the second they were charted, of the 30 h before the newest entry."""
    rows = series(events, "urine", now)
    merged: dict[int, float] = {}
    for at, volume in rows:
        if at > rows[-1][0] - 30 * HOUR:
            merged[at] = merged.get(at, 0) + volume
    return merged


def urine_of_a_day(events: Events, now: int) -> float | None:
    """mL of the 24 h before the newest entry: no more, no less, and each part of them charted."""
    merged = urine(events, now)
    times = sorted(merged)
    if not times or times[-1] <= now - 6 * HOUR:
        return None
    until, whole = times[-1], 0.0
    since = until - DAY
    if times[0] > since:
        return None  # nobody knows when the first bag was begun
    for begin, end in pairwise(times):
        if end <= since:
            continue
        if end - begin > 6 * HOUR:
            return None
        share = 1.0 if begin >= since else (end - since) / (end - begin)
        whole += merged[end] * share
    return round(whole, 6)


def urine_in_doubt(events: Events, now: int) -> bool:
    """Charted for a day and longer, not known of the whole day, and less than 500 mL in it."""
    merged = urine(events, now)
    of_day = [volume for at, volume in merged.items() if at > now - DAY]
    before = [at for at in merged if at <= now - DAY]
    doubt = urine_of_a_day(events, now) is None
    return bool(of_day) and bool(before) and doubt and sum(of_day) < 500


def sofa(events: Events, now: int) -> tuple[dict[str, int | None], int]:
    """Points by organ (None: not known) and their sum."""
    drawn = gases(events, now)
    parts: dict[str, int | None] = {
        "resp": max(pf_points(*gas) for gas in drawn) if drawn else estimate(events, now)
    }
    platelets = within_day(events, "platelets", now)
    low = min(platelets, default=None)
    parts["coag"] = None if low is None else sum(low < edge for edge in (150, 100, 50, 20))
    bilirubin = within_day(events, "bilirubin", now)
    high = max(bilirubin, default=None)
    parts["liver"] = None if high is None else sum(high >= edge for edge in (1.2, 2, 6, 12))
    pressures = within_day(events, "abp_mean", now) + within_day(events, "nibp_mean", now)
    parts["cv"] = None if not pressures else int(min(pressures) < 70)
    coma = within_day(events, "gcs", now)
    worst = min(coma, default=None)
    parts["cns"] = None if worst is None else sum(worst < edge for edge in (15, 13, 10, 6))
    creatinine = within_day(events, "creatinine", now)
    by_blood = None
    if creatinine:
        by_blood = sum(max(creatinine) >= edge for edge in (1.2, 2, 3.5, 5))
    whole = urine_of_a_day(events, now)
    by_urine = None if whole is None else 4 if whole < 200 else 3 if whole < 500 else 0
    kidneys = [points for points in (by_blood, by_urine) if points is not None]
    parts["renal"] = max(kidneys, default=None)
    return parts, sum(points for points in parts.values() if points is not None)


def urine_rate(events: Events, now: int, hours: int, weight: float) -> float | None:
    """mL/kg/h of the last whole hours, minute by minute; None where a minute is not known."""
    merged = urine(events, now)
    times = sorted(merged)
    known: dict[int, float] = {}  # minute to mL
    for begin, end in pairwise(times):
        if end - begin <= 6 * HOUR:
            for minute in range(begin // 60, end // 60):
                known[minute] = merged[end] / ((end - begin) / 60)
    if not known:
        return None
    until = (max(known) + 1) // 60 * 60
    window = range(until - hours * 60, until)
    if until * 60 <= now - 6 * HOUR:
        return None  # of hours long ago: nothing about now
    if any(minute not in known for minute in window):
        return None
    return sum(known[minute] for minute in window) / hours / weight


def urine_stage(events: Events, now: int) -> int | None:
    """KDIGO by urine: 6 h and 12 h below 0.5, 24 h below 0.3, or 12 h of nothing."""
    weights = series(events, "weight", now)
    if not weights:
        return None
    weight = weights[-1][1]
    six, twelve, day = (urine_rate(events, now, hours, weight) for hours in (6, 12, 24))
    if (day is not None and day < 0.3) or twelve == 0:
        return 3
    if twelve is not None and twelve < 0.5:
        return 2
    return None if six is None else int(six < 0.5)
