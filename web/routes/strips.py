"""A strip of stored curves for print: any ten seconds to a minute of a bed, in millimetres."""

from __future__ import annotations

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND
from hospital_ops.curves.export import laid
from hospital_ops.errors import MessageError
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import units_of
from web.quota import STRIPS
from web.reading import moment, note_reading, unit_of_bed
from web.views import strip as views
from web.whereabouts import curves

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
LONGEST_US: Final = 60 * SECOND


@router.get("/icu/beds/{bed}/strip")
async def strip(
    request: Request,
    bed: str,
    principal: Someone,
    since: Annotated[str, Query(alias="from")],
    until: Annotated[str, Query(alias="to")],
) -> HTMLResponse:
    """The stored curves between two moments, at most a minute: 25 mm/s and 10 mm/mV on paper."""
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    start, end = moment(since), moment(until)
    if start is None or end is None or not start < end <= start + LONGEST_US:
        raise MessageError("bad_range", "`from` lies before `to`, at most a minute")
    # Whole seconds, and as many as were asked for: ten seconds stay one sheet.
    seconds = -(-(end - start) // SECOND)
    start = round(start / SECOND) * SECOND
    end = start + seconds * SECOND
    await note_reading(request, principal, unit, "read_strip", bed)
    with web.quotas.one(STRIPS, principal.actor, web.clock.now_us()):
        # Also of an earlier bed of the stay; never what is another patient's.
        _, own = await curves.pieces(web.database, principal.scope, bed, start, end)
    traces = await asyncio.to_thread(laid, own, start, end)
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    return HTMLResponse(
        views.render(
            web.renderer,
            frame,
            cell=cell if isinstance(cell, BedCell) else BedCell(bed, bed, None, {}),
            unit=unit,
            traces=traces,
            start_us=start,
            end_us=end,
            simulated=any(curve.mode != "Real" for curve, _ in own),
            user=principal.actor,
            demo=web.demo,
            units=units_of(web, principal),
        )
    )
