"""A unit's board as the web process keeps it: one snapshot, and the changes of the last minute.

One task per unit reads `out`; what changed is made into one ready WebSocket frame per format, and
the same bytes are handed to everyone who looks. Nobody waits for a viewer: one whose line is full
is passed over and gets all that it lacks, or a new snapshot, when it reads again.
"""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Generic, NamedTuple, TypedDict, TypeVar

from hospital_ops import log, wire
from hospital_ops.board import HEAD, BedCell, CaseCell, Head, alarm_json, decode_head
from hospital_ops.board_coming import coming_json
from hospital_ops.clock import Clock, iso
from streams.pipe import Pipe, ReplyError, read_streams
from streams.projections import Places, Unit
from streams.publish import read_board
from streams.shard import keys
from web.lines import Viewer, text_frame
from web.render import Renderer

KEPT_S = 60.0  # a board resumes by `rev` within this (SAFETY.md rule 8)
BLOCK_MS = 2000
RETRY_S = 0.5
RING = 2000  # changes kept at the most: bounds the memory where they come fast
BEAT_S = 1.0
SILENT_S = 4.0  # without an answer of Redis no beat goes out: the board is not live
STOOD_STILL_S = 2.0  # asked each second: a longer pause was this process's own
SNAPSHOT_KEPT_S = 0.1  # many who come back at once get the same one: its ages tell tenths
JSON: Final = "json"  # the public form; of the pages' there is `html:LANGUAGE`

C = TypeVar("C", BedCell, CaseCell)
logger = log.get("feed")


@dataclass(slots=True)
class Change(Generic[C]):
    """One revision: what was there before, and what is there now."""

    rev: int
    before: dict[str, C | None]
    after: dict[str, C]
    removed: tuple[str, ...]
    cells: Mapping[str, C]  # the whole board after this revision
    head: Head | None
    head_before: Head | None = None


class Kept(NamedTuple):
    """What is kept of a revision for who resumes: its finished frames alone."""

    rev: int
    until: float
    frames: dict[str, bytes]  # by format


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
        self.changes: deque[Kept] = deque(maxlen=RING)
        self.forms: dict[str, float] = {}  # frames are made of these, until when
        self.ready = asyncio.Event()
        self.unpainted: dict[str, int] = {}  # reds that no board has confirmed, and their rev
        self.live_at = -math.inf  # when Redis last answered, by the monotonic clock
        self.viewers: set[Viewer] = set()
        self._looked_at = clock.monotonic_s()  # when it was last asked whether it is live
        self._news = asyncio.Event()
        self._behind: dict[tuple[int, str], bytes] = {}  # frames for who has that revision
        self._snapshots: dict[str, tuple[float, int, bytes]] = {}  # made at, rev, frame

    async def run(self) -> None:
        """Follows the unit until cancelled; begins with the whole board after a fault."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat())
            tasks.create_task(self._read_on())

    async def _read_on(self) -> None:
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
            self.become(board.rev, board.cells)
        self.unpainted.clear()
        self.note_reds({}, self.cells)
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

    def become(self, rev: int, cells: Mapping[str, bytes]) -> None:
        """Takes over a whole board, as it stands in Redis or stood at a past second."""
        self.rev = rev
        head = cells.get(HEAD)
        self.head = decode_head(head) if head else None
        self.cells = self.decoded({n: c for n, c in cells.items() if n != HEAD}, {})

    def _apply(self, entry: wire.Changed) -> None:
        cells, head_before = dict(entry.cells), self.head
        head = cells.pop(HEAD, None)
        if head is not None:
            self.head = decode_head(head)
        after: dict[str, C] = self.decoded(cells, self.cells)
        before = {name: self.cells.get(name) for name in (*after, *entry.removed)}
        self.cells = self.cells | after
        for name in entry.removed:
            self.cells.pop(name, None)
        self.rev = entry.rev
        self.note_reds(before, after)
        now = self.clock.monotonic_s()
        while self.changes and self.changes[0].until < now:
            self.changes.popleft()
        change = Change(
            rev=entry.rev,
            before=before,
            after=after,
            removed=entry.removed,
            cells=self.cells,
            head=self.head,
            head_before=head_before,
        )
        frames = {
            form: self._frame(change, form) for form, until in self.forms.items() if until > now
        }
        self.changes.append(Kept(entry.rev, now + KEPT_S, frames))

    def used(self, form: str) -> None:
        """Somebody has a board in this format, and may resume it for as long as changes are kept.

        A format that nobody has had for so long costs nothing: whoever comes with it begins anew.
        """
        self.forms[form] = self.clock.monotonic_s() + KEPT_S

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()
        self._behind.clear()
        now = self.clock.monotonic_s()
        for viewer in self.viewers:
            self.show(viewer, now)

    async def _beat(self) -> None:
        """A beat each second, only while Redis answers; who is behind catches up first."""
        while True:
            await asyncio.sleep(BEAT_S)
            for form in {viewer.form for viewer in self.viewers}:
                self.used(form)
            if not self._is_live():
                continue
            now, beat = self.clock.monotonic_s(), self.beat_frame()
            for viewer in self.viewers:
                self.show(viewer, now)
                if viewer.line.free and viewer.rev == self.rev:
                    viewer.line.put(beat)

    def _is_live(self) -> bool:
        """Whether a beat may be sent: Redis answers, and this process did not stand still.

        After a standstill what came meanwhile is read before anything is called live.
        """
        now = self.clock.monotonic_s()
        if now - self._looked_at > STOOD_STILL_S:
            self.live_at = -math.inf
        self._looked_at = now
        return now - self.live_at <= SILENT_S

    def beat_frame(self) -> bytes:
        """What says that the board is live, and at which revision."""
        now = iso(self.clock.now_us())
        return text_frame(wire.to_json({"type": "beat", "rev": self.rev, "server_time": now}))

    def begin(self, viewer: Viewer, rev: int | None) -> None:
        """A screen comes: the changes after `rev` where they are known still, else a snapshot."""
        self.used(viewer.form)
        if rev is None or not self._resume(viewer, rev):
            self._whole(viewer)
        viewer.rev = self.rev
        if self._is_live():
            viewer.line.put(self.beat_frame())
        self.viewers.add(viewer)

    def _resume(self, viewer: Viewer, rev: int) -> bool:
        """Sends the changes after `rev`; False where they are not known."""
        frames = self._since(rev, viewer.form)
        if frames:
            viewer.line.put(frames)
        return frames is not None

    def _whole(self, viewer: Viewer) -> None:
        """Sends a board that others get too, and what came since it was made."""
        made_at, frame = self._snapshot_frame(viewer.form)
        viewer.line.put(frame)
        self._resume(viewer, made_at)

    def show(self, viewer: Viewer, now: float) -> None:
        """Sends a viewer what it lacks, unless its line is full."""
        if viewer.rev == self.rev or not viewer.line.free:
            return
        if not self._resume(viewer, viewer.rev):
            self._whole(viewer)
        viewer.rev = self.rev
        if viewer.unpainted_since is None:
            viewer.unpainted_since = now

    async def news(self, after_rev: int, timeout_s: float) -> None:
        """Returns when there is more than `after_rev`, or after `timeout_s`."""
        if self.rev > after_rev:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return

    def _since(self, rev: int, form: str) -> bytes | None:
        """Frames of the revisions after `rev`; None where a whole board is needed."""
        known = self._behind.get((rev, form))
        if known is not None:
            return known
        if rev == self.rev:
            return b""
        if not self.changes or not self.changes[0].rev <= rev + 1 <= self.rev:
            return None
        behind = [kept.frames.get(form) for kept in islice(reversed(self.changes), self.rev - rev)]
        made = [frame for frame in reversed(behind) if frame is not None]
        if len(made) < len(behind):
            return None
        frames = self._behind[rev, form] = made[0] if len(made) == 1 else b"".join(made)
        return frames

    def _frame(self, change: Change[C], form: str) -> bytes:
        if form == JSON:
            return text_frame(self._json(change))
        return text_frame(self.html(change, form.partition(":")[2]).encode())

    def _snapshot_frame(self, form: str) -> tuple[int, bytes]:
        """(rev, frame) of a whole board that is at most a tenth of a second old."""
        now = self.clock.monotonic_s()
        known = self._snapshots.get(form)
        if known is None or now - known[0] > SNAPSHOT_KEPT_S or self._since(known[1], form) is None:
            known = self._snapshots[form] = now, self.rev, text_frame(self.snapshot(form))
        return known[1], known[2]

    def _json(self, change: Change[C]) -> bytes:
        now = self.clock.now_us()
        message: dict[str, Any] = {
            "type": "change",
            "rev": change.rev,
            "server_time": iso(now),
            self.plural: [self.view(cell, now) for cell in change.after.values()],
        }
        if change.removed:
            message["removed"] = list(change.removed)
        return wire.to_json(message)

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
            "alarms": [alarm_json(alarm) for alarm in head.alarms] if head else [],
            "coming": [coming_json(one) for one in head.coming] if head else [],
            "ecg_analysis": head.ecg_analysis if head else True,
            self.plural: [self.view(cell, now) for cell in self.whole(self.cells)],
        }

    def snapshot(self, form: str) -> bytes:
        """The text of a whole board for one viewer who begins or fell behind."""
        if form == JSON:
            return wire.to_json(self.snapshot_json())
        return self.html_snapshot(form.partition(":")[2]).encode()

    def note_reds(self, before: Mapping[str, C | None], after: Mapping[str, C]) -> None:
        """Keeps `unpainted` up to date; a board without alarms has nothing to keep."""

    def painted(self, rev: int) -> tuple[str, ...]:
        """A screen shows revision `rev`: the reds that are confirmed by it, each told once."""
        if not self.unpainted:
            return ()
        shown = tuple(alarm for alarm, since in self.unpainted.items() if since <= rev)
        for alarm in shown:
            del self.unpainted[alarm]
        return shown

    @abstractmethod
    def decoded(self, cells: Mapping[str, bytes], known: Mapping[str, C]) -> dict[str, C]:
        """What of the board changed by cells as the live reader published them; `known` stood."""

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
