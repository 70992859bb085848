"""Two sensors of one vital sign at a bed: each is judged, and the worse one stands on the board.

A second oximeter, a second rate in one message, a second monitor at the bed: the last to come must
not hide the other. While both are heard the board shows the one that is furthest beyond a limit,
and where none is, the one that was there first; a flag says that there are several. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hospital_ops import codes, wire
from hospital_ops.board import Shown
from icu.alarms import Turn
from icu.limits import number_of
from icu.rules import PRIORITIES, has_rules
from icu.state import BedState

FLAG: Final = "several_sensors"
_MOST: Final = 16  # sensors of one vital sign at a bed; more is a sender that counts its messages
_NONE: Final = len(PRIORITIES)


def channel_of(code: str, channel: str) -> str:
    """Under which name the bed remembers who sent a channel last."""
    return f"{code} {channel}"


def of(
    bed: BedState,
    name: str,
    known: Shown | None,
    message: wire.Observed,
    seen: wire.Observation,
    sender: str,
    at: int,
) -> dict[str, Shown] | None:
    """The sensors among which a value of `at` stands, by `sensor_of`; None: it is alone."""
    beside = bed.probes.get(name) if bed.probes else None
    if known is None or (beside is not None and sensor_of(sender, seen.channel) in beside):
        return beside
    before = bed.senders.get(channel_of(seen.code, known.channel), sender)
    if beside is None and before == sender and known.channel == seen.channel:
        return None
    if known.gone_at and at + known.gone_at - known.at <= known.at:
        return None  # stored data: late beside what is live, whoever sends them
    if beside is None:
        alive = known.gone_at > message.received_at and known.kind == codes.CONTINUOUS
        if alive and known.origin == seen.origin == "monitor" and has_rules(name):
            beside = bed.probes[name] = {sensor_of(before, known.channel): known}
    if beside is not None and len(beside) >= _MOST:
        del beside[next(iter(beside))]
    return beside


def sensor_of(sender: str, channel: str) -> str:
    """The name of a sensor at a bed: its sender and its channel."""
    return f"{sender} {channel}"


def choose(turn: Turn, names: Iterable[str]) -> None:
    """Puts the worst of the sensors that are heard on the board, for each of the names."""
    bed, now = turn.bed, turn.now
    for name in names:
        beside = bed.probes.get(name)
        if beside is None:
            continue
        heard = {channel: one for channel, one in beside.items() if now < one.gone_at}
        if len(heard) < 2:
            del bed.probes[name]
        else:
            bed.probes[name] = heard
        if heard:
            bed.values[name] = min(heard.values(), key=lambda one: _rank(turn, name, one))


def _rank(turn: Turn, name: str, shown: Shown) -> tuple[bool, bool, int, float]:
    """The smaller the worse; what is no longer live or cannot be believed hides nothing."""
    value = number_of(shown, turn.now)
    if value is None:
        return True, True, _NONE, 0.0
    beyond = [limit for limit in turn.limits(name) if limit.beyond(value)]
    priority = min((PRIORITIES.index(limit.priority) for limit in beyond), default=_NONE)
    worst = [limit for limit in beyond if PRIORITIES.index(limit.priority) == priority]
    far = max((abs(value - limit.limit) for limit in worst), default=0.0)
    return False, turn.now >= shown.amber_at, priority, -far
