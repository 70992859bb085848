"""Somebody has heard the test tone of a board: noted once a shift, with the board that sounded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from hospital_ops.access import Permission, Principal, require
from hospital_ops.errors import NotFound
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.reading import NOT_HERE, note_reading

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.post("/api/v1/icu/units/{unit}/sound-check")
async def sound_check(request: Request, unit: str, principal: Someone) -> dict[str, str]:
    """The three tones were heard at this screen."""
    if not web_of(request).places.has_unit(unit):
        raise NotFound(NOT_HERE)
    require(principal, Permission.SEE_BOARD, hospital_of(unit), unit)
    await note_reading(request, principal, unit, "sound_checked", unit)
    return {"unit": unit, "checked_by": principal.actor}
