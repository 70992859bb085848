"""Rows `alarms.vf`, `alarms.quiet` and `alarms.vt_true_lost`: lethal rhythms of real patients."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.ecg_sets import folder
from benchmarks.ktas import recordings
from benchmarks.live_rhythm import EXTREME, LETHAL, Heard, facts_at, heard, merged
from hospital_ops.ecg.files.reading import read
from hospital_ops.ecg.files.wfdb_labels import Label, read_annotations
from icu import crosscheck

Row = dict[str, Any]
_LETHAL_LABELS: Final = ("VF", "VFIB", "VFL", "VT", "ASYS")
_LONG_S: Final = 10.0
_SHORT_S: Final = 3.0
_WITHIN_S: Final = 10.0
_REST_S: Final = 30.0  # an alarm that comes back within this is the same one
_ALARM_S: Final = 300.0  # of the challenge's records: the monitor's alarm


def rows(*, quick: bool = False) -> list[Row]:
    """The rows, each left out where its sets are not in the folder."""
    return [row for row in (vf_row(), quiet_row(quick=quick), vt_row()) if row]


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
    """Episodes of ten seconds or more that rang within ten seconds, by the live path."""
    hit = total = short = short_hit = 0
    false, hours, late = 0, 0.0, []
    for path, found in _heard("vfdb", "cudb"):
        recording = read(path)
        known = episodes(
            read_annotations(path.with_suffix(".atr")), recording.rate_hz, recording.samples
        )
        lethal = np.array([each.at_s for each in found.held if each.rule in LETHAL])
        for start, stop, name in known:
            inside = bool(((lethal > start) & (lethal <= start + _WITHIN_S)).any())
            if stop - start >= _LONG_S:
                total, hit = total + 1, hit + inside
                late += [] if inside else [f"{path.name} {name} at {start:.0f} s"]
            elif stop - start >= _SHORT_S:
                short, short_hit = short + 1, short_hit + inside
        false += len(_outside(merged(found.rang, LETHAL, _REST_S), known))
        hours += recording.duration_s / 3600 - sum(b - a for a, b, _ in known) / 3600
    if not total:
        return None
    note = (
        f"curves, analysis and decision as in a unit; missed: {', '.join(late) or 'none'}; of "
        f"{short} episodes of {_SHORT_S:.0f} to {_LONG_S:.0f} s {short_hit} rang; "
        f"false alarms {false / max(hours, 1e-9):.1f} an hour"
    )
    return {"id": "alarms.vf", "value": hit / total, "limit": None, "n": total, "note": note}


def _heard(*sets: str, most: int | None = None) -> Iterator[tuple[Path, Heard]]:
    for name in sets:
        yield from heard(folder(name)[:most]).items()


def _outside(times: list[float], known: list[tuple[float, float, str]]) -> list[float]:
    """Alarms that are not in or within ten seconds of a labelled lethal rhythm."""
    return [
        at for at in times
        if not any(a - _WITHIN_S <= at <= b + _WITHIN_S for a, b, _ in known)
    ]  # fmt: skip


def quiet_row(*, quick: bool) -> Row | None:
    """Lethal alarms in 24 hours of patients without such a rhythm, by the live path."""
    false, extreme, hours, where, count = 0, 0, 0.0, [], 0
    for path, found in (*_heard("mitdb", most=3 if quick else None), *_heard("ludb")):
        recording = read(path)
        labels = path.with_suffix(".atr")
        known = (
            episodes(read_annotations(labels), recording.rate_hz, recording.samples)
            if labels.is_file()
            else []
        )
        extra = _outside(merged(found.rang, LETHAL, _REST_S), known)
        false += len(extra)
        extreme += len(_outside(merged(found.rang, EXTREME, _REST_S), known))
        where += [f"{path.name} at {at:.0f} s" for at in extra]
        hours, count = hours + recording.duration_s / 3600, count + 1
    if not hours:
        return None
    note = f"{hours:.1f} h; {', '.join(where) or 'none'}; extreme rates besides: {extreme}"
    return {
        "id": "alarms.quiet", "value": false * 24 / hours, "limit": None, "n": count,
        "note": note,
    }  # fmt: skip


def vt_row() -> Row | None:
    """True ventricular tachycardia alarms that the cross-check would have silenced."""
    home = recordings() / "challenge2015_vt"
    if not (home / "alarms.csv").is_file():
        return None
    lost = true = rejected = false = 0
    said: Counter[str] = Counter()
    with (home / "alarms.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            told = crosscheck.verdict("vt", None, None, facts_at(home / row["record"], _ALARM_S))
            word = told.word if told else ""
            dropped = word == crosscheck.FALSE
            said[f"{word} ({'true' if row['true_alarm'] == '1' else 'false'})"] += 1
            if row["true_alarm"] == "1":
                true, lost = true + 1, lost + dropped
            else:
                false, rejected = false + 1, rejected + dropped
    bound = f"{1 - 0.05 ** (1 / true):.2f}" if true and not lost else "not bounded here"
    words = ", ".join(f"{word} {count}" for word, count in sorted(said.items()))
    note = (
        f"95 % upper bound of the share {bound}; false ones called probably false {rejected} of "
        f"{false}; verdicts: {words}; shadow only, nothing is silenced"
    )
    return {"id": "alarms.vt_true_lost", "value": lost, "limit": None, "n": true, "note": note}


if __name__ == "__main__":
    for each in rows():
        print(json.dumps(each, ensure_ascii=False))
