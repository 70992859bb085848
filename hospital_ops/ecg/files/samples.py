"""An ECG as our own tablets send it: JSON with whole numbers per lead, nothing to guess.

`{"rate_hz": 500, "scale_uv": 1.0, "started_at": "2026-...Z", "device": "...",
"leads": {"I": [12, 13, null, ...], ...}}`; null says that nothing was measured there.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import numpy as np

from hospital_ops.ecg.files.recording import (
    MOST_LEADS,
    EcgFileError,
    EcgRecording,
    Samples,
    check_count,
    checked,
    lead_name,
)


def read(data: bytes) -> EcgRecording:
    """The recording in the JSON. Errors: `EcgFileError`."""
    try:
        sent = json.loads(data)
        return _read(sent)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, AttributeError) as why:
        raise EcgFileError(
            "damaged", "send JSON with rate_hz, scale_uv, started_at and leads of whole numbers"
        ) from why


def _read(sent: dict[str, Any]) -> EcgRecording:
    step_mv = float(sent.get("scale_uv", 1.0)) / 1000
    leads: dict[str, Samples] = {}
    total = 0
    if not 0 < len(sent["leads"]) <= MOST_LEADS or not 0 < step_mv < 1e3:
        raise ValueError("leads")
    for name, numbers in sent["leads"].items():
        total = check_count(total + len(numbers))
        if not all(number is None or type(number) is int for number in numbers):
            raise TypeError("samples are whole numbers")
        values = [np.nan if number is None else number for number in numbers]
        leads[lead_name(name)] = np.array(values, dtype=np.float64) * step_mv
    started = sent.get("started_at")
    return checked(
        EcgRecording(
            leads=leads,
            rate_hz=float(sent["rate_hz"]),
            started_at=datetime.fromisoformat(started) if started else None,
            device=str(sent.get("device", ""))[:64],
            ids={},
            source_format="samples",
            step_mv=dict.fromkeys(leads, step_mv),
        )
    )
