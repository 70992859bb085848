"""`WS /ws/v1/devices`: values and curves of a native device, each message answered after fsync."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from hospital_ops.access import PERMISSIONS, Permission, Principal
from hospital_ops.errors import NotStored
from streams.device_intake import DeviceIntake
from streams.pipe import ReplyError
from web.auth import check_origin, identify, web_of
from web.device_line import AWAY, REVOKED, attend
from web.state import Web

router = APIRouter()


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

    async def known() -> bool:
        return await _still_known(web, principal)

    await attend(socket, principal, intake, web.clock, known)


async def _still_known(web: Web, principal: Principal) -> bool:
    try:
        known = await web.projections.principal_by_key(
            principal.hospital, principal.key, web.clock.now_us()
        )
    except (OSError, ReplyError):
        return True  # Redis is away: nothing is stored and nothing acknowledged either
    return known is not None
