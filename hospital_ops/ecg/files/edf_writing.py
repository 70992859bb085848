"""EDF+ written with library edfio: continuous, without a name, gaps as annotations. Pure.

EDF+ has no value for "nothing was measured": a gap is the lowest value of its signal, and an
annotation `no samples: NAME` says from when and for how long.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import numpy as np
from edfio import Edf, EdfAnnotation, EdfSignal, Patient, Recording
from numpy.typing import NDArray

from hospital_ops.ecg.files.traces import Trace, gaps
from hospital_ops.errors import MessageError
from hospital_ops.waveform import NO_SAMPLE

LONGEST_RECORD_S: Final = 60
LOWEST, HIGHEST = -32768, 32767
MOST_GAPS: Final = 2000  # annotations; more of them than that are no recording


def write(traces: Sequence[Trace], started_at: datetime, mode: str) -> bytes:
    """One EDF+C file; `started_at` is a whole second and is written as it is.

    MessageError `not_edf` where EDF+ cannot say a rate, a scale, or so many gaps.
    """
    record_s = _record_s({trace.rate_hz for trace in traces})
    longest_s = max(len(trace.samples) / trace.rate_hz for trace in traces)
    records = -(-round(longest_s * 1_000_000) // (record_s * 1_000_000))
    notes = [EdfAnnotation(0.0, None, f"mode {mode}")]
    signals = []
    for trace in traces:
        samples = trace.samples[: records * round(record_s * trace.rate_hz)]
        short = records * round(record_s * trace.rate_hz) - len(samples)
        signals.append(_signal(trace, np.pad(samples, (0, short), constant_values=NO_SAMPLE)))
        notes += [
            EdfAnnotation(first / trace.rate_hz, count / trace.rate_hz, f"no samples: {trace.name}")
            for first, count in gaps(trace)
        ]
    if len(notes) > MOST_GAPS:
        raise MessageError("not_edf", "too many gaps for EDF+: ask for less time, or for wfdb")
    recording = Recording(
        startdate=started_at.date(), equipment_code="Hospital_Ops", additional=(mode,)
    )
    return Edf(
        signals,
        patient=Patient(),
        recording=recording,
        starttime=started_at.time(),
        data_record_duration=record_s,
        annotations=notes,
    ).to_bytes()


def _record_s(rates: set[float]) -> int:
    """The shortest data record, in seconds, that holds whole samples of every rate."""
    for seconds in range(1, LONGEST_RECORD_S + 1):
        if all(abs(rate * seconds - round(rate * seconds)) < 1e-9 for rate in rates):
            return seconds
    raise MessageError("not_edf", "the rate of a curve cannot be written as EDF+: ask for wfdb")


def _signal(trace: Trace, samples: NDArray[np.int16]) -> EdfSignal:
    """A signal whose range is that of all its steps, as far as eight characters can say it."""
    low, high = (step * abs(trace.scale) + trace.offset for step in (LOWEST, HIGHEST))
    values = samples.astype(np.float64) * trace.scale + trace.offset
    values[samples == NO_SAMPLE] = low
    refused = f"{trace.name} cannot be written as EDF+: ask for wfdb"
    try:
        signal = EdfSignal(
            values,
            trace.rate_hz,
            label=trace.name,
            physical_dimension=trace.unit.replace("µ", "u"),
            physical_range=(low, high),
            digital_range=(LOWEST, HIGHEST),
        )
    except ValueError as problem:
        raise MessageError("not_edf", refused) from problem
    step = (signal.physical_max - signal.physical_min) / (HIGHEST - LOWEST)
    if not abs(step / abs(trace.scale) - 1) < 0.01:
        raise MessageError("not_edf", refused)
    return signal
