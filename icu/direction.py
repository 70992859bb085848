"""Which values of a bed go up or down so much that it matters; a steady one says nothing. Pure.

A change matters from one step of the published alarms on (`acknowledged_red`, `step`: 20 beats,
5 % of saturation, 10 mmHg of mean pressure ...) within 10 to 20 minutes; two steps are fast. That
these steps serve for arrows is a decision of the project.
"""

from __future__ import annotations

from typing import Final

from hospital_ops import codes
from hospital_ops.clinical.tables import table
from icu.record import MINUTE, TRAIL_US, Record

_STEPS: Final = table("alarms")["rule_defaults"]["acknowledged_red"]["step"]
STEPS: Final[dict[str, float]] = {
    key: float(_STEPS[name])
    for key, name in (
        ("hr", "hr_bpm"), ("spo2", "spo2_pct"), ("rr", "rr_bpm"), ("temp", "temp_c"),
        ("abp_sys", "sbp_mmhg"), ("abp_mean", "map_mmhg"), ("nibp_mean", "map_mmhg"),
    )
}  # fmt: skip
_LEAST_US: Final = 10 * MINUTE


def directions(record: Record, now: int) -> dict[str, str]:
    """fast_up, up, down or fast_down by the public code of each value that moves."""
    found = {}
    for key, step in STEPS.items():
        newest = record.newest.get(key)
        if newest is None or newest.at <= now - TRAIL_US or isinstance(newest.value, str):
            continue
        before = [
            row
            for row in record.trail.get(key, ())
            if _LEAST_US <= newest.at - row.at <= TRAIL_US and not isinstance(row.value, str)
        ]
        if not before:
            continue
        change = newest.value - float(before[0].value)
        if abs(change) >= step:
            way = "up" if change > 0 else "down"
            found[codes.by_key[key].code] = f"fast_{way}" if abs(change) >= 2 * step else way
    return found
