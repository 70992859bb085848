"""What was lowest before the hospital, beside a bed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal
from hospital_ops.board import BedCell
from hospital_ops.database import DatabaseGone, Record
from web import store
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import note_reading, unit_of_bed
from web.state import Web
from web.views.street import Item, done, lowest
from web.whereabouts import store as whereabouts

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/icu/beds/{bed}/street")
async def street(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """The lowest values that the crews had measured of whoever lies in the bed; often nothing."""
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_street", bed)
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    patient = cell.patient if isinstance(cell, BedCell) else None
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    rows: list[Record] = []
    said: list[Item] = []
    away = False
    try:
        if patient is not None:
            rows, said = await _told(web, principal, bed, patient.patient_id)
    except DatabaseGone:
        away = True
    return HTMLResponse(
        web.renderer.fill(
            "_street.html",
            w=frame.words,
            away=away,
            values=lowest(rows, frame),
            said=done(said, frame),
        )
    )


async def _told(
    web: Web, principal: Principal, bed: str, patient: str
) -> tuple[list[Record], list[Item]]:
    """The values of the cases that led here, and what was done and agreed on the way."""
    database, scope = web.database, principal.scope
    here, wide = await whereabouts.stay(database, scope, bed)
    found: list[Record] = []
    said: list[Item] = []
    for case in await store.cases_of(database, scope, patient):
        values, _ = await store.case_record(database, wide, case, here.only)
        found += values
        async with database.transaction(wide) as connection:
            said += await whereabouts.case_items(connection, case, here.only)
    # Of two cases the lower value: the last row of a code is the one that is shown.
    return sorted(found, key=lambda row: -float(row["lowest"] or 0)), said
