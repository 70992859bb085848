"""What a unit did in a period: a page and JSON. Of a unit, of no person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from hospital_ops.access import Permission, Principal, require
from hospital_ops.clock import iso
from hospital_ops.errors import NotFound
from icu.statistics import figures, store
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import page_of
from web.reading import NOT_HERE, note_reading
from web.views import statistics as view
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
Days = Annotated[int, Query(ge=1, le=92)]
OFFERED = (1, 7, 30, 92)


@router.get("/api/v1/icu/units/{unit}/statistics")
async def statistics_json(
    request: Request, unit: str, principal: Someone, days: Days = 30
) -> dict[str, Any]:
    """The last `days` (1 to 92) local days up to now; null is a count of fewer than `least`."""
    return await _found(request, unit, principal, days)


@router.get("/icu/{unit}/statistics")
async def page(request: Request, unit: str, principal: Someone, days: Days = 30) -> HTMLResponse:
    """The same as a page."""
    web, words = web_of(request), words_of(language_of(request))
    found = await _found(request, unit, principal, days)
    page = page_of(request, principal, words.t("statistics.title"), unit)
    text = web.renderer.fill(
        "statistics.html",
        page=page,
        unit=unit,
        days=days,
        offered=OFFERED,
        rows=view.rows(found, words),
    )
    return HTMLResponse(text)


async def _found(request: Request, unit: str, principal: Principal, days: int) -> dict[str, Any]:
    web = web_of(request)
    known = web.places.units.get(unit)
    if known is None or known.kind != "icu":
        raise NotFound(NOT_HERE)
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    await note_reading(request, principal, unit, "read_statistics", unit, f"{days} days")
    now = web.clock.now_us()
    spans = figures.days_of(now, days, web.renderer.frame("en", now).zone)
    stays, beds, device_days = await store.read(
        web.database, principal.scope, unit, spans, web.mode
    )
    span = (spans[0][0], now)
    return {
        "unit": unit,
        "mode": web.mode,
        "from": iso(span[0]),
        "to": iso(now),
        "days": days,
        **figures.counted(stays, beds, device_days, span),
    }
