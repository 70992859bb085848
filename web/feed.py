"""A unit's board as the web process keeps it: one snapshot, and the changes of the last minute.

One task per unit reads `out`; what changed is made into JSON and HTML once, for everyone who
looks, when the first of them asks. Viewers wait for the next change and take all that they lack.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypedDict, TypeVar

from hospital_ops import log, wire
from hospital_ops.board import HEAD, BedCell, CaseCell, Head, decode_head
from hospital_ops.clock import Clock, iso
from streams.pipe import Pipe, ReplyError, read_streams
from streams.projections import Places, Unit
from streams.publish import read_board
from streams.shard import keys
from web.render import Renderer

KEPT_S = 60.0  # a board resumes by `rev` within this (SAFETY.md rule 8)
BLOCK_MS = 2000
RETRY_S = 0.5
RING = 2000  # changes kept at the most: bounds the memory where they come fast

C = TypeVar("C", BedCell, CaseCell)
logger = log.get("feed")


@dataclass(slots=True)
class Change(Generic[C]):
    """One revision: what was there before, what is there now, and its messages once made."""

    rev: int
    kept_until: float
    before: dict[str, C | None]
    after: dict[str, C]
    removed: tuple[str, ...]
    cells: Mapping[str, C]  # the whole board after this revision
    head: Head | None
    messages: dict[str, str] = field(default_factory=dict)  # by format


class About(TypedDict):
    """What a page needs beside the board: who looks, how, and where one may go."""

    mode: str
    theme: str
    user: str
    demo: bool
    units: list[dict[str, str]]


class BoardFeed(ABC, Generic[C]):
    """The board of one unit, followed for as long as the process runs."""

    plural = "cells"  # under which name the public forms list them

    def __init__(
        self, url: str, unit: Unit, places: Places, renderer: Renderer, clock: Clock
    ) -> None:
        self.unit, self.places, self.renderer, self.clock = unit, places, renderer, clock
        self.pipe = Pipe(url)
        self.rev = 0
        self.cells: dict[str, C] = {}
        self.head: Head | None = None
        self.changes: deque[Change[C]] = deque(maxlen=RING)
        self.ready = asyncio.Event()
        self.live_at = 0.0  # when Redis last answered, by the monotonic clock
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Follows the unit until cancelled; begins with the whole board after a fault."""
        while True:
            try:
                await self._follow()
            except (ReplyError, OSError, wire.DecodeError) as error:
                logger.warning("feed_lost", unit=self.unit.unit, error=type(error).__name__)
                await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        board = await read_board(self.pipe, self.unit.unit)
        if board.rev != self.rev or not self.ready.is_set():
            self.changes.clear()
            self.rev = board.rev
            head = board.cells.pop(HEAD, None)
            self.head = decode_head(head) if head else None
            self.cells = {name: self.decode(cell) for name, cell in board.cells.items()}
        self.ready.set()
        self._tell()
        stream, position = keys(self.unit.unit).out, board.out
        while True:
            self.live_at = self.clock.monotonic_s()
            entries = await read_streams(
                self.pipe, {stream: position}, count=500, block_ms=BLOCK_MS
            )
            for entry_id, fields in entries.get(stream, []):
                position = entry_id
                entry = wire.decode(fields[1])
                if isinstance(entry, wire.Changed) and entry.rev > self.rev:
                    if entry.rev != self.rev + 1:
                        return  # something is missing: begin with the whole board
                    self._apply(entry)
            if entries:
                self._tell()

    def _apply(self, entry: wire.Changed) -> None:
        cells = dict(entry.cells)
        head = cells.pop(HEAD, None)
        if head is not None:
            self.head = decode_head(head)
        after: dict[str, C] = {name: self.decode(cell) for name, cell in cells.items()}
        before = {name: self.cells.get(name) for name in (*after, *entry.removed)}
        self.cells = {
            name: cell for name, cell in (self.cells | after).items() if name not in entry.removed
        }
        self.rev = entry.rev
        now = self.clock.monotonic_s()
        while self.changes and self.changes[0].kept_until < now:
            self.changes.popleft()
        self.changes.append(
            Change(
                rev=entry.rev,
                kept_until=now + KEPT_S,
                before=before,
                after=after,
                removed=entry.removed,
                cells=self.cells,
                head=self.head,
            )
        )

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def news(self, after_rev: int, timeout_s: float) -> None:
        """Returns when there is more than `after_rev`, or after `timeout_s`."""
        if self.rev > after_rev:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return

    def since(self, rev: int, form: str) -> list[str] | None:
        """Messages for the revisions after `rev`; None where a whole board is needed."""
        if rev == self.rev:
            return []
        if not self.changes or not self.changes[0].rev <= rev + 1 <= self.rev:
            return None
        behind = self.rev - rev
        return [self._message(change, form) for change in list(self.changes)[-behind:]]

    def _message(self, change: Change[C], form: str) -> str:
        made = change.messages.get(form)
        if made is None:
            kind, _, language = form.partition(":")
            made = self._json(change) if kind == "json" else self.html(change, language)
            change.messages[form] = made
        return made

    def _json(self, change: Change[C]) -> str:
        now = self.clock.now_us()
        message: dict[str, Any] = {
            "type": "change",
            "rev": change.rev,
            "server_time": iso(now),
            self.plural: [self.view(cell, now) for cell in change.after.values()],
        }
        if change.removed:
            message["removed"] = list(change.removed)
        return wire.to_json(message).decode()

    def snapshot_json(self) -> dict[str, Any]:
        """The public snapshot: every bed or case, with states and ages of this moment."""
        now = self.clock.now_us()
        head = self.head
        return {
            "type": "snapshot",
            "rev": self.rev,
            "server_time": iso(now),
            "unit": self.unit.unit,
            "probe_at": iso(head.probe_at) if head and head.probe_at else None,
            "counts": dict(head.counts) if head else {},
            self.plural: [self.view(cell, now) for cell in self.whole(self.cells)],
        }

    def snapshot(self, form: str) -> str:
        """A whole board for one viewer who begins or fell behind."""
        kind, _, language = form.partition(":")
        if kind == "json":
            return wire.to_json(self.snapshot_json()).decode()
        return self.html_snapshot(language)

    @abstractmethod
    def decode(self, cell: bytes) -> C:
        """A cell as the live reader published it."""

    @abstractmethod
    def view(self, cell: C, now: int) -> dict[str, Any]:
        """The public form of a cell at this moment."""

    @abstractmethod
    def whole(self, cells: Mapping[str, C]) -> list[C]:
        """Everything that stands on the board, in its order."""

    @abstractmethod
    def html(self, change: Change[C], language: str) -> str:
        """The frame of one change."""

    @abstractmethod
    def html_snapshot(self, language: str) -> str:
        """The whole board as one frame."""

    @abstractmethod
    def page(self, language: str, about: About) -> str:
        """The board's page for a browser, with its values."""

    async def cell_soon(self, name: str, wait_s: float = 2.0) -> C | None:
        """The cell of a bed or case; what was just sent is given a moment to arrive."""
        end = self.clock.monotonic_s() + wait_s
        while name not in self.cells:
            left = end - self.clock.monotonic_s()
            if left <= 0:
                return None
            await self.news(self.rev, left)
        return self.cells[name]
