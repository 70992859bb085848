"""WFDB records written in format 16: headers and signal files, as `wfdb.py` reads them. Pure.

Signals of one rate are one record. What was not measured is the format's invalid value.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import numpy as np

from hospital_ops.ecg.files.traces import Trace
from hospital_ops.errors import MessageError

_BASELINE_MOST: Final = 2**31 - 1  # header(5): an integer of 32 bits


def write(
    traces: Iterable[Trace], name: str, started_at: datetime, comments: Iterable[str]
) -> dict[str, bytes]:
    """The files of the records by their names; `started_at` stands as it is (no zone).

    MessageError `not_wfdb` where a signal's zero lies outside what a header can say.
    """
    by_rate: dict[float, list[Trace]] = defaultdict(list)
    for trace in traces:
        by_rate[trace.rate_hz].append(trace)
    files: dict[str, bytes] = {}
    said = "".join(f"# {comment}\n" for comment in comments)
    for rate_hz, signals in sorted(by_rate.items()):
        record = re.sub(r"[^A-Za-z0-9_]", "_", f"{name}_{rate_hz:g}hz")
        frames = len(signals[0].samples)
        moment = f"{started_at:%H:%M:%S.%f %d/%m/%Y}"
        lines = [f"{record} {len(signals)} {rate_hz!r} {frames} {moment}"]
        lines += [_signal(f"{record}.dat", trace) for trace in signals]
        files[f"{record}.hea"] = ("\n".join(lines) + "\n" + said).encode()
        table = np.stack([trace.samples for trace in signals], axis=1)
        files[f"{record}.dat"] = table.astype("<i2").tobytes()
    return files


def _signal(file: str, trace: Trace) -> str:
    """A line of the header; the zero is rounded to a whole step."""
    baseline = round(-trace.offset / trace.scale)
    if abs(baseline) > _BASELINE_MOST:
        raise MessageError("not_wfdb", f"{trace.name} cannot be written as WFDB: ask for edf")
    unit = "".join(trace.unit.split()) or "NU"
    total = (int(trace.samples.sum(dtype=np.int64)) + 32768) % 65536 - 32768
    gain = 1 / trace.scale
    first = int(trace.samples[0])
    return f"{file} 16 {gain!r}({baseline})/{unit} 16 0 {first} {total} 0 {trace.name}"
