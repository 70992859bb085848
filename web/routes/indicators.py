"""The indicators of a bed: for machines, and as a panel of its page. Needs no PostgreSQL."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal
from hospital_ops.board import BedCell
from hospital_ops.clock import iso
from hospital_ops.errors import NotFound
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import NOT_HERE, note_reading, unit_of_bed
from web.views import indicators as views

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/api/v1/icu/beds/{bed}/indicators")
async def indicators(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Every indicator that has an input: figure, inputs with their times, what is missing."""
    web, cell = web_of(request), await _cell(request, bed, principal)
    return {
        "bed": bed,
        "patient_id": cell.patient.patient_id if cell.patient else None,
        "server_time": iso(web.clock.now_us()),
        "mode": cell.mode,
        "indicators": cell.indicators,
        "sources": {name: views.source_of(name) for name in cell.indicators},
    }


@router.get("/icu/beds/{bed}/indicators")
async def panel(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The panel of the bed's page, asked for again each minute."""
    web, cell = web_of(request), await _cell(request, bed, principal)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    text = web.renderer.fill(
        "_indicators.html",
        bed=bed,
        figures=views.panel(cell.indicators, frame),
        hours=views.hours(cell.indicators, frame),
        w=frame.words,
    )
    return HTMLResponse(text)


async def _cell(request: Request, bed: str, principal: Principal) -> BedCell:
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_indicators", bed)
    feed = web.feed(unit)
    if feed is None:
        raise NotFound(NOT_HERE)
    cell = feed.cells.get(bed)
    return cell if isinstance(cell, BedCell) else BedCell(bed, bed, None, {})
