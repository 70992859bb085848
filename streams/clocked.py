"""The clocks of senders as the store reader knows them: of a batch, on top of what was known. Pure.

A batch that is taken anew, after a fault or because it has come before, begins from the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hospital_ops import sender_clocks, wire
from hospital_ops.sender_clocks import UNKNOWN, Clocks, SenderClock, Told


@dataclass(slots=True)
class Clocked:
    """By bed, and in it by sender."""

    known: dict[str, Clocks] = field(default_factory=dict)  # before the batch; never changed
    fresh: dict[str, Clocks] = field(default_factory=dict)  # of beds that were heard since
    # What is to be remembered beyond a restart: (unit, bed, sender), for it holds anew.
    learned: dict[tuple[str, str, str], SenderClock] = field(default_factory=dict)

    def of(self, unit: str, message: wire.Observed) -> Told:
        """The clocks of a message by now; as the board takes them, only at a bed."""
        if not message.bed:
            return Told(UNKNOWN, {})
        clocks = self.fresh.get(message.bed)
        if clocks is None:
            clocks = self.fresh[message.bed] = dict(self.known.get(message.bed, {}))
        before = dict(clocks)
        told = sender_clocks.heard(clocks, message)
        for name, clock in clocks.items():
            was = before.get(name, UNKNOWN)
            if was is not clock and (clock.trusted, clock.right) != (was.trusted, was.right):
                self.learned[unit, message.bed, name] = clock
        return told

    def by_now(self, entry: wire.Waved | wire.WavesTogether, began_at: int) -> SenderClock:
        """The clock by which a curve that began then is read: that of its sender's values."""
        clocks = self.fresh.get(entry.bed) or self.known.get(entry.bed, {})
        if not entry.bed or not clocks:
            return UNKNOWN
        name, distance = sender_clocks.sender(entry), entry.received_at - began_at
        return sender_clocks.nearest(clocks, name, distance) or UNKNOWN
