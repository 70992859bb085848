"""The recorded stays of `../shared/data` as events of one patient, and as entries of a unit."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from hospital_ops import codes, units, wire
from hospital_ops.clock import SECOND
from hospital_ops.deciding import Stamped
from tests.oracle.indicator_oracle import Events

RECORDINGS = Path(
    os.environ.get("HOSPITAL_OPS_RECORDINGS", Path(__file__).parents[3] / "shared" / "data")
)
START = 1_780_000_020  # a second of 2026 that is a whole minute
BED = "h1-icu-1-01"
_CHALLENGE = {
    "HR": "hr", "RespRate": "rr", "SysABP": "abp_sys", "MAP": "abp_mean", "NISysABP": "nibp_sys",
    "NIMAP": "nibp_mean", "FiO2": "fio2", "PaO2": "pao2", "GCS": "gcs", "Urine": "urine",
    "Platelets": "platelets", "Bilirubin": "bilirubin", "Creatinine": "creatinine",
    "Lactate": "lactate", "Weight": "weight", "Height": "height", "MechVent": "vent_mode",
    "SaO2": "spo2", "Temp": "temp",
}  # fmt: skip
_HOURLY = {
    "hr": "hr", "resp": "rr", "o2sat": "spo2", "temp": "temp", "sbp": "nibp_sys",
    "map": "nibp_mean", "fio2": "fio2", "lact": "lactate", "crea": "creatinine",
    "bili": "bilirubin", "plt": "platelets", "po2": "pao2", "urine": "urine",
}  # fmt: skip
_MG_DL = ("bilirubin", "creatinine")
_MEASURED = ("hr", "rr", "abp_sys", "abp_mean", "nibp_sys", "nibp_mean", "fio2", "spo2", "temp")


def challenge() -> Iterator[tuple[str, Events]]:
    """The stays of challenge2012_icu, each with its events."""
    path = RECORDINGS / "challenge2012_icu" / "records.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for stay, rows in groupby(csv.DictReader(file), key=lambda row: row["RecordID"]):
            events: Events = []
            for row in rows:
                key, value = _CHALLENGE.get(row["Parameter"]), float(row["Value"])
                if key is None or value < 0:
                    continue
                hours, minutes = row["Time"].split(":")
                at = START + int(hours) * 3600 + int(minutes) * 60
                shown: float | str = value * 100 if key == "fio2" else value
                events.append((at, key, "invasive" if key == "vent_mode" else shown))
            yield stay, _clean(events)


def hourly(name: str) -> Iterator[tuple[str, Events]]:
    """The stays of icu_hourly (`eicu` or `mimic`), each with its events."""
    folder = RECORDINGS / "icu_hourly"
    with (folder / f"{name}_demo_stays.csv").open(encoding="utf-8") as file:
        weights = {row["stay_id"]: row["weight"] for row in csv.DictReader(file)}
    with gzip.open(folder / f"{name}_demo_hourly.csv.gz", "rt", encoding="utf-8") as file:
        for stay, rows in groupby(csv.DictReader(file), key=lambda row: row["stay_id"]):
            events: Events = []
            if weights[stay]:
                events.append((START, "weight", float(weights[stay])))
            for row in rows:
                at = START + int(row["hour"]) * 3600
                events += [(at, key, float(row[c])) for c, key in _HOURLY.items() if row[c]]
            yield stay, _clean(events)


def _clean(events: Events) -> Events:
    """Rising by time, one value a key and moment, within what a body can reach."""
    found: dict[tuple[int, str], float | str] = {}
    for at, key, value in events:
        limits = codes.by_key[key].reject_outside
        factor = {"bilirubin": 17.1, "creatinine": 88.42}.get(key, 1)
        if isinstance(value, str) or units.in_range(value * factor, limits):
            found.setdefault((at, key), value)
    order = list(_CHALLENGE.values())
    return sorted(
        ((at, key, value) for (at, key), value in found.items()),
        key=lambda event: (event[0], order.index(event[1])),
    )


def entries(events: Events, unit: str = "h1-icu-1") -> Iterator[Stamped]:
    """The events as messages of a bed: measured ones by a monitor, the others typed."""
    for at, rows in groupby(events, key=lambda event: event[0]):
        stamp = at * SECOND
        observations = tuple(_observation(key, value, stamp) for _, key, value in rows)
        yield Stamped(
            stamp,
            wire.Observed(
                unit=unit, source="recorded", message_id=str(at), identity=str(at).encode(),
                received_at=stamp, mode="Test", observations=observations, bed=BED, device="m",
            ),
        )  # fmt: skip


def _observation(key: str, value: float | str, at: int) -> wire.Observation:
    vital, unit = codes.by_key[key], codes.by_key[key].ucum
    if key in _MG_DL and not isinstance(value, str):
        convert = units.conversion(vital, "mg/dL")
        value, unit = convert(value), convert.unit
    return wire.Observation(
        code=vital.code, value=value, unit=unit, determined_at=at,
        origin="monitor" if key in _MEASURED else "typed",
    )  # fmt: skip
