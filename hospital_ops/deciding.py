"""What a live reader hands to a room and gets back: entries in, decisions out, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from hospital_ops import wire

PROBE_BED: Final = "probe"  # the canary's pseudo-bed: it passes the whole way and is no patient


class Stamped(wire.Form, frozen=True):
    """An entry with the moment at which Redis took it: the only time a decision knows."""

    at: int  # microseconds since 1970 UTC
    entry: wire.Entry


@dataclass(slots=True)
class Decisions:
    """What a batch of entries changed: names of cells to show anew, and events to archive.

    What is for another unit is appended there before the rest is published: after a crash between
    the two it is appended again, so whoever takes it in knows it by a name that does not change.
    """

    dirty: set[str] = field(default_factory=set)
    outputs: list[wire.Entry] = field(default_factory=list)
    elsewhere: list[tuple[str, wire.Entry]] = field(default_factory=list)  # (unit, for its stream)
    urgent: bool = False  # a new red: shown at once, whatever was shown a moment ago


class Decider(Protocol):
    """The pure decisions of a room over one unit; the state is changed in place.

    Deterministic: the same entries after the same snapshot give the same state and outputs. When
    publishing fails the reader throws the state away and begins again from the snapshot.
    """

    def decide(self, entries: Sequence[Stamped]) -> Decisions:
        """Takes the entries in, in their order."""
        ...

    def cell(self, name: str) -> bytes | None:
        """The encoded cell of a bed or case; None where it is no longer on the board."""
        ...

    def names(self) -> Sequence[str]:
        """All cells of the board."""
        ...

    def dump(self) -> bytes:
        """The whole state, for a snapshot."""
        ...


class Listener(Protocol):
    """Looks at the live curves of a unit and says what the unit is to decide about.

    It keeps nothing for a successor: a curve is for now. What it says becomes an entry of `in`.
    """

    def take(self, wave: wire.Waved) -> None:
        """A piece of a curve, as it came."""
        ...

    def advance(self, now_us: int) -> Sequence[wire.Entry]:
        """Lets time pass up to `now_us` (microseconds since 1970 UTC); what is to be told."""
        ...
