"""Board sockets: who may look, what was painted, and who is let go; the feed does the sending."""

from __future__ import annotations

import asyncio
from typing import Final, cast

from fastapi import APIRouter, WebSocket

from hospital_ops import log, wire
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.errors import NotStored
from streams.pipe import ReplyError
from streams.shard import hospital_of
from web.auth import check_origin, identify, web_of
from web.boards import Feed
from web.language import language_of
from web.lines import LINE, OpenLine, Viewer
from web.state import Web

router = APIRouter()
logger = log.get("sockets")

CHECK_S: Final = 2.0  # a revoked session's socket closes within 5 s
PAINT_LIMIT_S: Final = 5.0  # a board that no longer confirms what it paints is cut off
MESSAGE_MAX: Final = 4096  # what a board sends is short
REVOKED, TOO_LONG, AWAY = 1008, 1009, 1013


@router.websocket("/ws/v1/boards/{unit}")
async def board(socket: WebSocket, unit: str, format: str = "json", rev: int | None = None) -> None:
    """A board for as long as its session lasts."""
    web = web_of(socket)
    check_origin(socket)
    try:
        principal = await identify(socket)
    except NotStored:
        await socket.close(AWAY)
        return
    feed = web.feed(unit)
    if principal is None or feed is None or not _may_look(principal, unit):
        await socket.close(REVOKED)
        return
    await socket.accept()
    await feed.ready.wait()
    form = "json" if format == "json" else f"html:{language_of(socket)}"
    line = cast("OpenLine", socket.scope["extensions"][LINE])
    screen = Screen(web, line, feed, principal, form)
    feed.begin(screen, rev)
    line.hand_over(screen)


def _may_look(principal: Principal, unit: str) -> bool:
    return allows(principal, Permission.SEE_BOARD, hospital_of(unit), unit)


class Screen(Viewer):
    """A viewer with its line: what it says that it has painted, and whether it may stay."""

    line: OpenLine

    def __init__(
        self, web: Web, line: OpenLine, feed: Feed, principal: Principal, form: str
    ) -> None:
        super().__init__(line, form)
        self.web, self.feed, self.principal = web, feed, principal
        self.painted_at: float | None = None  # None: it has never confirmed anything

    def heard(self, text: str) -> None:
        """Takes what the screen confirms."""
        if len(text) > MESSAGE_MAX:
            self.line.end(TOO_LONG)
            return
        try:
            message = wire.from_json(text)
        except (wire.DecodeError, UnicodeError, RecursionError):
            return
        if isinstance(message, dict) and message.get("type") == "painted":
            self.painted_at = self.web.clock.monotonic_s()
            rev = message.get("rev")
            if rev == self.rev:
                self.unpainted_since = None
            shown = self.feed.painted(rev) if isinstance(rev, int) and rev <= self.rev else ()
            if shown:
                task = asyncio.create_task(self._confirm(shown))
                self.web.tasks.add(task)
                task.add_done_callback(self.web.tasks.discard)

    def gone(self) -> None:
        """It comes back by itself."""
        self.feed.viewers.discard(self)

    async def _confirm(self, shown: tuple[str, ...]) -> None:
        """Tells the unit which reds this screen is the first to show (SAFETY rule 11)."""
        unit, now = self.feed.unit.unit, self.web.clock.now_us()
        try:
            await self.web.appender.append(unit, wire.Painted(unit=unit, alarms=shown, at=now))
        except NotStored:
            for alarm in shown:  # the next confirmation tells it again
                self.feed.unpainted.setdefault(alarm, 0)

    def check(self, known: Principal | None) -> None:
        """Lets it go where its session (`known`) has ended, or where it no longer paints."""
        if not self.line.free:
            return  # the server cuts a line that stays full
        if known is None or not _may_look(known, self.feed.unit.unit):
            self.line.end(REVOKED)
        elif self._stopped_painting(self.web.clock.monotonic_s()):
            logger.warning("board_stopped_painting", unit=self.feed.unit.unit)
            self.line.end(AWAY)

    def _stopped_painting(self, now: float) -> bool:
        """Whether a board that used to confirm its pictures has not done so for 5 s."""
        if self.painted_at is None or self.unpainted_since is None:
            return False
        return now - max(self.painted_at, self.unpainted_since) > PAINT_LIMIT_S


async def inspect(web: Web) -> None:
    """Checks every screen each 2 s; their sessions are asked for in one write."""
    while True:
        await asyncio.sleep(CHECK_S)
        screens = [v for f in web.feeds.values() for v in f.viewers if isinstance(v, Screen)]
        sessions = {(s.principal.hospital, s.principal.key) for s in screens}
        now = web.clock.now_us()
        try:
            known = await asyncio.gather(
                *(web.projections.principal_by_key(*session, now) for session in sessions)
            )
        except (OSError, ReplyError):
            continue  # Redis is away: no beat goes out either, so no board is live
        by_key = {found.key: found for found in known if found is not None}
        for screen in screens:
            screen.check(by_key.get(screen.principal.key))
