"""A recording as compact integers for the wire and the archive, without losing a step.

value in mV = sample * scale + offset; -32768 says that nothing was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from hospital_ops.ecg.files.recording import EcgRecording, Samples
from hospital_ops.waveform import NO_SAMPLE
from hospital_ops.wire import EcgLead

_LARGEST: Final = 32767
_FINEST_MV: Final = 0.001  # where a file does not say its step: finer than any recorder
PREVIEW_HZ: Final = 100
PREVIEW_S: Final = 2.5


def packed(recording: EcgRecording) -> tuple[EcgLead, ...]:
    """Every lead as int16: the recorder's own steps where they fit, else the finest that fit."""
    return tuple(
        _packed(name, values, recording.step_mv.get(name, 0.0))
        for name, values in recording.leads.items()
    )


def unpacked(lead: EcgLead) -> list[float | None]:
    """The samples in millivolts, None where nothing was measured."""
    numbers = np.frombuffer(lead.samples, "<i2")
    values = np.round(numbers * lead.scale + lead.offset, 6).tolist()
    return [None if n == NO_SAMPLE else v for n, v in zip(numbers.tolist(), values, strict=True)]


def recorded(
    leads: Sequence[EcgLead], rate_hz: float, low_cut_hz: float | None = None
) -> EcgRecording:
    """The curves of packed leads as a recording of nobody; NaN where nothing was measured."""
    curves = {
        lead.name: np.array([np.nan if mv is None else mv for mv in unpacked(lead)], np.float64)
        for lead in leads
    }
    return EcgRecording(
        leads=curves, rate_hz=rate_hz, started_at=None, device="", ids={}, source_format="packed",
        low_cut_hz=low_cut_hz,
    )  # fmt: skip


def preview(leads: Sequence[EcgLead], rate_hz: float) -> tuple[int, ...]:
    """The first 2.5 s of lead II (else of the first lead) at 100 Hz, in hundredths of a mV.

    Of each hundredth of a second the sample that stands out most, so that no spike is lost.
    """
    chosen = next((lead for lead in leads if lead.name == "II"), leads[0])
    numbers = np.frombuffer(chosen.samples, "<i2")[: round(PREVIEW_S * rate_hz)]
    values = np.where(numbers == NO_SAMPLE, 0.0, numbers * chosen.scale + chosen.offset)
    values = values - np.median(values)
    step = max(rate_hz / PREVIEW_HZ, 1.0)
    edges = np.arange(0, len(values), step).astype(int)
    parts = np.split(values, edges[1:])
    picked = [part[np.abs(part).argmax()] for part in parts if len(part)]
    return tuple(np.clip(np.rint(np.array(picked) * 100), -2000, 2000).astype(int).tolist())


def _packed(name: str, values: Samples, step_mv: float) -> EcgLead:
    real = np.isfinite(values)
    step = step_mv or _FINEST_MV
    known = values[real]
    offset = float(known[0] - np.rint(known[0] / step) * step) if len(known) else 0.0
    offset = 0.0 if abs(offset) < step * 1e-6 else offset
    numbers = np.zeros(len(values))
    numbers[real] = np.rint((known - offset) / step)
    most = float(np.abs(numbers).max(initial=0.0))
    if most > _LARGEST:  # a lead that lies far from zero: from its middle, in steps that fit
        offset = float((known.max() + known.min()) / 2)
        step = max(step, float(known.max() - known.min()) / (2 * _LARGEST))
        numbers[real] = np.rint((known - offset) / step)
    numbers[~real] = NO_SAMPLE
    return EcgLead(name, step, offset, numbers.astype("<i2").tobytes())
