"""WFDB records (PhysioNet): header and signal files beside it, one piece or many segments.

`read_record` gives every signal in its own unit and rate (a pleth too), `read` the ECG leads
alone in the common form, `read_annotations` the labels beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from hospital_ops.ecg.files.recording import (
    MOST_BYTES,
    EcgFileError,
    EcgRecording,
    Samples,
    check_count,
    checked,
    lead_name,
)
from hospital_ops.ecg.files.wfdb_formats import UNPACK, Integers, bytes_of, missing_mark
from hospital_ops.ecg.files.wfdb_header import MOST_HEADER_BYTES, Header, SignalSpec, parse

TO_MV: Final = {"mV": 1.0, "mv": 1.0, "MV": 1.0, "uV": 0.001, "µV": 0.001, "V": 1000.0}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WfdbSignal:
    """One signal in its own unit (as the header writes it); NaN where nothing was measured."""

    name: str
    unit: str
    rate_hz: float
    values: Samples
    step: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WfdbRecord:
    """A record: all its signals, its start (naive, as written) and its comments."""

    signals: tuple[WfdbSignal, ...]
    rate_hz: float
    started_at: datetime | None
    comments: tuple[str, ...]


def read(path: Path | str) -> EcgRecording:
    """The ECG leads of a record, in mV, from its `.hea` (or its name without the ending).

    Signals in other units or at another rate than the first lead are left out and noted.
    Errors: `EcgFileError`.
    """
    record = read_record(path)
    electric = [signal for signal in record.signals if signal.unit in TO_MV]
    if not electric:
        raise EcgFileError("not_ecg", "no signal of the record is in millivolts: not an ECG")
    rate_hz = electric[0].rate_hz
    leads: dict[str, Samples] = {}
    steps: dict[str, float] = {}
    notes = []
    for signal in record.signals:
        name = lead_name(signal.name)
        if name in leads:  # a Holter's two channels are both "ECG"
            name = f"{name} {len(leads) + 1}"
        if signal.unit not in TO_MV or signal.rate_hz != rate_hz:
            notes.append(f"left out: {name}, in {signal.unit} at {signal.rate_hz:g} Hz")
            continue
        leads[name] = signal.values * TO_MV[signal.unit]
        steps[name] = signal.step * TO_MV[signal.unit]
    return checked(
        EcgRecording(
            leads=leads,
            rate_hz=rate_hz,
            started_at=record.started_at,
            device="",
            ids={},
            source_format="WFDB",
            notes=tuple(notes),
            step_mv=steps,
        )
    )


def read_record(path: Path | str) -> WfdbRecord:
    """Every signal of a record in its own unit and rate, segments put together with gaps as NaN.

    Errors: `EcgFileError`: not there, damaged (the header's checksums must agree), hostile.
    """
    base = Path(path)
    base = base.with_suffix("") if base.suffix == ".hea" else base
    header = _header(base)
    if not header.segments:
        return _record(header, tuple(_signals(base.parent, header)))
    return _record(header, _put_together(base.parent, header))


def _record(header: Header, signals: tuple[WfdbSignal, ...]) -> WfdbRecord:
    return WfdbRecord(
        signals=signals,
        rate_hz=header.rate_hz,
        started_at=header.started_at,
        comments=header.comments,
    )


def _header(base: Path) -> Header:
    data = _bytes(base.with_name(base.name + ".hea"), MOST_HEADER_BYTES)
    return parse(data.decode("utf-8", "replace"))


def _bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as problem:
        raise EcgFileError(
            "damaged", f"a {path.suffix or 'signal'} file of the record is not there: send all"
        ) from problem
    if len(data) > most:
        raise EcgFileError("too_large", "a file of the WFDB record is too large: send a part")
    return data


def _signals(folder: Path, header: Header) -> list[WfdbSignal]:
    """The signals of a record in one piece, in the order of its header."""
    files: dict[str, list[SignalSpec]] = {}
    for spec in header.signals:
        files.setdefault(spec.file, []).append(spec)
    found: dict[int, WfdbSignal] = {}
    for name, specs in files.items():
        columns = _columns(_bytes(folder / name), specs, header.frames)
        for spec, column in zip(specs, columns, strict=True):
            found[id(spec)] = _signal(spec, column, header.rate_hz)
    return [found[id(spec)] for spec in header.signals]


def _columns(data: bytes, specs: list[SignalSpec], frames: int) -> list[Integers]:
    """The integers of each signal of one file: samples of a frame stand side by side."""
    fmt, width = specs[0].fmt, sum(spec.per_frame for spec in specs)
    if any(spec.fmt != fmt or spec.offset != specs[0].offset for spec in specs):
        raise EcgFileError("damaged", "one WFDB file in two formats: export the record again")
    data = data[specs[0].offset :]
    if not frames:  # the header may leave the length out
        frames = len(data) * 8 // max(bytes_of(fmt, 24 * width) * 8 // 24, 1)
    count = check_count(frames * width)
    if not count or len(data) < bytes_of(fmt, count):
        raise EcgFileError("damaged", "the WFDB signal file is cut: send the whole file again")
    table = UNPACK[fmt](data, count).reshape(frames, width)
    edges = np.cumsum([0, *(spec.per_frame for spec in specs)])
    return [table[:, edges[k] : edges[k + 1]].reshape(-1) for k in range(len(specs))]


def _signal(spec: SignalSpec, column: Integers, rate_hz: float) -> WfdbSignal:
    if spec.checksum is not None and (int(column.sum()) - spec.checksum) % 65536:
        raise EcgFileError("damaged", "the samples disagree with the header's checksum: send again")
    values = (column - spec.baseline) / spec.gain
    values[column == missing_mark(spec.fmt)] = np.nan
    if spec.skew:  # this signal was written that many frames late
        late = min(spec.skew * spec.per_frame, len(values))
        values = np.concatenate([values[late:], np.full(late, np.nan)])
    return WfdbSignal(
        name=spec.name,
        unit=spec.unit,
        rate_hz=rate_hz * spec.per_frame,
        values=values,
        step=abs(1 / spec.gain),
    )


def _put_together(folder: Path, header: Header) -> tuple[WfdbSignal, ...]:
    """The signals over all segments, found by name; what a segment lacks stays NaN."""
    total = sum(length for _, length in header.segments)
    whole: dict[str, WfdbSignal] = {}
    at = 0
    for name, length in header.segments:
        if name != "~" and length:
            part = _header(folder / name)
            if part.segments or part.frames > length:
                raise EcgFileError("damaged", "a WFDB segment is longer than announced")
            for signal in _signals(folder, part):
                place = whole.get(signal.name)
                if place is None:
                    check_count(total * (len(whole) + 1))
                    place = WfdbSignal(
                        name=signal.name,
                        unit=signal.unit,
                        rate_hz=signal.rate_hz,
                        values=np.full(round(total * signal.rate_hz / header.rate_hz), np.nan),
                        step=signal.step,
                    )
                    whole[signal.name] = place
                start = round(at * signal.rate_hz / header.rate_hz)
                end = start + len(signal.values)
                if place.rate_hz != signal.rate_hz or end > len(place.values):
                    raise EcgFileError("damaged", "a WFDB segment has another rate or length")
                place.values[start:end] = signal.values
        at += length
    return tuple(whole.values())
