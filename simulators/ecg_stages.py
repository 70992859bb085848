"""An ECG for a bad link, as the tablet sends it: a lead first, then all leads coarsely, then all.

The same rules as `web/static/js/tablet-ecg.js`: 2.5 s of lead II and 10 s of all leads at 100 Hz in
steps of 10 uV, of each hundredth of a second the sample that stands out; the file itself is packed
without losing a bit.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from statistics import median
from typing import Any, Final

RATE_HZ: Final = 100.0
STEP_UV: Final = 10.0
PREVIEW_S, COARSE_S = 2.5, 10.0

Samples = Sequence[int | None]


def preview(data: bytes) -> bytes:
    """Lead II, else the first, of an ECG in our own sample form (JSON)."""
    sent = json.loads(data)
    names = list(sent["leads"])
    return _stage(sent, ["II" if "II" in names else names[0]], PREVIEW_S)


def coarse(data: bytes) -> bytes:
    """All leads, packed."""
    sent = json.loads(data)
    return gzip.compress(_stage(sent, list(sent["leads"]), COARSE_S), mtime=0)


def whole(data: bytes) -> bytes:
    """The file itself, packed."""
    return gzip.compress(data, mtime=0)


def _stage(sent: dict[str, Any], names: list[str], seconds: float) -> bytes:
    rate_hz, scale = float(sent["rate_hz"]), float(sent.get("scale_uv", 1.0))
    leads = {name: _thinned(sent["leads"][name], scale, rate_hz, seconds) for name in names}
    staged = {
        "rate_hz": min(RATE_HZ, rate_hz),
        "scale_uv": STEP_UV,
        "started_at": sent.get("started_at"),
        "device": sent.get("device", ""),
        "leads": leads,
    }
    return json.dumps(staged, separators=(",", ":")).encode()


def _thinned(numbers: Samples, scale_uv: float, rate_hz: float, seconds: float) -> list[int | None]:
    used = numbers[: round(seconds * rate_hz)]
    middle = median([one for one in used if one is not None] or [0])
    step = max(1.0, rate_hz / RATE_HZ)
    found: list[int | None] = []
    start = 0.0
    while round(start) < len(used):
        piece = [one for one in used[round(start) : round(start + step)] if one is not None]
        chosen = max(piece, key=lambda one: abs(one - middle), default=None)
        found.append(None if chosen is None else round(chosen * scale_uv / STEP_UV))
        start += step
    return found
