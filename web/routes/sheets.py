"""The hand-over sheet of a case: made from the store, signed; no ambulance waits for it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops.access import Permission, Principal, allows
from hospital_ops.board import CaseCell, case_json
from hospital_ops.clock import from_iso
from streams.shard import hospital_of
from triage.handover import store
from triage.handover.sheet import sheet_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import case_of, note_reading
from web.views.page import Page
from web.views.sheet import sheet_view
from web.views.values import clock
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/api/v1/prearrivals/{case}/sheet")
async def as_json(request: Request, case: str, principal: Someone) -> dict[str, Any]:
    """The sheet as it stands now, and the newest signed one."""
    unit, cell = await case_of(request, case, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_sheet", cell.case)
    kept = await store.signed(web_of(request).database, principal.scope, cell.case)
    return {"sheet": await _made(request, principal, cell), "signed": kept}


@router.get("/ed/cases/{case}/sheet", include_in_schema=False)
async def show(request: Request, case: str, principal: Someone) -> HTMLResponse:
    """The sheet on a page that prints."""
    web, words = web_of(request), words_of(language_of(request))
    unit, cell = await case_of(request, case, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_sheet", cell.case)
    kept = await store.signed(web.database, principal.scope, cell.case)
    frame = web.renderer.frame(words.language, web.clock.now_us())
    signed = ""
    if kept is not None:
        at = clock(from_iso(kept["at"]), frame.zone)
        signed = words.t("sheet.signed", by=kept["by"], time=at)
    title = words.t("sheet.title")
    page = Page(words=words, title=title, user=principal.actor, demo=web.demo, unit=unit)
    html = web.renderer.fill(
        "sheet.html",
        page=page,
        case=cell.case,
        sheet=sheet_view(await _made(request, principal, cell), frame),
        signed=signed,
        version=kept["version"] if kept else 0,
        may_sign=allows(principal, Permission.ACKNOWLEDGE_CASE, hospital_of(unit), unit),
    )
    return HTMLResponse(html)


@router.post("/ed/cases/{case}/sheet", include_in_schema=False)
async def sign(
    request: Request, case: str, principal: Someone, version: Annotated[int, Form(ge=0)]
) -> Response:
    """Signs the sheet as it stands now."""
    web = web_of(request)
    unit, cell = await case_of(request, case, principal, Permission.ACKNOWLEDGE_CASE)
    sheet, now = await _made(request, principal, cell), web.clock.now_us()
    await store.sign(web.database, principal, unit, cell.case, version, sheet, now)
    return RedirectResponse(f"/ed/cases/{cell.case}/sheet", status_code=303)


async def _made(request: Request, principal: Principal, cell: CaseCell) -> dict[str, Any]:
    web = web_of(request)
    now = web.clock.now_us()
    only = "Real" if cell.mode == "Real" else None  # nothing simulated stands at a real patient
    readings = await store.readings_of(web.database, principal.scope, cell.case, only)
    return sheet_of(readings, case_json(cell, now), now)
