"""The decisions of a hospital's hall: it shows nobody; it counts what could not be placed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hospital_ops import wire
from hospital_ops.board import HEAD, Head
from hospital_ops.deciding import Decisions, Stamped
from hospital_ops.wire import State, field


class HallState(State):
    """What was counted, by code."""

    shard: str
    counts: dict[str, int] = field(default_factory=dict)


_load: Callable[[bytes], HallState] = wire.decoder(HallState)


class Hall:
    """The live state of a hall (a `Decider`)."""

    def __init__(self, shard: str, snapshot: bytes = b"") -> None:
        self.state = _load(snapshot) if snapshot else HallState(shard=shard)

    def decide(self, entries: Sequence[Stamped]) -> Decisions:
        """Counts what was kept."""
        decisions = Decisions()
        for stamped in entries:
            if isinstance(stamped.entry, wire.Kept):
                code = stamped.entry.code
                self.state.counts[code] = self.state.counts.get(code, 0) + 1
                decisions.dirty.add(HEAD)
        return decisions

    def cell(self, name: str) -> bytes | None:
        """The head; a hall has no beds."""
        if name != HEAD:
            return None
        return wire.encode(Head(unit=self.state.shard, counts=dict(self.state.counts)))

    def names(self) -> Sequence[str]:
        """The head alone."""
        return [HEAD]

    def dump(self) -> bytes:
        """The whole state, for a snapshot."""
        return wire.encode(self.state)
