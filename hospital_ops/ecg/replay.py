"""A recorded patient as curves to be played: any WFDB record, whole, at its own rates.

Nothing is stretched to fit another heart rate: the rate that belongs to the curve is counted from
its own beats.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from hospital_ops.clinical.tables import table
from hospital_ops.ecg import beats
from hospital_ops.ecg.files.recording import lead_name
from hospital_ops.ecg.files.wfdb import TO_MV, WfdbSignal, read_record
from hospital_ops.ecg.synthetic import Loop
from hospital_ops.waveform import NO_SAMPLE

WINDOW_S: Final = 8  # of beats from which a rate is told, as bedside monitors do
FEWEST_BEATS: Final = 3
_TOP: Final = 32767
# MLII and MCL1 are the monitoring forms of II and V1.
_LEADS: Final = {str(row["lead"]): str(row["mdc"]) for row in table("codes")["ecg_leads"]} | {
    "MLII": "131330",
    "MCL1": "131331",
    "V": "131331",
}
_OTHERS: Final = {"PLETH": "150452", "RESP": "151552", "ABP": "150036", "ART": "150036"}
_UNITS: Final = {"mmHg": "mm[Hg]", "NU": "1"}


class Recorded(NamedTuple):
    """The curves of a record by code, and the heart rate of each of its seconds."""

    curves: dict[str, Loop]
    heart_per_min: tuple[int | None, ...]  # None: too few beats to tell


def recorded(path: Path | str) -> Recorded:
    """A WFDB record (`.hea`, or its name without the ending) as curves; raises `EcgFileError`."""
    curves: dict[str, Loop] = {}
    rates: tuple[int | None, ...] = ()
    for signal in read_record(path).signals:
        name = lead_name(signal.name)
        code = _LEADS.get(name) or _OTHERS.get(name.upper()) or name
        if code in curves or signal.rate_hz < 10:
            continue  # a second channel of the same name; numerics are no curve
        curves[code] = _loop(signal)
        if signal.unit in TO_MV and not rates:
            rates = _rates(signal)
    return Recorded(curves, rates)


def _loop(signal: WfdbSignal) -> Loop:
    factor = TO_MV.get(signal.unit, 1.0)
    values = signal.values * factor
    top = float(np.nanmax(np.abs(values), initial=0.0))
    # The stored step where it fits 16 bits, so that the curve keeps every bit of the recording.
    step = max(signal.step * factor, top / _TOP) or 1.0
    unit = "mV" if signal.unit in TO_MV else _UNITS.get(signal.unit, signal.unit or "1")
    return Loop(_int16(values / step), signal.rate_hz, step, 0.0, unit)


def _int16(values: Any) -> bytes:
    whole = np.clip(np.rint(np.nan_to_num(values)), -_TOP, _TOP).astype("<i2")
    whole[np.isnan(values)] = NO_SAMPLE
    samples: bytes = whole.tobytes()
    return samples


def _rates(signal: WfdbSignal) -> tuple[int | None, ...]:
    lead = signal.values * TO_MV[signal.unit]
    at_s = np.asarray(beats.detect(lead, signal.rate_hz)) / signal.rate_hz
    rates: list[int | None] = []
    for second in range(int(len(lead) / signal.rate_hz)):
        recent = at_s[(at_s > second + 1 - WINDOW_S) & (at_s <= second + 1)]
        told = len(recent) >= FEWEST_BEATS
        rates.append(round(60 / float(np.diff(recent).mean())) if told else None)
    return tuple(rates)
