"""The clocks of senders as the store reader knows them: of a batch, on top of what was known. Pure.

A batch that is taken anew, after a fault or because it has come before, begins from the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hospital_ops import sender_clocks, wire
from hospital_ops.sender_clocks import UNKNOWN, Clocks, SenderClock


@dataclass(slots=True)
class Clocked:
    """By bed, and in it by sender."""

    known: dict[str, Clocks] = field(default_factory=dict)  # before the batch; never changed
    fresh: dict[str, Clocks] = field(default_factory=dict)  # of beds that were heard since
    # What is to be remembered beyond a restart: (unit, bed, sender), for it holds anew.
    learned: dict[tuple[str, str, str], SenderClock] = field(default_factory=dict)

    def of(self, unit: str, message: wire.Observed) -> SenderClock:
        """The clock of a message's sender by now; as the board takes it, only that of a bed."""
        if not message.bed:
            return UNKNOWN
        clocks = self.fresh.get(message.bed)
        if clocks is None:
            clocks = self.fresh[message.bed] = dict(self.known.get(message.bed, {}))
        name = sender_clocks.sender(message)
        before = clocks.get(name, UNKNOWN)
        clock = sender_clocks.heard(clocks, message)
        if clock is not UNKNOWN and (clock.trusted, clock.right) != (before.trusted, before.right):
            self.learned[unit, message.bed, name] = clock
        return clock

    def by_now(self, entry: wire.Waved | wire.WavesTogether) -> SenderClock:
        """The clock by which a sender's curves are read: that of its values."""
        clocks = self.fresh.get(entry.bed) or self.known.get(entry.bed, {})
        return clocks.get(sender_clocks.sender(entry), UNKNOWN) if entry.bed else UNKNOWN
