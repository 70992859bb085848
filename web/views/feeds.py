"""The page of feeds: clock, gaps and last message of each device, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hospital_ops.clock import SECOND, from_datetime
from hospital_ops.database import Record
from icu.clocks import OFF_US
from web.views.values import Frame, clock


def devices(rows: Sequence[Record], frame: Frame) -> list[dict[str, Any]]:
    """A line for each device; those that are off or have never sent come first."""
    lines = [_device(row, frame) for row in rows]
    return sorted(lines, key=lambda line: (not line["off"], bool(line["last"]), line["bed"]))


def _device(row: Record, frame: Frame) -> dict[str, Any]:
    offset = row["offset_s"]
    about = None if offset is None else (row["high_s"] - row["low_s"]) / 2
    return {
        "device": row["device"],
        "bed": row["bed"],
        "mode": row["mode"],
        "model": row["model"],
        "last": _when(row["last_at"], frame),
        "offset": "" if offset is None else frame.words.number(round(offset, 1)),
        "about": "" if about is None else frame.words.number(round(about, 1)),
        "gap": "" if row["gap_s"] is None else frame.words.number(round(row["gap_s"], 1)),
        "off": offset is not None and abs(offset) * SECOND > OFF_US,
    }


def letters(rows: Sequence[Record], frame: Frame) -> list[dict[str, Any]]:
    """Dead letters in words, or the number of each kind."""
    return [dict(row) | {"time": _when(row.get("at") or row.get("last_at"), frame)} for row in rows]


def _when(at: Any, frame: Frame) -> str:
    return "" if at is None else f"{at:%Y-%m-%d} {clock(from_datetime(at), frame.zone)}"
