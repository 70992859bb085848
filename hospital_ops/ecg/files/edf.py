"""EDF and EDF+ (Kemp 1992, Kemp and Olivan 2003): continuous recordings of equal rate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from hospital_ops.ecg.files.recording import (
    MOST_LEADS,
    EcgFileError,
    EcgRecording,
    Samples,
    check_count,
    checked,
    lead_name,
    low_cut,
)

_HEAD, _PER_SIGNAL = 256, 256
_MV: Final = {"uV": 0.001, "µV": 0.001, "mV": 1.0, "V": 1000.0}
_HIGH_PASS: Final = re.compile(r"\bHP:\s*([\d.]{1,8})\s*Hz", re.IGNORECASE)  # of `prefiltering`
_ANNOTATIONS: Final = "EDF Annotations"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signal:
    label: str
    unit: str
    low: float
    high: float
    digital_low: int
    digital_high: int
    per_record: int
    low_cut_hz: str


def read(data: bytes) -> EcgRecording:
    """Every channel in volts at the rate of the first one. Errors: `EcgFileError`."""
    try:
        return _read(data)
    except (ValueError, OverflowError, ZeroDivisionError, IndexError) as problem:
        raise EcgFileError("damaged", "the EDF header is broken: export again") from problem


def _read(data: bytes) -> EcgRecording:
    head = data[:_HEAD].decode("latin-1")
    count = int(head[252:256])
    if not 0 < count <= 4 * MOST_LEADS:
        raise EcgFileError("hostile", f"the EDF header announces {count} signals: not an ECG")
    if head[192:197] == "EDF+D":
        raise EcgFileError("refused", "the EDF+ recording has gaps (EDF+D): export it continuous")
    signals = _signals(data[_HEAD : _HEAD + count * _PER_SIGNAL].decode("latin-1"), count)
    width = sum(signal.per_record for signal in signals)
    start, records = _HEAD + count * _PER_SIGNAL, int(head[236:244])
    notes: list[str] = []
    held = (len(data) - start) // (2 * width)
    if held < records or records < 1:
        if records != -1:  # -1: the recorder was still writing
            raise EcgFileError("damaged", "the EDF file is cut: send the whole file again")
        records = held
    table = np.frombuffer(data, "<i2", check_count(records * width), start).reshape(-1, width)
    leads, steps, rate = _leads(table, signals, notes)
    return checked(
        EcgRecording(
            leads=leads,
            rate_hz=rate / float(head[244:252]),
            started_at=_started_at(head),
            device="",
            ids={"patient": head[8:88].strip()},
            source_format="EDF+" if head[192:196] == "EDF+" else "EDF",
            notes=tuple(notes),
            step_mv=steps,
            low_cut_hz=low_cut(s.low_cut_hz for s in signals if lead_name(s.label) in leads),
        )
    )


def _leads(
    table: Samples, signals: list[_Signal], notes: list[str]
) -> tuple[dict[str, Samples], dict[str, float], int]:
    leads: dict[str, Samples] = {}
    steps: dict[str, float] = {}
    at = rate = 0
    for signal in signals:
        values = table[:, at : at + signal.per_record].reshape(-1)
        at += signal.per_record
        if signal.label == _ANNOTATIONS:
            continue
        if signal.unit not in _MV or (rate and signal.per_record != rate):
            notes.append(f"left out: {lead_name(signal.label)}, in {signal.unit or 'no unit'}")
            continue
        rate = signal.per_record
        step = (signal.high - signal.low) / (signal.digital_high - signal.digital_low)
        name = lead_name(signal.label)
        name = f"{name} {len(leads) + 1}" if name in leads else name
        to_mv = _MV[signal.unit]
        leads[name] = ((values - float(signal.digital_low)) * step + signal.low) * to_mv
        steps[name] = abs(step) * to_mv
    return leads, steps, rate


def _signals(text: str, count: int) -> list[_Signal]:
    """The columns of the header: each kind of field for all signals, then the next kind."""
    widths = (16, 80, 8, 8, 8, 8, 8, 80, 8, 32)
    columns, at = [], 0
    for width in widths:
        block = text[at : at + width * count]
        columns.append([block[k * width : (k + 1) * width].strip() for k in range(count)])
        at += width * count
    label, _, unit, low, high, digital_low, digital_high, filters, per_record, _ = columns
    signals = [
        _Signal(
            label=label[k],
            unit=unit[k],
            low=float(low[k]),
            high=float(high[k]),
            digital_low=int(digital_low[k]),
            digital_high=int(digital_high[k]),
            per_record=int(per_record[k]),
            low_cut_hz=found[1] if (found := _HIGH_PASS.search(filters[k])) else "",
        )
        for k in range(count)
    ]
    if any(not 0 < signal.per_record < 1_000_000 for signal in signals):
        raise ValueError("samples per record")
    return signals


def _started_at(head: str) -> datetime | None:
    """The start, naive; two digits of the year turn at 1985, as EDF says."""
    try:
        day, month, year = (int(part) for part in head[168:176].split("."))
        hour, minute, second = (int(part) for part in head[176:184].split("."))
        return datetime(year + (1900 if year >= 85 else 2000), month, day, hour, minute, second)
    except ValueError:
        return None
