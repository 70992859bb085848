"""Recorded stays in intensive care, made into courses; an invented patient where none is at hand.

Two published sets are read, by folder (`HOSPITAL_OPS_RECORDINGS`, else `../shared/data` beside the
repository): `challenge2012_icu` (PhysioNet/CinC Challenge 2012, the first 48 h, cuff and arterial
pressures) and `icu_hourly` (MIMIC-III and eICU demo, hourly; its pressures do not say how they were
taken and are played as cuff). Values outside what `clinical/codes.json` calls plausible, -1 for
unknown, and pressures that are not systolic > mean > diastolic are left out.
"""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from simulators import seeds
from simulators.course import Course, Series
from simulators.people import Person, invented, named
from simulators.synthetic import completed, synthetic_course
from simulators.therapy import treated
from simulators.vocabulary import sign

FEWEST_POINTS = 12  # of heart rate: less is no course
SEAM_S = 1800.0  # from the last value back to the first
Points = dict[str, dict[float, float]]  # sign, seconds, value

_PARAMETERS = {
    "HR": "hr",
    "RespRate": "rr",
    "SaO2": "spo2",
    "Temp": "temp",
    "SysABP": "abp_sys",
    "DiasABP": "abp_dia",
    "MAP": "abp_mean",
    "NISysABP": "nibp_sys",
    "NIDiasABP": "nibp_dia",
    "NIMAP": "nibp_mean",
    "FiO2": "fio2",
    "GCS": "gcs",
    "Lactate": "lactate",
    "PaO2": "pao2",
    "PaCO2": "paco2",
    "pH": "ph_art",
    "Creatinine": "creatinine",
    "Bilirubin": "bilirubin",
    "Platelets": "platelets",
    "K": "k",
    "Na": "na",
    "Urine": "urine",
}
# What the set writes in mg/dL and codes.json counts in umol/L: by the molar masses.
_FACTORS = {"creatinine": 88.4, "bilirubin": 17.1}
_COLUMNS = {
    "hr": "hr",
    "resp": "rr",
    "o2sat": "spo2",
    "temp": "temp",
    "sbp": "nibp_sys",
    "dbp": "nibp_dia",
    "map": "nibp_mean",
    "fio2": "fio2",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded stay: who, and the signs that were recorded, cleaned."""

    source: str
    sex: str  # F, M, unknown
    age_years: int | None
    height_cm: float | None
    weight_kg: float | None
    series: dict[str, Series]


def recordings_folder() -> Path | None:
    """Where the recorded stays lie, None where there are none."""
    given = os.environ.get("HOSPITAL_OPS_RECORDINGS")
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(given) if given else beside
    return folder if folder.is_dir() else None


@lru_cache(maxsize=2)
def recordings(folder: Path) -> tuple[Recording, ...]:
    """All stays of the folder that have enough heart rates to be played, in a fixed order."""
    found: list[Recording] = []
    challenge = folder / "challenge2012_icu" / "records.csv.gz"
    if challenge.is_file():
        found.extend(_challenge(challenge))
    for name in ("mimic_demo", "eicu_demo"):
        hourly = folder / "icu_hourly" / f"{name}_hourly.csv.gz"
        stays = folder / "icu_hourly" / f"{name}_stays.csv"
        if hourly.is_file() and stays.is_file():
            found.extend(_hourly(name, hourly, stays))
    return tuple(row for row in found if len(row.series["hr"].times_s) >= FEWEST_POINTS)


def course_for(seed: int, bed: str, folder: Path | None) -> Course:
    """The course of a bed: a recorded one of the folder, else an invented one.

    It depends on seed and bed alone, and the beds of one unit get different stays while there are
    enough of them.
    """
    known = recordings(folder) if folder is not None else ()
    if not known:
        return synthetic_course(seed, bed)
    unit, _, last = bed.rpartition("-")
    place = int(last) if last.isdecimal() else seeds.number(bed)
    order = list(range(len(known)))
    seeds.stream("stays", seed).shuffle(order)
    first = seeds.number("unit", seed, unit)
    return _course(known[order[(first + place) % len(order)]], seed, bed)


def _course(recording: Recording, seed: int, bed: str) -> Course:
    spare = invented(seed, bed)
    person = Person(
        family="",
        given="",
        sex=recording.sex if recording.sex != "unknown" else spare.sex,
        age_years=recording.age_years if recording.age_years is not None else spare.age_years,
        height_cm=recording.height_cm,
        weight_kg=recording.weight_kg,
    )
    period_s = max(one.times_s[-1] for one in recording.series.values()) + SEAM_S
    return Course(
        person=named(person, seed, bed),
        source=recording.source,
        seed=seeds.number("course", seed, bed),
        period_s=period_s,
        series=_within(treated(completed(recording.series, seed, bed), seed, bed), period_s),
        recorded=frozenset(recording.series),
        start_s=seeds.stream("start", seed, bed).uniform(0, period_s),
    )


def _within(series: dict[str, Series], period_s: float) -> dict[str, Series]:
    """Invented series may be longer than the stay they complete."""
    cut = {}
    for key, one in series.items():
        count = sum(1 for time_s in one.times_s if time_s < period_s)
        cut[key] = (
            one if count == len(one.times_s) else Series(one.times_s[:count], one.values[:count])
        )
    return cut


def _challenge(path: Path) -> Iterator[Recording]:
    facts: dict[str, float] = {}
    points: Points = {}
    number = ""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            if row[2] == "RecordID" or row[0] == "RecordID":
                if points.get("hr"):
                    yield _recording(f"challenge2012_icu/{number}", facts, points)
                number, facts, points = row[0], {}, {}
            elif row[2] in ("Age", "Gender", "Height", "Weight"):
                facts.setdefault(row[2], float(row[3]))
            elif (key := _PARAMETERS.get(row[2])) is not None:
                hours, minutes = row[1].split(":")
                _add(points, key, int(hours) * 3600.0 + int(minutes) * 60.0, row[3])
    if points.get("hr"):
        yield _recording(f"challenge2012_icu/{number}", facts, points)


def _hourly(name: str, path: Path, stays: Path) -> Iterator[Recording]:
    with stays.open(encoding="utf-8", newline="") as file:
        people = {row["stay_id"]: row for row in csv.DictReader(file)}
    by_stay: dict[str, Points] = {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            points = by_stay.setdefault(row["stay_id"], {})
            for column, key in _COLUMNS.items():
                _add(points, key, float(row["hour"]) * 3600.0, row[column])
    for stay, points in by_stay.items():
        if points.get("hr"):
            person = people.get(stay, {})
            facts = {
                fact: float(person[column])
                for column, fact in (("age", "Age"), ("height", "Height"), ("weight", "Weight"))
                if person.get(column)
            }
            if person.get("sex") in ("Female", "Male"):
                facts["Gender"] = 1.0 if person["sex"] == "Male" else 0.0
            yield _recording(f"icu_hourly/{name}/{stay}", facts, points)


def _add(points: Points, key: str, time_s: float, text: str) -> None:
    limits = sign(key).plausible
    if not text or limits is None:
        return
    value = float(text) * _FACTORS.get(key, 1.0)
    if key == "fio2" and value <= 1.0:  # one set writes a fraction, the other a percentage
        value *= 100.0
    if limits[0] <= value <= limits[1]:
        points.setdefault(key, {})[time_s] = value


def _recording(source: str, facts: dict[str, float], points: Points) -> Recording:
    for kind in ("abp", "nibp"):
        _keep_whole_pressures(points, kind)
    gender = facts.get("Gender", -1)
    age = facts.get("Age", -1)
    return Recording(
        source=source,
        sex="M" if gender == 1 else "F" if gender == 0 else "unknown",
        age_years=int(age) if age > 0 else None,
        height_cm=_known(facts.get("Height"), sign("height").plausible),
        weight_kg=_known(facts.get("Weight"), sign("weight").plausible),
        series={key: _sorted(rows.items()) for key, rows in points.items() if rows},
    )


def _keep_whole_pressures(points: Points, kind: str) -> None:
    """Only moments with systolic > mean > diastolic; a line that was flushed shows none."""
    high, middle, low = (points.pop(f"{kind}_{part}", {}) for part in ("sys", "mean", "dia"))
    times = [t for t in high if t in middle and t in low and high[t] > middle[t] > low[t]]
    if len(times) >= FEWEST_POINTS:
        points[f"{kind}_sys"] = {t: high[t] for t in times}
        points[f"{kind}_mean"] = {t: middle[t] for t in times}
        points[f"{kind}_dia"] = {t: low[t] for t in times}


def _sorted(rows: Iterable[tuple[float, float]]) -> Series:
    times, values = zip(*sorted(rows), strict=True)
    return Series(times, values)


def _known(value: float | None, limits: tuple[float, float] | None) -> float | None:
    if value is None or limits is None or not limits[0] <= value <= limits[1]:
        return None
    return value
