"""`bench ecg`: beats, speed, delineation, infarction, quality, beside the open programs.

The peers run in a process of their own (`benchmarks/ecg_peers.py`), by the interpreter that
HOSPITAL_OPS_PEERS names or by this one where they are installed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

import numpy as np

from benchmarks import ecg_sets
from benchmarks.ecg_sets import Array, Record, beat_records, counted, f1
from hospital_ops.ecg.beats import detect
from hospital_ops.ecg.delineate import borders, usual_beat
from hospital_ops.ecg.files.reading import read
from hospital_ops.ecg.quality import judge
from hospital_ops.ecg.rhythm import UnitRhythm
from hospital_ops.ecg.synthetic import twelve_leads
from hospital_ops.ecg.twelve import analyse

Row = dict[str, Any]
SETS: Final = ("mitdb", "ludb", "cpsc2021_af", "nstdb_118_excerpt")
PEERS: Final = (
    "wfdb gqrs",
    "wfdb xqrs",
    "neurokit2",
    "neurokit2 pantompkins",
    "neurokit2 kalidas",
    "sleepecg",
)
WAVES: Final = ("p_on", "p_off", "qrs_on", "qrs_off", "t_off")
CSE_2SD_MS: Final = {"p_on": 10.2, "p_off": 12.7, "qrs_on": 6.5, "qrs_off": 11.6, "t_off": 30.6}
INFARCTION: Final = ("stemi_criteria", "acute_ischaemia", "posterior_mi", "de_winter",
                     "left_main_pattern", "sgarbossa_modified")  # fmt: skip
_NO_PEERS: Final = "peers missing: install the extra `bench`, or name their python in "
_COUNTED: Final[dict[tuple[str, bool], dict[str, dict[str, Any]]]] = {}


class Peers:
    """The other programs, asked one lead at a time."""

    def __init__(self, process: subprocess.Popen[str], home: Path) -> None:
        self._process, self._file = process, home / "lead.npy"

    def ask(self, lead: Array, rate_hz: float, peer: str) -> dict[str, Any]:
        """What the peer answers for a lead; it may be an error in words."""
        np.save(self._file, np.ascontiguousarray(lead, dtype=float))
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        to.write(json.dumps({"file": str(self._file), "rate": rate_hz, "peer": peer}) + "\n")
        to.flush()
        answer: dict[str, Any] = json.loads(back.readline())
        return answer


@contextmanager
def peers() -> Iterator[Peers | None]:
    """The peers' process; None where no interpreter has them."""
    python = os.environ.get("HOSPITAL_OPS_PEERS")
    if not python and all(importlib.util.find_spec(n) for n in ("wfdb", "neurokit2", "sleepecg")):
        python = sys.executable
    if not python or not Path(python).exists():
        yield None
        return
    script = Path(__file__).with_name("ecg_peers.py")
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(
            [python, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            yield Peers(process, Path(home))
        finally:
            process.terminate()
            process.wait(10)


def rows(*, quick: bool = False) -> list[Row]:
    """Every row of bench `ecg`: id, value, limit (the peer), n, note."""
    with peers() as others:
        found = [row for name in SETS if (row := f1_row(name, others, quick=quick))]
        speed, borders_found = speed_row(others, quick=quick), delineation_row(others)
        found += [row for row in (speed, stream_row(quick=quick), borders_found) if row]
    return [row for row in (*found, *infarction_rows(), quality_row()) if row]


def _row(name: str, value: float, n: int, note: str, limit: float | None = None) -> Row:
    return {"id": f"ecg.{name}", "value": value, "limit": limit, "n": n, "note": note}


def by_record(name: str, others: Peers | None, *, quick: bool) -> dict[str, dict[str, Any]]:
    """Counts (right, extra, missed) of each program for each record of a set; kept once made."""
    if (name, quick) in _COUNTED:
        return _COUNTED[name, quick]
    records = beat_records(name)[:2] if quick and name == "mitdb" else beat_records(name)
    found: dict[str, dict[str, Any]] = {"ours": {}}
    for record in records:
        found["ours"][record.name] = counted(record, detect(record.lead, record.rate_hz))
        for peer in PEERS if others else ():
            told = others.ask(record.lead, record.rate_hz, peer)["beats"] if others else []
            found.setdefault(peer, {})[record.name] = counted(record, np.array(told, dtype=int))
    _COUNTED[name, quick] = found
    return found


def f1_row(name: str, others: Peers | None, *, quick: bool) -> Row | None:
    """F1 of a set beside the best peer on the same records."""
    found = by_record(name, others, quick=quick)
    if not found["ours"]:
        return None
    scores = {program: f1(list(counts.values())) for program, counts in found.items()}
    ours = scores.pop("ours")
    words = ", ".join(f"{peer} {value:.2f}" for peer, value in scores.items())
    note = words or _NO_PEERS + "HOSPITAL_OPS_PEERS"
    beats = sum(right + missed for right, _, missed in found["ours"].values())
    return _row(f"f1_{name}", ours, beats, note, max(scores.values(), default=None))


def speed_row(others: Peers | None, *, quick: bool) -> Row | None:
    """Times real time on one lead, median of rounds, beside sleepecg's C back end."""
    records = beat_records("mitdb")[:2] or beat_records("cpsc2021_af")[:2]
    if not records:
        return None
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(3 if quick else 7):
        for record in records:
            seconds = len(record.lead) / record.rate_hz
            start = perf_counter()
            detect(record.lead, record.rate_hz)
            ours.append(seconds / (perf_counter() - start))
            if others:
                answer = others.ask(record.lead, record.rate_hz, "sleepecg")
                theirs.append(seconds / answer["seconds"])
    note = "times real time" if others else _NO_PEERS + "HOSPITAL_OPS_PEERS"
    return _row("speed", median(ours), len(ours), note, median(theirs) if theirs else None)


def stream_row(*, quick: bool) -> Row:
    """CPU share of one core for 100 beds x 3 leads x 250 Hz in chunks of half a second."""
    beds, leads, rate = 100, 3, 250
    records = beat_records("mitdb") or beat_records("cpsc2021_af") or [_invented()]
    length = (40 if quick else 100) * rate
    some = []
    for number in range(beds * leads):
        record = records[number % len(records)]
        at = (np.arange(length) + number * 997) * (record.rate_hz / rate) % (len(record.lead) - 1)
        some.append(record.lead[at.astype(int)])
    block = np.stack(some)
    unit = UnitRhythm(rate, beds, leads)
    unit.push(block[:, : 12 * rate])  # the first seconds are not the usual ones
    start, step = process_time(), rate // 2
    for low in range(12 * rate, length, step):
        unit.push(block[:, low : low + step])
    share = (process_time() - start) / (length / rate - 12)
    return _row("stream", share, beds * leads, "beats, rhythm and lead state; chunks of 0.5 s")


def _invented() -> Record:
    lead = np.array(twelve_leads(80, 60, 250)["II"]) / 1000
    return Record("invented", lead, 250.0, np.empty(0, dtype=int))


def delineation_row(others: Peers | None) -> Row | None:
    """The mean of five standard deviations on LUDB lead II, ms, beside neurokit2 dwt."""
    ours: dict[str, list[float]] = {wave: [] for wave in WAVES}
    theirs: dict[str, list[float]] = {wave: [] for wave in WAVES}
    records = ecg_sets.folder("ludb")
    for path in records:
        recording = read(path)
        rate, lead = recording.rate_hz, recording.leads["II"]
        labelled = _labelled(path)
        _errors(ours, labelled, _own_borders(lead, rate), rate)
        if others:
            _errors(theirs, labelled, others.ask(lead, rate, "neurokit2 dwt")["waves"], rate)
    if not records:
        return None
    spread = {wave: float(np.std(errors)) for wave, errors in ours.items()}
    peer = {wave: float(np.std(errors)) for wave, errors in theirs.items() if errors}
    note = "; ".join(
        f"{wave} SD {spread[wave]:.1f} ms (peer {peer.get(wave, float('nan')):.1f}, "
        f"CSE 2 SD {CSE_2SD_MS[wave]}), found {len(ours[wave])}, peer {len(theirs[wave])}"
        for wave in WAVES
    )
    limit = float(np.mean(list(peer.values()))) if peer else None
    return _row("delineation", float(np.mean(list(spread.values()))), len(records), note, limit)


def _own_borders(lead: Array, rate: float) -> dict[str, list[int]]:
    beats = detect(lead, rate)
    if len(beats) < 2:
        return {}
    usual = usual_beat(lead, rate, beats)
    found = borders(usual, float(np.median(np.diff(beats))) / rate) if usual else None
    if usual is None or found is None:
        return {}
    offsets = {wave: getattr(found, wave) for wave in WAVES}
    return {w: [int(at) + o for at in usual.at] for w, o in offsets.items() if o is not None}


def _labelled(path: Path) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {wave: [] for wave in WAVES}
    labels = ecg_sets.ludb_labels(path, "II")
    for before, label, after in zip([None, *labels[:-1]], labels, [*labels[1:], None], strict=True):
        wave = {"p": "p", "N": "qrs", "t": "t"}.get(label.mark)
        if wave and before and before.mark == "(" and wave != "t":
            found[f"{wave}_on"].append(before.sample)
        if wave and after and after.mark == ")":
            found[f"{wave}_off"].append(after.sample)
    return found


def _errors(
    into: dict[str, list[float]], labelled: dict[str, list[int]], told: dict[str, Any], rate: float
) -> None:
    for wave, samples in labelled.items():
        places = np.array(told.get(wave, []), dtype=float)
        for sample in samples if len(places) else ():
            apart = (places - sample)[np.abs(places - sample).argmin()] / rate
            if abs(apart) <= ecg_sets.WINDOW_S:
                into[wave].append(apart * 1000)


def infarction_rows() -> list[Row]:
    """STEMI records of LUDB not flagged, and others flagged."""
    missed, false, ill, well = [], [], 0, 0
    for path in ecg_sets.folder("ludb"):
        age, sex, words = ecg_sets.ludb_words(path)
        recording = read(path)
        answer = analyse(dict(recording.leads), recording.rate_hz, age_years=age, sex=sex)
        flagged = any(
            each["state"] == "found" and each["code"] in INFARCTION for each in answer["findings"]
        )
        if "STEMI:" in words.replace("NSTEMI:", ""):
            ill += 1
            missed += [] if flagged else [path.name]
        elif not any(word in words for word in ("schemi", "NSTEMI", "Scar")):
            well += 1
            false += [path.name] if flagged else []
    if not ill + well:
        return []
    note = "by shape (QS with inverted T or plateau): the set's gains differ from lead to lead"
    return [
        _row("stemi_missed", len(missed), ill, f"{note}; missed: {', '.join(missed) or 'none'}"),
        _row("stemi_false", len(false), well, f"flagged: {', '.join(false) or 'none'}"),
    ]


def quality_row() -> Row | None:
    """AUROC of the quality score, acceptable or not."""
    found = [(judge(leads, 500).score, good) for leads, good in ecg_sets.quality_records()]
    bad = np.array([score for score, good in found if not good])
    good = np.array([score for score, good in found if good])
    if not len(bad) or not len(good):
        return None
    above = (bad[:, None] > good[None, :]).mean() + (bad[:, None] == good[None, :]).mean() / 2
    return _row("quality", float(above), len(found), "few records; limits chosen on the same")


if __name__ == "__main__":
    for each in rows(quick="--quick" in sys.argv):
        print(json.dumps(each, ensure_ascii=False))
