"""Invented patients: a whole course where nothing was recorded, and the signs that one lacks."""

from __future__ import annotations

import random
from dataclasses import dataclass

from simulators import seeds
from simulators.course import Course, Series
from simulators.people import invented
from simulators.therapy import treated

HOURS = 48
STEP_S = 900.0  # a point each quarter of an hour, about as a ward charts an unstable patient


@dataclass(frozen=True, slots=True)
class _Picture:
    """About where the signs of one kind of intensive care patient lie. Simulation only."""

    hr: float
    rr: float
    spo2: float
    temp: float
    sys: float
    dia: float
    invasive: bool


_PICTURES = (
    _Picture(78, 15, 97, 36.8, 124, 68, True),  # after an operation, calm
    _Picture(104, 22, 94, 38.3, 102, 54, True),  # septic, on a pressor
    _Picture(88, 19, 93, 37.2, 136, 74, False),  # lungs
    _Picture(66, 13, 98, 36.4, 142, 80, False),  # watched after a stroke
    _Picture(58, 14, 97, 36.6, 118, 64, True),  # heart, slowed by drugs
)
_WANDER = {"hr": 4.0, "rr": 1.2, "spo2": 0.7, "temp": 0.12, "sys": 5.0}
_PULL = 0.25  # how strongly a value returns to its picture at each step


def synthetic_course(seed: int, place: str) -> Course:
    """An invented patient for a place, of the same form as a recorded one."""
    chance = seeds.stream("synthetic", seed, place)
    picture = chance.choice(_PICTURES)
    series = _series(chance, picture)
    if picture.invasive:
        series |= {f"abp_{part}": series[f"nibp_{part}"] for part in ("sys", "dia", "mean")}
    series = treated(series, seed, place)
    return Course(
        person=invented(seed, place),
        source="synthetic",
        seed=seeds.number("course", seed, place),
        period_s=HOURS * 3600.0,
        series=series,
        start_s=chance.uniform(0, HOURS * 3600.0),
    )


def completed(series: dict[str, Series], seed: int, place: str) -> dict[str, Series]:
    """The recorded series, and invented ones for the signs that were not recorded."""
    chance = seeds.stream("completed", seed, place)
    spare = _series(chance, _PICTURES[0])
    whole = dict(series)
    for part in ("sys", "dia", "mean"):
        whole.setdefault(f"nibp_{part}", series.get(f"abp_{part}", spare[f"nibp_{part}"]))
    for key in ("hr", "rr", "spo2", "temp"):
        whole.setdefault(key, spare[key])
    return whole


def _series(chance: random.Random, picture: _Picture) -> dict[str, Series]:
    count = int(HOURS * 3600 / STEP_S)
    times = tuple(step * STEP_S for step in range(count))
    walks = {
        name: _walk(chance, getattr(picture, name), spread, count)
        for name, spread in _WANDER.items()
    }
    share = picture.dia / picture.sys
    diastolic = tuple(value * share for value in walks["sys"])
    mean = tuple((s + 2 * d) / 3 for s, d in zip(walks["sys"], diastolic, strict=True))
    values = {
        "hr": walks["hr"],
        "rr": walks["rr"],
        "spo2": tuple(min(value, 99.5) for value in walks["spo2"]),
        "temp": walks["temp"],
        "nibp_sys": walks["sys"],
        "nibp_dia": diastolic,
        "nibp_mean": mean,
    }
    return {key: Series(times, row) for key, row in values.items()}


def _walk(chance: random.Random, middle: float, spread: float, count: int) -> tuple[float, ...]:
    value, walk = middle, []
    for _ in range(count):
        value += (middle - value) * _PULL + chance.uniform(-spread, spread)
        walk.append(round(value, 2))
    return tuple(walk)
