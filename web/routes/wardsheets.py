"""The ward sheet for paper, as it is now; each quarter of an hour one goes to the disk."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal, require
from hospital_ops.errors import NotFound
from streams.shard import hospital_of
from web import wardsheet
from web.auth import signed_in, web_of
from web.boards import IcuBoard
from web.language import language_of
from web.reading import NOT_HERE, note_reading

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/icu/{unit}/sheet")
async def sheet(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """Every bed of a unit on paper."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    web = web_of(request)
    feed = web.feed(unit)
    if not isinstance(feed, IcuBoard):
        raise NotFound(NOT_HERE)
    await note_reading(request, principal, unit, "read_sheet", unit)
    css = "/static/css/paper.css"
    return HTMLResponse(await wardsheet.render(web, feed, language_of(request), css, principal))
