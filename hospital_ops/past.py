"""What boards showed: revisions packed for the archive, and the board of a past second. Pure.

A row of the archive holds the revisions of a unit that were stored together, as they went out; one
that holds the whole board begins a row. The board of a moment is the newest whole one before it
with every revision after that, up to the moment.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from hospital_ops import wire

LEVEL: Final = 1  # level 6 takes three times as long for a tenth fewer bytes
UNPACKED_MAX: Final = 256 * 1024 * 1024  # of one row: a damaged one does not fill the memory


class Revision(wire.Form, frozen=True):
    """One entry of `out` as it was published."""

    at: int  # when Redis took it: from here on it could be seen; rising within a unit
    entry: bytes  # encoded `wire.Changed`


class Row(NamedTuple):
    """A row to be: `at` is when its first revision could be seen."""

    unit: str
    at: int
    whole: bool  # it begins with a whole board
    packed: bytes


@dataclass(slots=True)
class Gathered:
    """Revisions on their way into rows, by unit."""

    waiting: dict[str, tuple[bool, list[Revision]]] = field(default_factory=dict)
    done: list[Row] = field(default_factory=list)

    def take(self, unit: str, at: int, entry: bytes, *, whole: bool) -> None:
        """One revision; a whole board begins a row."""
        if whole and unit in self.waiting:
            self._close(unit)
        self.waiting.setdefault(unit, (whole, []))[1].append(Revision(at, entry))

    def rows(self) -> list[Row]:
        """All that was gathered."""
        for unit in list(self.waiting):
            self._close(unit)
        return self.done

    def _close(self, unit: str) -> None:
        whole, revisions = self.waiting.pop(unit)
        self.done.append(Row(unit, revisions[0].at, whole, pack(revisions)))


class Seen(wire.State):
    """A board as it could be seen: encoded cells by bed or case, and the revision."""

    rev: int = 0
    cells: dict[str, bytes] = wire.field(default_factory=dict)


_revisions = wire.decoder(tuple[Revision, ...])


def pack(revisions: Sequence[Revision]) -> bytes:
    """The revisions of one row, compressed together."""
    return zlib.compress(wire.encode(tuple(revisions)), LEVEL)


def unpack(packed: bytes) -> tuple[Revision, ...]:
    """The revisions of a row. Raises ValueError where its bytes are damaged."""
    unpacking = zlib.decompressobj()
    try:
        unpacked = unpacking.decompress(packed, UNPACKED_MAX)
        if not unpacking.eof:
            raise ValueError("a row of board revisions is cut or far too large")
        return _revisions(unpacked)
    except (zlib.error, wire.DecodeError) as error:
        raise ValueError("a row of board revisions is damaged") from error


def board_at(rows: Iterable[bytes], moment: int) -> Seen | None:
    """The board at `moment` from the rows since a whole one; None where none is among them.

    Rows come by time. A revision that comes twice (a stream that was read again) counts once.
    """
    seen: Seen | None = None
    last = -1
    for row in rows:
        for revision in unpack(row):
            if revision.at > moment:
                return seen
            if revision.at <= last:
                continue
            change: Any = wire.decode(revision.entry)
            if change.whole:
                seen = Seen()
                seen.cells.update(change.others)
            if seen is None:
                continue
            last = revision.at
            seen.rev = change.rev
            seen.cells.update(change.cells)
            for name in change.removed:
                seen.cells.pop(name, None)
    return seen
