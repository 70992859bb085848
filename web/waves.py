"""`WS /ws/v1/waveforms/{unit}`: the curves of a unit as binary frames (docs/waveforms.md)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Annotated, Final

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from hospital_ops import waveform
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.clock import SECOND
from hospital_ops.errors import NotStored
from streams.pipe import ReplyError
from streams.shard import hospital_of
from streams.waves import recent
from web.auth import check_origin, identify, web_of
from web.state import Web
from web.wavefeed import Viewer, WaveFeed

router = APIRouter()

BEAT_S: Final = 1.0
RECENT_US: Final = 10 * SECOND  # about a sweep of the bed's page
CHECK_S: Final = 2.0  # a revoked session's socket closes within 5 s
REVOKED, AWAY = 1008, 1013
BEAT: Final = waveform.mark(waveform.BEAT)


@router.websocket("/ws/v1/waveforms/{unit}")
async def waveforms(
    socket: WebSocket, unit: str, bed: str = "", code: Annotated[list[str] | None, Query()] = None
) -> None:
    """The curves of a unit, or of one of its beds, for as long as the session lasts."""
    web = web_of(socket)
    check_origin(socket)
    try:
        principal = await identify(socket)
    except NotStored:
        await socket.close(AWAY)
        return
    known = web.places.has_unit(unit) and (not bed or web.places.unit_of_bed(bed) == unit)
    if principal is None or not known or not _may_look(principal, unit):
        await socket.close(REVOKED)
        return
    await socket.accept()
    feed = web.waves.setdefault(unit, WaveFeed(web.redis_url, unit))
    viewer = Viewer(bed, code or ())
    feed.join(viewer)
    try:
        await _serve(web, socket, principal, unit, viewer)
    except (WebSocketDisconnect, RuntimeError, OSError, ReplyError):
        return  # gone: it comes back by itself
    finally:
        await feed.leave(viewer)


def _may_look(principal: Principal, unit: str) -> bool:
    return allows(principal, Permission.SEE_BOARD, hospital_of(unit), unit)


async def _serve(
    web: Web, socket: WebSocket, principal: Principal, unit: str, viewer: Viewer
) -> None:
    gone = asyncio.create_task(_until_gone(socket))
    monotonic = web.clock.monotonic_s
    beat_at = checked_at = monotonic()
    try:
        await socket.send_bytes(BEAT)
        since_us = web.clock.now_us() - RECENT_US
        # A piece may come twice, from here and from the reader: a screen knows it by its time.
        for message in viewer.begin(await recent(web.appender.pipe, unit, since_us)):
            await socket.send_bytes(message)
        while not gone.done():
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.01, beat_at + BEAT_S - monotonic())):
                    await viewer.news.wait()
            while viewer.waiting:
                await socket.send_bytes(viewer.take())
            if monotonic() >= beat_at + BEAT_S:
                beat_at = monotonic()
                await socket.send_bytes(BEAT)
            if monotonic() >= checked_at + CHECK_S:
                checked_at = monotonic()
                if not await _still_allowed(web, principal, unit):
                    await socket.close(REVOKED)
                    return
    finally:
        gone.cancel()
        with suppress(asyncio.CancelledError):
            await gone


async def _until_gone(socket: WebSocket) -> None:
    """A screen says nothing here; what it sends is read and left."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        continue


async def _still_allowed(web: Web, principal: Principal, unit: str) -> bool:
    try:
        known = await web.projections.principal_by_key(
            principal.hospital, principal.key, web.clock.now_us()
        )
    except (OSError, ReplyError):
        return True  # Redis is away: no curve goes out either
    return known is not None and _may_look(known, unit)
