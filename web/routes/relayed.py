"""`/api/v1/relayed`: what the box of a unit forwards, and whose tokens it may accept."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from hospital_ops import wire
from hospital_ops.access import Principal, Role
from hospital_ops.clock import iso
from hospital_ops.errors import MessageError, NotFound
from hospital_ops.forward.items import Relay
from streams.relayed import RelayedIntake, devices_within
from web.auth import signed_in, web_of
from web.state import Web

router = APIRouter()
_decode = wire.decoder(Relay)


async def box_of(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """Only a registered gateway is a box."""
    if principal.role is not Role.GATEWAY:
        raise NotFound("This does not exist, or it is not within your units.")
    return principal


Box = Annotated[Principal, Depends(box_of)]


@router.post("/api/v1/relayed")
async def relayed(request: Request, box: Box) -> dict[str, Any]:
    """`{"items": {id: "stored" | "kept" | "again"}, "server_time"}`; each item by itself."""
    web = web_of(request)
    try:
        relay = _decode(await request.body())
    except wire.DecodeError:
        raise MessageError("not_a_relay", "send [sent_at, [item, ...]] as MessagePack") from None
    outcomes = await _intake(web).take(box, relay)
    return {"items": outcomes, "server_time": iso(web.clock.now_us())}


@router.get("/api/v1/relayed/devices")
async def devices(request: Request, box: Box) -> dict[str, Any]:
    """The devices of the box's units with the hashes of their tokens, never the tokens."""
    web = web_of(request)
    everyone = await web.projections.principals(box.hospital, web.clock.now_us())
    return {"devices": devices_within(box, everyone), "server_time": iso(web.clock.now_us())}


def _intake(web: Web) -> RelayedIntake:
    """One for the life of the process: it remembers beds that ADT named."""
    if web.relayed is None:
        web.relayed = RelayedIntake(web.appender, web.places, web.intake, web.clock)
    return web.relayed
