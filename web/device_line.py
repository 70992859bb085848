"""The line of a native device once it is let in: message after message, each answered after fsync.

The hospital (`web/devices.py`) and the box of a unit (`web/edge.py`) hold it in the same way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, Protocol

from fastapi import WebSocket, WebSocketDisconnect

from hospital_ops import log, wire
from hospital_ops.access import Principal
from hospital_ops.clock import Clock
from streams.device_intake import Answer

logger = log.get("devices")

CHECK_S: Final = 2.0  # a revoked token's socket closes within 5 s
# SAFETY.md section 3 asks for 20 messages a second: values each second and curves twice a second
# are 3. After an outage a device brings what it kept, so a burst may come at once; beyond it the
# device is read more slowly, which loses nothing and holds up nobody else.
MESSAGES_PER_S: Final = 20.0
BURST: Final = 100
REVOKED: Final = 1008
AWAY: Final = 1013


class Takes(Protocol):
    """What stores a message before it answers."""

    async def take_text(self, sender: Principal, text: str, /) -> Answer:
        """The answer to a message of values."""
        ...

    async def take_frames(self, sender: Principal, message: bytes, /) -> Answer:
        """The answer to a message of curves."""
        ...


async def attend(
    socket: WebSocket,
    principal: Principal,
    intake: Takes,
    clock: Clock,
    known: Callable[[], Awaitable[bool]],
) -> None:
    """Holds an accepted socket until the device leaves or is no longer `known`."""
    listening = asyncio.create_task(_listen(socket, principal, intake, clock))
    try:
        while not (await asyncio.wait([listening], timeout=CHECK_S))[0]:
            if not await known():
                await socket.close(REVOKED)
                break
    except (WebSocketDisconnect, RuntimeError, OSError):
        return  # gone: it comes back by itself
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
            await listening


async def _listen(socket: WebSocket, principal: Principal, intake: Takes, clock: Clock) -> None:
    """Takes message after message; the next one is read when this one has its answer."""
    pace = Pace(clock.monotonic_s())
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        wait_s = pace.wait_s(clock.monotonic_s())
        if wait_s > 0:
            if pace.just_began:
                logger.warning("device_too_fast", device=principal.actor)
            await asyncio.sleep(wait_s)
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
