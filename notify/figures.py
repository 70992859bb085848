"""Which figure of a patient may be told: by clinical/sms_values.json, or words that say none.

Never an older figure, never an estimate, never one of another mode than the patient's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any, Final

from hospital_ops import codes
from hospital_ops.clock import SECOND
from notify.rules import RULES, items

MINUTE: Final = 60 * SECOND
HOUR: Final = 3600 * SECOND
# sms_values.json, `general.continuous`: the last 60 min, at least 30 min of valid samples.
MEDIAN_MINUTES: Final = 60
MEDIAN_MINUTES_MIN: Final = 30
MEDIAN_NEWEST_S: Final[int] = RULES["median_newest_min"] * 60  # "spread over it": it still goes on
# `guard.cross`: systolic above diastolic by more than this, pulse and heart rate within this share.
PRESSURE_GAP: Final = 5
RATE_DIFFERENCE: Final = 0.20
OXIMETER: Final = (70.0, 100.0)
_PERSON: Final = "typed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One stored value of a patient, as the archive has it."""

    code: str
    value: float | str | None
    at: int  # event time, microseconds UTC
    validity: str = "Vld"
    origin: str = "monitor"
    mode: str = "Real"
    device: str = ""
    moved: bool = False  # of another bed than the patient's: its device is bound to somebody else


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What is said about one item, and where it comes from; no values: the words of `missing`."""

    item: str
    values: tuple[float, ...] = ()
    how: str = "missing"  # median, spot, pair, missing
    at: int | None = None  # of the newest value in it
    count: int = 0
    why: str = ""  # why missing: none, old, few, ended, unsteady, implausible, contradiction


Readings = Sequence[Reading]


def usable(readings: Readings, mode: str, now: int) -> list[Reading]:
    """What may be told at all: valid, the patient's mode, of the past, a body can reach it."""
    return [
        r
        for r in readings
        if r.mode == mode and r.validity == "Vld" and r.at <= now and _plausible(r)
    ]


def left_out(readings: Readings, mode: str, now: int) -> bool:
    """Whether something of the last hour was there and may not be told."""
    recent = [r for r in readings if now - MEDIAN_MINUTES * MINUTE < r.at <= now and not r.moved]
    return len(usable(recent, mode, now)) < len(recent)


def figures(readings: Readings, mode: str, now: int) -> dict[str, Figure]:
    """The five figures of a message by item: temp, hr, bp, spo2, rr."""
    fit = [r for r in usable(readings, mode, now) if r.origin == _PERSON or not r.moved]
    found = {item: _plain(item, fit, now) for item in ("temp", "hr", "spo2", "rr")}
    found["bp"] = _pressure(fit, now)
    if _rates_disagree(fit, now):
        found["hr"] = Figure(item="hr", why="contradiction")
    oxygen = found["spo2"].values
    if oxygen and not OXIMETER[0] <= oxygen[0] <= OXIMETER[1]:
        found["spo2"] = Figure(item="spo2", why="implausible")
    return found


def _plausible(reading: Reading) -> bool:
    """A number within what a body can reach, or a word where the code is one of words."""
    vital = codes.by_code.get(reading.code)
    if vital is None:
        return False
    if vital.plausible is None:
        return isinstance(reading.value, str)
    low, high = vital.plausible
    return isinstance(reading.value, int | float) and low <= reading.value <= high


def _plain(item: str, fit: Readings, now: int) -> Figure:
    """A median of any of the item's codes, else what a person entered last.

    A signal that was there and jumped is not replaced by an older entry (the table's `guard`).
    """
    row = items()[item]
    medians = [_median(row, [r for r in fit if r.code == code], now) for code in row["codes"]]
    for found in medians:
        if found.values:
            return found
    jumped = next((found for found in medians if found.why == "unsteady"), None)
    if jumped is not None:
        return jumped
    spot = _spot(row, [r for r in fit if r.code in row["codes"]], now)
    if spot.values or spot.why == "old":
        return spot
    return next((found for found in medians if found.why != "none"), spot)


def _number(reading: Reading) -> float:
    return float(reading.value) if isinstance(reading.value, int | float) else float("nan")


def _median(
    row: dict[str, Any], own: Readings, now: int, of: Callable[[Reading], float] = _number
) -> Figure:
    item = row["item"]
    hour = [r for r in own if r.origin != _PERSON and now - r.at < MEDIAN_MINUTES * MINUTE]
    minutes = {r.at // MINUTE for r in hour}
    if len(minutes) < MEDIAN_MINUTES_MIN:
        return Figure(item=item, why="few" if hour else "none")
    newest = max(r.at for r in hour)
    if now - newest > MEDIAN_NEWEST_S * SECOND:
        return Figure(item=item, why="ended")
    values = [of(r) for r in hour]
    tenths = quantiles(values, n=10, method="inclusive")
    if tenths[-1] - tenths[0] >= row["max_spread"]:
        return Figure(item=item, why="unsteady", count=len(values))
    return Figure(item=item, values=(median(values),), how="median", at=newest, count=len(values))


def _spot(row: dict[str, Any], own: Readings, now: int) -> Figure:
    oldest = now - row["max_age_h"] * HOUR
    typed = [r for r in own if r.origin == _PERSON]
    fresh = [r for r in typed if r.at >= oldest]
    if not fresh:
        return Figure(item=row["item"], why="old" if typed else "none")
    newest = max(fresh, key=lambda r: r.at)
    return Figure(item=row["item"], values=(_number(newest),), how="spot", at=newest.at, count=1)


def _pressure(fit: Readings, now: int) -> Figure:
    """Both pressures of the artery, else both of one cuff reading; never mixed."""
    row = items()["bp"]
    high_artery, low_artery, high_cuff, low_cuff = row["codes"]
    upper = _median(row, [r for r in fit if r.code == high_artery], now)
    lower = _median(row, [r for r in fit if r.code == low_artery], now)
    if upper.values and lower.values:
        pair = Figure(
            item="bp",
            values=(upper.values[0], lower.values[0]),
            how="median",
            at=min(upper.at or 0, lower.at or 0),
            count=upper.count,
        )
    else:
        pair = _cuff(row, fit, high_cuff, low_cuff, now)
    if pair.values and pair.values[0] <= pair.values[1] + PRESSURE_GAP:
        return Figure(item="bp", why="contradiction")
    return pair


def _cuff(row: dict[str, Any], fit: Readings, high: str, low: str, now: int) -> Figure:
    lows = {(r.at, r.device): r for r in fit if r.code == low}
    pairs = [(r, lows[r.at, r.device]) for r in fit if r.code == high and (r.at, r.device) in lows]
    fresh = [pair for pair in pairs if pair[0].at >= now - row["max_age_h"] * HOUR]
    if not fresh:
        return Figure(item="bp", why="old" if pairs else "none")
    upper, lower = max(fresh, key=lambda pair: pair[0].at)
    values = (_number(upper), _number(lower))
    return Figure(item="bp", values=values, how="pair", at=upper.at, count=1)


def _rates_disagree(fit: Readings, now: int) -> bool:
    """Pulse and heart rate of the last hour, where both are there, differ too much."""
    rates = []
    for code in items()["hr"]["codes"]:
        hour = [
            _number(r)
            for r in fit
            if r.code == code and r.origin != _PERSON and now - r.at < MEDIAN_MINUTES * MINUTE
        ]
        if hour:
            rates.append(median(hour))
    return len(rates) == 2 and abs(rates[0] - rates[1]) > RATE_DIFFERENCE * max(rates)
