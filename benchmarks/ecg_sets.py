"""Recorded ECGs with what people labelled on them, and how found beats are scored against it."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.ktas import recordings
from hospital_ops.ecg.files.reading import read
from hospital_ops.ecg.files.wfdb_labels import Label, read_annotations

Array = np.ndarray[Any, Any]
WINDOW_S: Final = 0.15
BEATS: Final = frozenset("NLRBAaJSVrFejnE/fQ?")
MITDB_FROM_S: Final = 300.0
QUALITY_STEP_MV: Final = 0.005


@dataclass(slots=True)
class Record:
    """One lead with its labelled beats; `spans` are the seconds in which beats are scored."""

    name: str
    lead: Array
    rate_hz: float
    beats: Array
    start: int = 0
    left_out: list[tuple[int, int]] = field(default_factory=list)


def folder(name: str) -> list[Path]:
    """The headers of a set, without their ending; none where the folder lacks the set."""
    return sorted(path.with_suffix("") for path in (recordings() / name).glob("*.hea"))


def beat_records(name: str) -> list[Record]:
    """Every record of a set of beats: mitdb, ludb (lead II), cpsc2021_af, nstdb_118_excerpt."""
    if name == "nstdb_118_excerpt":
        return [_text(path) for path in sorted((recordings() / name).glob("*[0-9].csv"))]
    return [_ludb(path) if name == "ludb" else _wfdb(path, name) for path in folder(name)]


def _text(path: Path) -> Record:
    labels = np.loadtxt(path.with_name(path.stem + "_ann.csv"), ndmin=1)
    return Record(path.stem, np.loadtxt(path), 360.0, labels.astype(int))


def _wfdb(path: Path, name: str) -> Record:
    recording = read(path)
    labels = read_annotations(path.with_suffix(".atr"))
    rate = recording.rate_hz
    start = round(MITDB_FROM_S * rate) if name == "mitdb" else 0
    beats = np.array([label.sample for label in labels if label.mark in BEATS], dtype=int)
    lead = np.nan_to_num(next(iter(recording.leads.values())))
    return Record(path.name, lead, rate, beats, start, _flutter(labels))


def _flutter(labels: list[Label]) -> list[tuple[int, int]]:
    """Ventricular flutter between [ and ]: no beats are labelled there, none are scored."""
    found: list[tuple[int, int]] = []
    begun: int | None = None
    for label in labels:
        if label.mark == "[":
            begun = label.sample
        elif label.mark == "]" and begun is not None:
            found.append((begun, label.sample))
            begun = None
    return found


def _ludb(path: Path) -> Record:
    recording = read(path)
    beats = np.array([label.sample for label in ludb_labels(path, "II") if label.mark == "N"])
    reach = round(WINDOW_S * recording.rate_hz)
    whole = len(recording.leads["II"])
    # First and last beats are not labelled: only what lies between the labels is scored.
    outside = [(-1, int(beats.min()) - reach), (int(beats.max()) + reach, whole)]
    return Record(path.name, recording.leads["II"], recording.rate_hz, beats, 0, outside)


def ludb_labels(path: Path, lead: str) -> list[Label]:
    """The labels of one lead of a LUDB record."""
    return read_annotations(path.with_suffix(f".{lead.lower()}"))


def ludb_words(path: Path) -> tuple[float, str, str]:
    """Age in years, sex and the diagnoses of a LUDB record."""
    lines = [
        line.lstrip("# ").strip()
        for line in path.with_suffix(".hea").read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    ]
    values = dict(line.split(":", 1) for line in lines if line.startswith("<"))
    return float(values["<age>"]), values["<sex>"].strip(), " ".join(lines)


def quality_records() -> list[tuple[dict[str, Array], bool]]:
    """The leads (mV) of each record of challenge2011_quality, and whether it is acceptable."""
    home = recordings() / "challenge2011_quality"
    names = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
    if not (home / "labels.csv").is_file():
        return []
    found = []
    with (home / "labels.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            with gzip.open(home / f"{row['record']}.txt.gz", "rt") as text:
                table = np.loadtxt(text, delimiter=",")[:, 1:] * QUALITY_STEP_MV
            leads = dict(zip(names, table.T, strict=False))
            found.append((leads, row["quality"] == "acceptable"))
    return found


def counted(record: Record, found: Array) -> tuple[int, int, int]:
    """Right, extra and missed beats within 150 ms, one to one in order of time."""
    labelled, told = (_scored(record, np.sort(each)) for each in (record.beats, found))
    reach = WINDOW_S * record.rate_hz
    right = first = second = 0
    while first < len(labelled) and second < len(told):
        apart = told[second] - labelled[first]
        if abs(apart) <= reach:
            right, first, second = right + 1, first + 1, second + 1
        elif apart < 0:
            second += 1
        else:
            first += 1
    return right, len(told) - right, len(labelled) - right


def _scored(record: Record, beats: Array) -> Array:
    chosen = beats[beats >= record.start]
    for low, high in record.left_out:
        chosen = chosen[(chosen < low) | (chosen > high)]
    return chosen


def f1(counts: list[tuple[int, int, int]]) -> float:
    """F1 in per cent over all beats of a set."""
    right, extra, missed = (sum(each) for each in zip(*counts, strict=True))
    return float(200 * right / max(2 * right + extra + missed, 1))
