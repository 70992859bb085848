"""ECG as text: a row a sample, a column a lead, commas or semicolons; a header names the leads."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from hospital_ops.ecg.files.recording import (
    MOST_LEADS,
    TWELVE_LEADS,
    EcgFileError,
    EcgRecording,
    check_count,
    checked,
    lead_name,
)

MOST_CELLS: Final = 4_000_000
_COUNTERS: Final = ("", "sample", "time", "t", "index", "n", "time_s", "time_ms", "sample_number")


def read(data: bytes, rate_hz: float | None, step_mv: float | None) -> EcgRecording:
    """The columns as leads; a text does not know its rate and unit, so the sender says them.

    Without a header twelve columns are the twelve leads, and a first column that counts from 0 is
    the sample's number. An empty cell is "not measured". Errors: `EcgFileError`.
    """
    if rate_hz is None or step_mv is None:
        raise EcgFileError(
            "refused", "a text file names no rate and unit: send rate_hz and step_mv beside it"
        )
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as problem:
        raise EcgFileError("not_ecg", "neither text nor any known ECG format") from problem
    rows = [line for line in lines if line.strip() and not line.startswith("#")]
    if not rows:
        raise EcgFileError("damaged", "the file is empty: send it again")
    mark = max(",;\t", key=rows[0].count)
    width = rows[0].count(mark) + 1
    if not 1 < width <= MOST_LEADS:
        raise EcgFileError("not_ecg", "the text has no columns of leads")
    if check_count(width * len(rows)) > MOST_CELLS:
        raise EcgFileError("too_large", "the text is too long: send one ECG alone")
    first = [cell.strip().strip('"') for cell in rows[0].split(mark)]
    names = first if any(_number(cell) is None for cell in first) else []
    table = _table(rows[bool(names) :], mark, width)
    if names and names[0].lower() in _COUNTERS:
        names, table = names[1:], table[:, 1:]
    elif not names and _counts(table[:, 0]):
        table = table[:, 1:]
    if not names and table.shape[1] == len(TWELVE_LEADS):
        names = list(TWELVE_LEADS)
    if len(names) != table.shape[1] or len(set(map(lead_name, names))) != len(names):
        raise EcgFileError("refused", "which column is which lead? Send a header with their names")
    return checked(
        EcgRecording(
            leads={lead_name(n): table[:, k] * step_mv for k, n in enumerate(names)},
            rate_hz=rate_hz,
            started_at=None,
            device="",
            ids={},
            source_format="CSV",
            step_mv={lead_name(name): step_mv for name in names},
        )
    )


def _table(
    rows: list[str], mark: str, width: int
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    table = np.empty((len(rows), width))
    for k, row in enumerate(rows):
        cells = [_number(cell) for cell in row.split(mark)]
        if len(cells) != width or None in cells:
            raise EcgFileError("damaged", f"row {k + 1} is cut or holds words: export it again")
        table[k] = cells
    return table


def _number(cell: str) -> float | None:
    """The number of a cell, NaN for an empty one, None for words."""
    cell = cell.strip()
    if not cell:
        return math.nan
    try:
        value = float(cell.replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else math.nan


def _counts(column: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    return len(column) > 2 and column[0] in (0, 1) and bool((np.diff(column) == 1).all())
