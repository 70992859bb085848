"""The last hours of a bed as small curves on its page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import note_reading, unit_of_bed
from web.routes.trends import steps
from web.trends import store
from web.views import course

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/icu/beds/{bed}/course")
async def panel(request: Request, bed: str, principal: Someone, span: str = "") -> HTMLResponse:
    """The panel of the bed's page over one of `course.SPANS`, asked for again each minute."""
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await note_reading(request, principal, unit, "read_trends", bed)
    span = span if span in course.SPANS else course.USUAL
    now = web.clock.now_us()
    start, end, step = steps(now - course.SPANS[span], now, course.STEPS)
    found = await store.trends(web.database, principal.scope, bed, course.CODES, start, end, step)
    rows = await store.events(web.database, principal.scope, bed, start, end)
    frame = web.renderer.frame(language_of(request), now)
    text = web.renderer.fill(
        "_course.html",
        bed=bed,
        span=span,
        spans=tuple(course.SPANS),
        lanes=course.lanes(found, start, end, step, frame),
        marks=course.marks(rows, start, end, frame),
        hours=course.hours(start, end, frame),
        size=(course.WIDTH, course.HEIGHT),
        w=frame.words,
    )
    return HTMLResponse(text)
