"""`WS /ws/v1/devices`: values and curves of a native device, each message answered after fsync."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from hospital_ops import log, wire
from hospital_ops.access import PERMISSIONS, Permission, Principal
from hospital_ops.errors import NotStored
from streams.device_intake import Answer, DeviceIntake
from streams.pipe import ReplyError
from web.auth import check_origin, identify, web_of
from web.state import Web

router = APIRouter()
logger = log.get("devices")

CHECK_S: Final = 2.0  # a revoked token's socket closes within 5 s
# SAFETY.md section 3 asks for 20 messages a second: values each second and curves twice a second
# are 3. After an outage a device brings what it kept, so a burst may come at once; beyond it the
# device is read more slowly, which loses nothing and holds up nobody else.
MESSAGES_PER_S: Final = 20.0
BURST: Final = 100
REVOKED: Final = 1008
AWAY: Final = 1013


@router.websocket("/ws/v1/devices")
async def device(socket: WebSocket) -> None:
    """A device for as long as its token lasts."""
    web = web_of(socket)
    check_origin(socket)
    try:
        principal = await identify(socket)
    except NotStored:
        await socket.close(AWAY)
        return
    if principal is None or Permission.SEND_VALUES not in PERMISSIONS[principal.role]:
        await socket.close(REVOKED)
        return
    await socket.accept()
    intake = DeviceIntake(web.appender, web.places, web.intake, web.clock)
    listening = asyncio.create_task(_listen(web, socket, principal, intake))
    try:
        while not await _ended(listening, CHECK_S):
            if not await _still_known(web, principal):
                await socket.close(REVOKED)
                break
    except (WebSocketDisconnect, RuntimeError, OSError):
        return  # gone: it comes back by itself
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
            await listening


async def _ended(task: asyncio.Task[None], wait_s: float) -> bool:
    return bool((await asyncio.wait([task], timeout=wait_s))[0])


async def _still_known(web: Web, principal: Principal) -> bool:
    try:
        known = await web.projections.principal_by_key(
            principal.hospital, principal.key, web.clock.now_us()
        )
    except (OSError, ReplyError):
        return True  # Redis is away: nothing is stored and nothing acknowledged either
    return known is not None


async def _listen(web: Web, socket: WebSocket, principal: Principal, intake: DeviceIntake) -> None:
    """Takes message after message; the next one is read when this one has its answer."""
    pace = Pace(web.clock.monotonic_s())
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        wait_s = pace.wait_s(web.clock.monotonic_s())
        if wait_s > 0:
            if pace.just_began:
                logger.warning("device_too_fast", device=principal.actor)
            await asyncio.sleep(wait_s)
        answer: Answer
        if message.get("bytes") is not None:
            answer = await intake.take_frames(principal, message["bytes"])
        else:
            answer = await intake.take_text(principal, message.get("text") or "")
        await socket.send_text(wire.to_json(answer).decode())


class Pace:
    """A token bucket: how long the next message has to wait."""

    def __init__(self, now_s: float) -> None:
        self._left, self._at = float(BURST), now_s
        self._late = False
        self.just_began = False  # the first wait after a time without

    def wait_s(self, now_s: float) -> float:
        """Seconds to wait before this message; 0 within the allowance."""
        self._left = min(BURST, self._left + (now_s - self._at) * MESSAGES_PER_S)
        self._at = now_s
        self._left -= 1
        wait_s = max(0.0, -self._left / MESSAGES_PER_S)
        self.just_began = wait_s > 0 and not self._late
        self._late = wait_s > 0
        return wait_s
