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
from web.routes.bedecgs import Reach, of_bed
from web.state import Web
from web.streetecgs import store as ecgs
from web.streetecgs.store import Taken
from web.views.street import Item, done, lowest
from web.views.streetecgs import lines
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
    taken: list[Taken] = []
    away = False
    try:
        if patient is not None:
            reach = await of_bed(web, principal, bed, patient.patient_id)
            rows, said = await _told(web, reach)
            taken = await ecgs.of_cases(web.database, reach.scope, reach.cases, reach.only)
    except DatabaseGone:
        away = True
    return HTMLResponse(
        web.renderer.fill(
            "_street.html",
            w=frame.words,
            away=away,
            values=lowest(rows, frame),
            said=done(said, frame),
            ecgs=lines(taken, frame),
            at=f"/icu/beds/{bed}",
        )
    )


async def _told(web: Web, reach: Reach) -> tuple[list[Record], list[Item]]:
    """The values of the cases that led here, and what was done and agreed on the way."""
    database, wide = web.database, reach.scope
    found: list[Record] = []
    said: list[Item] = []
    for case in reach.cases:
        values, _ = await store.case_record(database, wide, case, reach.only)
        found += values
        async with database.transaction(wide) as connection:
            said += await whereabouts.case_items(connection, case, reach.only)
    # Of two cases the lower value: the last row of a code is the one that is shown.
    return sorted(found, key=lambda row: -float(row["lowest"] or 0)), said
