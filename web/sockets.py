"""Board sockets: snapshot, then changes by `rev`, a beat each second, and what was painted."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from hospital_ops import log, wire
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.clock import iso
from hospital_ops.errors import NotStored
from streams.pipe import ReplyError
from streams.shard import hospital_of
from web.auth import check_origin, credentials, identify, web_of
from web.boards import Feed
from web.language import language_of
from web.state import Web

router = APIRouter()
logger = log.get("sockets")

BEAT_S = 1.0
CHECK_S = 2.0  # a revoked session's socket closes within 5 s
PAINT_LIMIT_S = 5.0  # a board that no longer confirms what it paints is cut off
MESSAGE_MAX = 4096  # what a board sends is short

REFUSED = 1008  # the page does not come back: sign in again


@router.websocket("/ws/v1/boards/{unit}")
async def board(socket: WebSocket, unit: str, format: str = "json", rev: int | None = None) -> None:
    """A board for as long as its session lasts."""
    web = web_of(socket)
    check_origin(socket)
    try:
        principal = await identify(socket)
    except NotStored:
        await socket.close(1013)
        return
    feed = web.feed(unit)
    if principal is None or feed is None or not _may_look(principal, unit):
        if credentials(socket) is not None:  # a page is told in words; strangers get 403
            await socket.accept()
        await socket.close(REFUSED)
        return
    await socket.accept()
    form = "json" if format == "json" else f"html:{language_of(socket)}"
    viewer = _Viewer(web, socket, feed, principal, form)
    try:
        await viewer.run(rev)
    except (WebSocketDisconnect, RuntimeError, OSError):
        return  # gone: it comes back by itself


def _may_look(principal: Principal, unit: str) -> bool:
    return allows(principal, Permission.SEE_BOARD, hospital_of(unit), unit)


class _Viewer:
    """One screen: what it has been sent, and what it says that it has painted."""

    def __init__(
        self, web: Web, socket: WebSocket, feed: Feed, principal: Principal, form: str
    ) -> None:
        self.web, self.socket, self.feed = web, socket, feed
        self.principal, self.form = principal, form
        self.rev = 0
        self.painted_at: float | None = None  # None: it has never confirmed anything
        self.unpainted_since: float | None = None

    async def run(self, rev: int | None) -> None:
        """Sends until the viewer goes, falls silent, or may look no longer."""
        listening = asyncio.create_task(self._listen())
        try:
            await self.feed.ready.wait()
            await self._begin(rev)
            await self._follow(listening)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
                await listening

    async def _begin(self, rev: int | None) -> None:
        """Changes from `rev` where that is known still, else a whole board."""
        self.rev = self.feed.rev
        known = self.feed.since(rev, self.form) if rev is not None else None
        for message in [self.feed.snapshot(self.form)] if known is None else known:
            await self.socket.send_text(message)

    async def _follow(self, listening: asyncio.Task[None]) -> None:
        monotonic = self.web.clock.monotonic_s
        beat_at = checked_at = monotonic()
        await self._beat()
        while not listening.done():
            await self.feed.news(self.rev, max(0.01, beat_at + BEAT_S - monotonic()))
            await self._send_news()
            now = monotonic()
            if now >= beat_at + BEAT_S:
                beat_at = now
                await self._beat()
            if now >= checked_at + CHECK_S:
                checked_at = now
                if not await self._still_allowed():
                    await self.socket.close(REFUSED)
                    return
            if self._stopped_painting(now):
                logger.warning("board_stopped_painting", unit=self.feed.unit.unit)
                await self.socket.close(1013)
                return

    async def _send_news(self) -> None:
        if self.feed.rev == self.rev:
            return
        messages = self.feed.since(self.rev, self.form)
        self.rev = self.feed.rev
        if self.unpainted_since is None:
            self.unpainted_since = self.web.clock.monotonic_s()
        for message in [self.feed.snapshot(self.form)] if messages is None else messages:
            await self.socket.send_text(message)

    async def _beat(self) -> None:
        """A beat only while Redis answers: a board without its stream is not live."""
        if self.web.clock.monotonic_s() - self.feed.live_at > 2 * CHECK_S:
            return
        now = iso(self.web.clock.now_us())
        await self.socket.send_text(
            wire.to_json({"type": "beat", "rev": self.rev, "server_time": now}).decode()
        )

    def _stopped_painting(self, now: float) -> bool:
        """Whether a board that used to confirm its pictures has not done so for 5 s."""
        if self.painted_at is None or self.unpainted_since is None:
            return False
        return now - max(self.painted_at, self.unpainted_since) > PAINT_LIMIT_S

    async def _still_allowed(self) -> bool:
        try:
            known = await self.web.projections.principal_by_key(
                self.principal.hospital, self.principal.key, self.web.clock.now_us()
            )
        except (OSError, ReplyError):
            return True  # Redis is away: no beat goes out either, so the board is not live
        return known is not None and _may_look(known, self.feed.unit.unit)

    async def _listen(self) -> None:
        while True:
            text = await self.socket.receive_text()
            if len(text) > MESSAGE_MAX:
                await self.socket.close(1009)
                return
            try:
                message = wire.from_json(text.encode())
            except (wire.DecodeError, UnicodeError):
                continue
            if isinstance(message, dict) and message.get("type") == "painted":
                self.painted_at = self.web.clock.monotonic_s()
                if message.get("rev") == self.rev:
                    self.unpainted_since = None
