"""The ledger: what a simulator sent and what was acknowledged. It is the oracle of the tests.

A row is one message (by MSH-10) or one event (by its id). It is kept in memory, in a file of JSON
lines (each line one change, so that a killed simulator loses nothing it knew), or both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO


@dataclass(slots=True)
class Row:
    """One thing sent."""

    id: str
    sender: str  # bed or ambulance
    values: int  # measurements in it
    sends: int = 0
    acked: bool = False
    refused: bool = False
    dropped: bool = False  # pushed out of a full buffer before it was acknowledged


@dataclass(slots=True)
class Counts:
    """Sums over all rows, kept also where the rows are not."""

    made: int = 0
    sends: int = 0
    acked: int = 0
    refused: int = 0
    dropped: int = 0


class Ledger:
    """Rows by id; `keep=False` counts only, for wards that play for days."""

    def __init__(self, path: Path | None = None, keep: bool = True) -> None:
        self._keep = keep or path is not None
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None
        self.rows: dict[str, Row] = {}
        self.counts = Counts()

    def made(self, id_: str, sender: str, values: int) -> None:
        """A message or event exists; it has not been sent."""
        self.counts.made += 1
        if self._keep:
            self.rows[id_] = Row(id_, sender, values)
            self._write({"id": id_, "is": "made", "sender": sender, "values": values})

    def sent(self, id_: str) -> None:
        """One more attempt begins; written before the first byte leaves."""
        self.counts.sends += 1
        if self._keep:
            self.rows[id_].sends += 1
            self._write({"id": id_, "is": "sent"})

    def acked(self, id_: str) -> None:
        """The hospital said that it has it on disk; a second yes changes nothing."""
        if self._settled(id_, "acked"):
            self.counts.acked += 1

    def refused(self, id_: str) -> None:
        """The hospital will never take it; it is not sent again."""
        if self._settled(id_, "refused"):
            self.counts.refused += 1

    def dropped(self, id_: str) -> None:
        """The buffer was full."""
        if self._settled(id_, "dropped"):
            self.counts.dropped += 1

    def unacknowledged(self) -> list[Row]:
        """What the hospital has not confirmed, in order of making."""
        return [row for row in self.rows.values() if not row.acked]

    def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _settled(self, id_: str, what: str) -> bool:
        if not self._keep:
            return True
        row = self.rows[id_]
        if getattr(row, what):
            return False
        setattr(row, what, True)
        self._write({"id": id_, "is": what})
        return True

    def _write(self, change: dict[str, str | int]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(change) + "\n")
            self._file.flush()


def read(path: Path) -> Iterator[dict[str, object]]:
    """The rows of a ledger file as they stand after its last whole line, as dictionaries."""
    rows: dict[str, Row] = {}
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):  # the simulator was killed while it wrote
                break
            change = json.loads(line)
            if change["is"] == "made":
                rows[change["id"]] = Row(change["id"], change["sender"], change["values"])
            elif change["is"] == "sent":
                rows[change["id"]].sends += 1
            else:
                setattr(rows[change["id"]], change["is"], True)
    for row in rows.values():
        yield asdict(row)
