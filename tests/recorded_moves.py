"""Recorded hearts and levels for scripted moves: of one patient before and after, of two patients.

The parameters of `icu/same_patient.json` were chosen on CHOICE; what is reported is of TESTED.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.ktas import recordings
from hospital_ops.ecg.files.reading import read
from hospital_ops.ecg.looking import LENGTH_S
from hospital_ops.ecg.shape import shape

Shapes = dict[str, bytes]
CHOICE = ("mitdb/*.hea", "vfdb/*.hea", "cudb/*.hea")
TESTED = (
    "challenge2015_vt/*.hea", "cpsc2021_af/*.hea", "icu_waveform_samples/03700181.hea",
    "icu_waveform_samples/a103l.hea",
)  # fmt: skip
STEP_S = 60
LEADS = {"MLII": "II", "MCL1": "V1"}
NOT_ECG = ("ABP", "ART", "PLETH", "RESP", "CO2")


class Heart(NamedTuple):
    """One recording: what its beats look like, by the second at which the look began."""

    patient: str
    looks: dict[int, Shapes]


class Level(NamedTuple):
    """Pulse and mean pressure of an hour."""

    hr: float
    mean: float | None


@lru_cache(maxsize=2)
def hearts(patterns: tuple[str, ...]) -> tuple[Heart, ...]:
    """The recordings with at least one look, by name."""
    found = []
    for path in sorted(path for pattern in patterns for path in recordings().glob(pattern)):
        recorded, looks = read(path), dict[int, Shapes]()
        rate = recorded.rate_hz
        for second in range(0, int(recorded.duration_s) - LENGTH_S, STEP_S):
            first, end = round(second * rate), round((second + LENGTH_S) * rate)
            seen = {
                LEADS.get(lead, lead): found_shape
                for lead, curve in recorded.leads.items()
                if lead not in NOT_ECG and (found_shape := shape(curve[first:end], rate))
            }
            if seen:
                looks[second] = seen
        if looks:
            name = path.stem
            patient = name.rpartition("_")[0] if name.startswith("data_") else name
            found.append(Heart(patient, looks))
    return tuple(found)


def gaps(those: tuple[Heart, ...], chance: random.Random, number: int) -> Iterator[list[Shapes]]:
    """Looks of one patient, the last one one to ten minutes after the others."""
    by_patient: dict[str, list[Heart]] = {}
    for heart in those:
        by_patient.setdefault(heart.patient, []).append(heart)
    # A break needs something before it and after it.
    able = {
        patient: [heart for heart in theirs if len(heart.looks) > 1]
        for patient, theirs in by_patient.items()
    }
    able = {patient: theirs for patient, theirs in able.items() if theirs}
    for _ in range(number):
        heart = chance.choice(able[chance.choice(sorted(able))])
        times = sorted(heart.looks)
        at = chance.randrange(1, len(times))
        before = [heart.looks[t] for t in times[:at] if t >= times[at] - 1800]
        yield [*before[-3:], heart.looks[times[at]]]


def moves(those: tuple[Heart, ...], chance: random.Random, number: int) -> Iterator[list[Shapes]]:
    """Looks of one patient, the last one of another; with no lead in common nothing can be told."""
    while number:
        one, other = chance.choice(those), chance.choice(those)
        if one.patient == other.patient:
            continue
        times = sorted(one.looks)
        at = chance.randrange(len(times))
        number -= 1
        last = other.looks[chance.choice(sorted(other.looks))]
        yield [*(one.looks[t] for t in times[max(0, at - 2) : at + 1]), last]


@lru_cache(maxsize=2)
def levels(name: str) -> dict[str, dict[int, Level]]:
    """The hours of each stay of a file of `icu_hourly` that have a heart rate."""
    stays: dict[str, dict[int, Level]] = {}
    path: Path = recordings() / "icu_hourly" / name
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            if row["hr"]:
                level = Level(float(row["hr"]), float(row["map"]) if row["map"] else None)
                stays.setdefault(row["stay_id"], {})[int(float(row["hour"]))] = level
    return stays


def level_pair(name: str, chance: random.Random, same: bool) -> tuple[Level, Level]:
    """Two hours in a row of one stay, or an hour of each of two."""
    stays = levels(name)
    while True:
        one, other = chance.sample(sorted(stays), 2)
        hour = chance.choice(sorted(stays[one]))
        if not same:
            return stays[one][hour], stays[other][chance.choice(sorted(stays[other]))]
        if hour + 1 in stays[one]:
            return stays[one][hour], stays[one][hour + 1]


def turned(first: np.ndarray, second: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Leads I and II as they were if the heart lay otherwise, or the electrodes: Einthoven."""
    across, down = first, (second - first / 2) / np.sin(np.pi / 3)
    angles = np.deg2rad([degrees, 60 + degrees])
    one, two = (across * np.cos(angle) + down * np.sin(angle) for angle in angles)
    return one, two
