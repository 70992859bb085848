"""What could not be used, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hospital_ops.database import Record
from hospital_ops.letters import shape
from streams.retrying import TAKEN, kept_of, why_not
from web.views.values import Frame


def line(row: Record, frame: Frame) -> dict[str, Any]:
    """A letter of the list; `outcome` of its newest try, empty where nobody has tried."""
    return {
        "key": f"{row['unit']}/{row['stream']}/{row['entry_id']}",
        "time": _when(row["last_at"], frame),
        "source": row["source"].removeprefix("device:"),
        "message_id": row["message_id"],
        "code": row["code"],
        "reason": row["reason"],
        "times": row["times"],
        "outcome": row["outcome"] or "",
    }


def letter(row: Record, tries: Sequence[Record], frame: Frame, *, whole: bool) -> dict[str, Any]:
    """One letter with its bytes as text; `why_not` says why it cannot be tried again."""
    taken = bool(tries) and tries[-1]["outcome"] == TAKEN
    kept = kept_of(row["entry"])
    return {
        "unit": row["unit"],
        "stream": row["stream"],
        "entry_id": row["entry_id"],
        "code": row["code"],
        "reason": row["reason"],
        "source": row["source"].removeprefix("device:"),
        "message_id": row["message_id"],
        "bed": kept.bed if kept and whole else "",
        "first": _when(row["at"], frame),
        "last": _when(row["last_at"], frame),
        "times": row["times"],
        "size": row["size"],
        "whole": whole,
        "text": shape.whole(row["raw"]) if whole else shape.shaped(row["raw"]),
        "number": len(tries),
        "taken": taken,
        "why_not": "" if taken else why_not(kept, row["raw"]),
        "tries": [
            {
                "time": _when(one["made_at"], frame),
                "by": one["made_by"],
                "outcome": one["outcome"],
                "reason": one["reason"],
            }
            for one in tries
        ],
    }


def _when(at: Any, frame: Frame) -> str:
    return f"{at.astimezone(frame.zone):%Y-%m-%d %H:%M:%S}"
