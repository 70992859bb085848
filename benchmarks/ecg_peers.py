"""The open detectors and the delineator that ours is compared with, in a process of their own.

Run by an interpreter that has wfdb, neurokit2 and sleepecg (`HOSPITAL_OPS_PEERS`): lines of JSON
in (`{"file": NPY of one lead in mV, "rate": Hz, "peer": name}`), one line of JSON out for each.
It imports nothing of the house, so the interpreter needs nothing of it.
"""

from __future__ import annotations

import json
import sys
import warnings
from time import perf_counter
from typing import Any, Final

import neurokit2
import numpy as np
import sleepecg
from wfdb import processing

Samples = list[int]
WAVES: Final = {
    "p_on": "ECG_P_Onsets",
    "p_off": "ECG_P_Offsets",
    "qrs_on": "ECG_R_Onsets",
    "qrs_off": "ECG_R_Offsets",
    "t_off": "ECG_T_Offsets",
}


def _neurokit(lead: Any, rate: float, method: str) -> Any:
    clean = neurokit2.ecg_clean(lead, sampling_rate=int(rate), method=method)
    return neurokit2.ecg_peaks(clean, sampling_rate=int(rate), method=method)[1]["ECG_R_Peaks"]


def _xqrs(lead: Any, rate: float) -> Any:
    detector = processing.XQRS(sig=lead, fs=rate)
    detector.detect(verbose=False)
    return detector.qrs_inds


PEERS: Final[dict[str, Any]] = {
    "wfdb gqrs": lambda lead, rate: processing.gqrs_detect(sig=lead, fs=rate),
    "wfdb xqrs": _xqrs,
    "neurokit2": lambda lead, rate: _neurokit(lead, rate, "neurokit"),
    "neurokit2 pantompkins": lambda lead, rate: _neurokit(lead, rate, "pantompkins1985"),
    "neurokit2 kalidas": lambda lead, rate: _neurokit(lead, rate, "kalidas2017"),
    "sleepecg": lambda lead, rate: sleepecg.detect_heartbeats(lead, rate),
}


def delineate(lead: Any, rate: float) -> dict[str, Samples]:
    """Wave borders of one lead by neurokit2's dwt, sample numbers by our names."""
    clean = neurokit2.ecg_clean(lead, sampling_rate=int(rate))
    peaks = neurokit2.ecg_peaks(clean, sampling_rate=int(rate))[1]["ECG_R_Peaks"]
    _, waves = neurokit2.ecg_delineate(clean, peaks, sampling_rate=int(rate), method="dwt")
    return {
        name: [int(value) for value in waves[key] if value == value] for name, key in WAVES.items()
    }


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """What the peer found, or its error in words: some end with one on short or flat leads."""
    lead, rate = np.load(asked["file"]), asked["rate"]
    start = perf_counter()
    try:
        if asked["peer"] == "neurokit2 dwt":
            return {"waves": delineate(lead, rate)}
        beats = [int(beat) for beat in PEERS[asked["peer"]](lead, rate)]
    except (ValueError, IndexError, ZeroDivisionError, TypeError, KeyError) as problem:
        return {"error": f"{type(problem).__name__}: {problem}", "beats": [], "waves": {}}
    return {"beats": beats, "seconds": perf_counter() - start}


def main() -> None:
    """Answer every line of standard input."""
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
