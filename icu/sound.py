"""How alarms sound: bursts of pulses by priority (IEC 60601-1-8, Tables 3 and 4). Pure.

The page makes the tones itself; here is what it needs, in seconds and hertz. The highest active
priority owns the sound.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

_CHOSEN: Final[dict[str, Any]] = json.loads(files("icu").joinpath("sound.json").read_text("utf-8"))
_MEDIUM_PULSES: Final = 3


def onsets(priority: str) -> list[float]:
    """When each pulse of one burst begins, seconds from its first."""
    chosen = _CHOSEN[priority]
    pulse, x = chosen["pulse_ms"] / 1000, chosen["x_ms"] / 1000
    step = pulse + x
    if priority != "high":
        count = chosen.get("pulses", _MEDIUM_PULSES)
        return [round(number * step, 3) for number in range(count)]
    five = [0.0, step, 2 * step]
    fourth = five[2] + pulse + 2 * x + pulse  # 2x + td between the third and the fourth
    five += [fourth, fourth + step]
    again = five[-1] + pulse + chosen["pause_s"]
    return [round(at, 3) for at in (*five, *(again + at for at in five))]


@cache
def plan() -> str:
    """All that a page needs to sound alarms, as JSON."""
    return json.dumps(
        {
            priority: {
                "onsets_s": onsets(priority),
                "pulse_s": _CHOSEN[priority]["pulse_ms"] / 1000,
                "every_s": _CHOSEN[priority]["every_s"],
                "f0_hz": _CHOSEN[priority]["f0_hz"],
                "level": _CHOSEN[priority]["level"],
            }
            for priority in ("high", "medium", "low")
        }
        | {"rise_share": _CHOSEN["rise_share"], "harmonics": _CHOSEN["harmonics"]},
        separators=(",", ":"),
    )
