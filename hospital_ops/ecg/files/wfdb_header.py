"""The header of a WFDB record (PhysioNet, header(5)): text in, what it says out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hospital_ops.ecg.files.recording import MOST_LEADS, EcgFileError, check_count
from hospital_ops.ecg.files.wfdb_formats import UNPACK

MOST_HEADER_BYTES: Final = 256 * 1024
MOST_SEGMENTS: Final = 2000
DEFAULT_RATE_HZ: Final = 250.0  # header(5): a record that names none
DEFAULT_GAIN: Final = 200.0

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")
_FORMAT: Final = re.compile(r"(\d{1,3})(?:x(\d{1,5}))?(?::(\d{1,6}))?(?:\+(\d{1,9}))?")
_GAIN: Final = re.compile(r"([-+0-9.eE]{1,30})(?:\((-?\d{1,10})\))?(?:/(\S{1,30}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSpec:
    """One line of a header: where a signal lies and what its integers mean."""

    file: str
    fmt: int
    per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    unit: str
    checksum: int | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header: its signals, or the segments (name, frames) it is put together from."""

    rate_hz: float
    frames: int
    started_at: datetime | None
    signals: tuple[SignalSpec, ...]
    segments: tuple[tuple[str, int], ...]
    comments: tuple[str, ...]


def parse(text: str) -> Header:
    """What a header says; `frames` is 0 where it does not say how long the record is.

    Errors: `EcgFileError` with `damaged`, `hostile` or `refused`.
    """
    lines = [line.strip() for line in text.splitlines()]
    comments = tuple(line.lstrip("# ").strip() for line in lines if line.startswith("#"))
    rows = [line for line in lines if line and not line.startswith("#")]
    if not rows:
        raise EcgFileError("damaged", "the WFDB header is empty: send the .hea file again")
    try:
        return _parse(rows, comments)
    except (ValueError, OverflowError, IndexError) as problem:
        raise EcgFileError(
            "damaged", "the WFDB header cannot be understood: send the .hea file again"
        ) from problem


def plain_name(name: str) -> str:
    """A file name of the same folder; a header must not reach other files."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise EcgFileError("hostile", "the WFDB header names a file outside its folder")
    return name


def _parse(rows: list[str], comments: tuple[str, ...]) -> Header:
    first = rows[0].split()
    count = int(first[1])
    rate_hz = float(re.split(r"[/(]", first[2])[0]) if len(first) > 2 else DEFAULT_RATE_HZ
    frames = check_count(int(first[3])) if len(first) > 3 else 0
    segments: list[tuple[str, int]] = []
    signals: list[SignalSpec] = []
    if "/" in first[0]:
        for row in _lines(rows, int(first[0].split("/")[1]), MOST_SEGMENTS):
            name, length = row.split()[:2]
            segments.append((name if name == "~" else plain_name(name), check_count(int(length))))
    else:
        signals = [_signal(row, k) for k, row in enumerate(_lines(rows, count, MOST_LEADS))]
    if not 0 < rate_hz < 1e6:
        raise ValueError("rate")
    return Header(
        rate_hz=rate_hz,
        frames=frames,
        started_at=_started_at(first[4:6]),
        signals=tuple(signals),
        segments=tuple(segments),
        comments=comments,
    )


def _lines(rows: list[str], count: int, most: int) -> list[str]:
    if not 0 < count <= most:
        raise EcgFileError("hostile", f"the WFDB header announces {count} parts: not a record")
    if len(rows) < count + 1:
        raise EcgFileError("damaged", "the WFDB header is cut: send the .hea file again")
    return rows[1 : count + 1]


def _signal(row: str, place: int) -> SignalSpec:
    words = row.split(None, 8)
    written = _FORMAT.fullmatch(words[1])
    if written is None:
        raise ValueError("format")
    fmt, per_frame, skew, offset = (int(part or 0) for part in written.groups())
    if fmt not in UNPACK and not (fmt == 0 and words[0] == "~"):
        raise EcgFileError("refused", f"WFDB format {fmt} is not read here: export as format 16")
    gain, baseline, unit = _gain(words[2] if len(words) > 2 else "")
    zero = int(words[4]) if len(words) > 4 else 0
    return SignalSpec(
        file=words[0] if words[0] == "~" else plain_name(words[0]),
        fmt=fmt,
        per_frame=max(per_frame, 1),
        skew=skew,
        offset=offset,
        gain=gain,
        baseline=zero if baseline is None else baseline,
        unit=unit,
        checksum=int(words[6]) if len(words) > 6 else None,
        name=words[8].strip() if len(words) > 8 else f"signal {place + 1}",
    )


def _gain(written: str) -> tuple[float, int | None, str]:
    if not written:
        return DEFAULT_GAIN, None, "mV"
    match = _GAIN.fullmatch(written)
    if match is None:
        raise ValueError("gain")
    gain = float(match[1])
    if not abs(gain) < 1e12:
        raise ValueError("gain")
    # header(5): a gain of 0 says that the signal was not calibrated.
    return gain or DEFAULT_GAIN, int(match[2]) if match[2] else None, match[3] or "mV"


def _started_at(words: list[str]) -> datetime | None:
    """The start as the header has it, naive (WFDB knows no zones); None without a date."""
    if len(words) < 2:
        return None
    clock = words[0] if "." in words[0] else words[0] + ".0"
    try:
        return datetime.strptime(f"{words[1]} {clock}", "%d/%m/%Y %H:%M:%S.%f")
    except ValueError:
        return None
