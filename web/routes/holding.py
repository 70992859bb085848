"""Which limits of treatment hold, at the top of a bed's page, as the board has them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal
from hospital_ops.board import BedCell
from web.auth import signed_in, web_of
from web.language import spoken
from web.reading import unit_of_bed
from web.views import flags

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/icu/beds/{bed}/limits-held")
async def limits_held(
    request: Request, bed: str, principal: Someone, have: str = ""
) -> HTMLResponse:
    """The lines, or 204 where the page has just these."""
    web, unit = web_of(request), unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    if not isinstance(cell, BedCell):
        return HTMLResponse(status_code=204)
    words = spoken(request)
    held = flags.held(cell, words)
    if have == held.digest:
        return HTMLResponse(status_code=204)
    return HTMLResponse(web.renderer.fill("_limits_held.html", w=words, bed=bed, held=held))
