"""The limits that devices themselves have, beside those of the board: differences shown. Pure.

Nothing rings by them here: the bedside monitor rings by its own (PCD-04, `devices.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from hospital_ops import wire
from hospital_ops.board import DeviceLimits
from hospital_ops.clock import SECOND
from icu.rules import Limit, has_rules
from icu.state import BedState

OLD_US: Final = 3_600 * SECOND  # what was not said again for an hour is called old
AGAIN_US: Final = 60 * SECOND  # how often the same word is passed on: its age is in minutes
_KEPT: Final = 64  # codes of one bed; more than there are rules
_EQUAL: Final = 1e-6  # what a conversion of units may leave

SAME, STRICTER, LOOSER, NONE = "same", "stricter", "looser", "none"


class Compared(NamedTuple):
    """One side of one code: what the device has, what the board has, and which rings first."""

    code: str
    side: str  # low, high
    device: float | None  # None: it has told of none
    board: float | None  # None: no limit holds here
    word: str  # of the device: same, stricter, looser; none: only one of them has a limit
    at: int
    old: bool
    sender: str


def take(
    bed: BedState,
    message: wire.Observed | wire.DeviceAlert,
    code: str,
    limits: tuple[float | None, float | None] | None,
) -> bool:
    """What a device says of its limits on a code; answers whether the board has to be told."""
    known, now = bed.device_limits, message.received_at
    if limits is None or not has_rules(code) or (code not in known and len(known) >= _KEPT):
        return False
    told = DeviceLimits(*limits, now, message.device or message.source)
    before = known.get(code)
    if before is not None and now < before.at + AGAIN_US and _same(told, before):
        return False
    known[code] = told
    return True


def compared(told: Mapping[str, DeviceLimits], held: Iterable[Limit], now: int) -> list[Compared]:
    """Both sides of every code that a device has told of; the board's limit that rings first."""
    boards: dict[tuple[str, str], float] = {}
    for limit in held:
        side, name = limit.of.side, (limit.of.code, limit.of.side)
        if side in ("low", "high"):
            first = max if side == "low" else min
            boards[name] = first(boards.get(name, limit.limit), limit.limit)
    found = []
    for code, limits in told.items():
        for side, device in (("low", limits.low), ("high", limits.high)):
            board = boards.get((code, side))
            if device is None and board is None:
                continue
            old = now - limits.at > OLD_US
            word = _word(side, device, board)
            found.append(Compared(code, side, device, board, word, limits.at, old, limits.device))
    return found


def _same(one: DeviceLimits, other: DeviceLimits) -> bool:
    return (one.low, one.high, one.device) == (other.low, other.high, other.device)


def _word(side: str, device: float | None, board: float | None) -> str:
    if device is None or board is None:
        return NONE
    if abs(device - board) < _EQUAL:
        return SAME
    return STRICTER if (device > board) == (side == "low") else LOOSER
