"""The map of a unit's beds: free, taken, cleaning, reserved."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops import events
from hospital_ops.access import Permission, Principal, allows, require
from hospital_ops.board import BedCell
from hospital_ops.clock import from_iso
from hospital_ops.errors import MessageError, NotFound
from icu.bed_map import store
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import page_of
from web.reading import NOT_HERE, note_reading, unit_of_bed
from web.views.orders import day_clock
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/api/v1/icu/units/{unit}/beds")
async def listed(request: Request, unit: str, principal: Someone) -> list[dict[str, Any]]:
    """Every bed of a unit with what takes its place."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    await note_reading(request, principal, unit, "read_beds", unit)
    return await store.of_unit(web_of(request).database, principal, unit)


@router.post("/api/v1/icu/beds/{bed}/place")
async def place(request: Request, bed: str, principal: Someone) -> dict[str, Any]:
    """Marks an empty bed: `{"state": "free"|"cleaning"|"reserved", "words"}`."""
    sent = events.parse_json(await request.body() or b"{}")
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    state, words = str(sent.get("state", "")), str(sent.get("words") or "")
    await _put(request, bed, principal, state, words)
    return {"bed": bed, "state": state}


@router.get("/icu/{unit}/beds")
async def page(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """The map as a page."""
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    web, words = web_of(request), words_of(language_of(request))
    feed = web.feed(unit)
    if feed is None or feed.unit.kind != "icu":
        raise NotFound(NOT_HERE)
    await note_reading(request, principal, unit, "read_beds", unit)
    frame = web.renderer.frame(words.language, web.clock.now_us())
    beds = await store.of_unit(web.database, principal, unit)
    for bed in beds:
        cell = feed.cells.get(bed["bed"])
        patient = cell.patient if isinstance(cell, BedCell) else None
        bed["initials"] = patient.initials if patient else ""
        bed["refilings"] = cell.refilings if isinstance(cell, BedCell) else 0
        bed["behind"] = isinstance(cell, BedCell) and "record_left_behind" in cell.flags
        bed["since"] = day_clock(from_iso(bed["since"]), frame) if bed["since"] else ""
    made = page_of(request, principal, f"{words.t('bedmap.title')}: {feed.unit.name}", unit)
    may = allows(principal, Permission.CARRY_OUT_ORDER, hospital_of(unit), unit)
    return HTMLResponse(web.renderer.fill("bedmap.html", page=made, beds=beds, may=may))


@router.post("/icu/{unit}/beds")
async def press(
    request: Request,
    unit: str,
    principal: Someone,
    bed: Annotated[str, Form(max_length=80)],
    state: Annotated[str, Form(max_length=16)],
    words: Annotated[str, Form(max_length=120)] = "",
) -> Response:
    """Marks a bed, then shows the map again."""
    await _put(request, bed, principal, state, words)
    return RedirectResponse(f"/icu/{unit}/beds", status_code=303)


async def _put(request: Request, bed: str, principal: Principal, state: str, words: str) -> None:
    web = web_of(request)
    unit_of_bed(request, bed, principal, Permission.CARRY_OUT_ORDER)
    await store.put(web.database, principal, bed, state, words.strip()[:120], web.clock.now_us())
