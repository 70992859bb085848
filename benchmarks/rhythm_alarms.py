"""Rows `alarms.vf`, `alarms.quiet` and `alarms.vt_true_lost`: lethal rhythms of real patients."""

from __future__ import annotations

import csv
import json
from typing import Any, Final

import numpy as np

from benchmarks.ecg_sets import folder
from benchmarks.ktas import recordings
from hospital_ops.ecg.files.reading import read
from hospital_ops.ecg.files.recording import EcgRecording
from hospital_ops.ecg.files.wfdb_labels import Label, read_annotations
from hospital_ops.ecg.rhythm import LETHAL, Rhythm, UnitRhythm, alarm_confirmed

Row = dict[str, Any]
_LETHAL_LABELS: Final = ("VF", "VFIB", "VFL", "VT", "ASYS")
_LONG_S: Final = 10.0
_WITHIN_S: Final = 10.0
_REST_S: Final = 30.0  # an alarm that comes back within this is the same one
_ECG: Final = ("I", "II", "III", "V", "MLII", "ECG", "V1", "V2", "V5", "aVR", "aVF", "aVL")


def rows(*, quick: bool = False) -> list[Row]:
    """The rows, each left out where its sets are not in the folder."""
    return [row for row in (vf_row(), quiet_row(quick=quick), vt_row()) if row]


def rhythms(recording: EcgRecording) -> list[Rhythm]:
    """The rhythm of each second, as a unit would have heard it."""
    leads = [np.nan_to_num(values) for name, values in recording.leads.items()
             if name.startswith(_ECG)][:3]  # fmt: skip
    unit = UnitRhythm(recording.rate_hz, 1, len(leads))
    block, found = np.stack(leads), []
    step = round(30 * recording.rate_hz)
    for low in range(0, block.shape[1], step):
        found += unit.push(block[:, low : low + step])[0]
    return found


def alarms(found: list[Rhythm]) -> list[float]:
    """When a lethal alarm would sound, seconds; one that comes back soon is one."""
    times: list[float] = []
    last = -np.inf
    for each in found:
        if any(code in LETHAL for code in each.codes):
            if each.at_s - last > _REST_S:
                times.append(each.at_s)
            last = each.at_s
    return times


def episodes(labels: list[Label], rate_hz: float, end: int) -> list[tuple[float, float, str]]:
    """Labelled lethal rhythms as (from, to, which) in seconds."""
    changes = [label for label in labels if label.mark == "+"]
    found = []
    for label, after in zip(changes, [*changes[1:], None], strict=True):
        name = label.text.strip("\0").lstrip("(").split("\0")[0]
        stop = after.sample if after else end
        if name in _LETHAL_LABELS:
            found.append((label.sample / rate_hz, stop / rate_hz, name))
    return found


def vf_row() -> Row | None:
    """Episodes of ten seconds or more found within ten seconds."""
    hit = total = 0
    false, hours, late = 0, 0.0, []
    for path in (*folder("vfdb"), *folder("cudb")):
        recording = read(path)
        known = episodes(
            read_annotations(path.with_suffix(".atr")), recording.rate_hz, recording.samples
        )
        found = rhythms(recording)
        lethal = np.array([r.at_s for r in found if any(c in LETHAL for c in r.codes)])
        for start, stop, name in known:
            if stop - start >= _LONG_S:
                total += 1
                inside = ((lethal > start) & (lethal <= start + _WITHIN_S)).any()
                hit += bool(inside)
                late += [] if inside else [f"{path.name} {name} at {start:.0f} s"]
        false += len(_outside(alarms(found), known))
        hours += recording.duration_s / 3600 - sum(b - a for a, b, _ in known) / 3600
    if not total:
        return None
    note = (
        f"missed: {', '.join(late) or 'none'}; false alarms {false / max(hours, 1e-9):.1f} an hour"
    )
    return {"id": "alarms.vf", "value": hit / total, "limit": None, "n": total, "note": note}


def _outside(times: list[float], known: list[tuple[float, float, str]]) -> list[float]:
    """Alarms that are not in or within ten seconds of a labelled lethal rhythm."""
    return [
        at for at in times
        if not any(a - _WITHIN_S <= at <= b + _WITHIN_S for a, b, _ in known)
    ]  # fmt: skip


def quiet_row(*, quick: bool) -> Row | None:
    """Lethal alarms in 24 hours of patients without such a rhythm."""
    false, hours, where = 0, 0.0, []
    paths = [*folder("mitdb")[: 3 if quick else None], *folder("ludb")]
    for path in paths:
        recording = read(path)
        labels = path.with_suffix(".atr")
        known = (
            episodes(read_annotations(labels), recording.rate_hz, recording.samples)
            if labels.is_file()
            else []
        )
        extra = _outside(alarms(rhythms(recording)), known)
        false += len(extra)
        where += [f"{path.name} at {at:.0f} s" for at in extra]
        hours += recording.duration_s / 3600
    if not hours:
        return None
    note = f"{hours:.1f} h; {', '.join(where) or 'none'}"
    return {
        "id": "alarms.quiet", "value": false * 24 / hours, "limit": None, "n": len(paths),
        "note": note,
    }  # fmt: skip


def vt_row() -> Row | None:
    """True ventricular tachycardia alarms that the cross-check would have silenced."""
    home = recordings() / "challenge2015_vt"
    if not (home / "alarms.csv").is_file():
        return None
    lost = true = rejected = false = 0
    with (home / "alarms.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            kept = alarm_confirmed(_before(read(home / row["record"])))
            if row["true_alarm"] == "1":
                true, lost = true + 1, lost + (not kept)
            else:
                false, rejected = false + 1, rejected + (not kept)
    bound = 1 - 0.05 ** (1 / true) if true and not lost else float("nan")
    note = f"95 % upper bound of the share {bound:.2f}; false ones rejected {rejected} of {false}"
    return {"id": "alarms.vt_true_lost", "value": lost, "limit": None, "n": true, "note": note}


def _before(recording: EcgRecording) -> tuple[list[Any], float]:
    """The ECG leads of the ten seconds before the alarm at five minutes."""
    rate = recording.rate_hz
    low, high = round(290 * rate), round(300 * rate)
    names = [name for name in recording.leads if name.startswith(_ECG)]
    return [np.nan_to_num(recording.leads[name][low - round(20 * rate) : high])
            for name in names], rate  # fmt: skip


if __name__ == "__main__":
    for each in rows():
        print(json.dumps(each, ensure_ascii=False))
