"""What followed each dose and setting of a bed's patient, for the trend page and the orders."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from hospital_ops.access import Permission, Principal
from hospital_ops.clock import iso
from hospital_ops.errors import MessageError
from icu.responses import store
from web.auth import signed_in, web_of
from web.language import language_of
from web.lying import place_of
from web.reading import moment, note_reading, unit_of_bed
from web.views import responses as views
from web.words import words_of

router = APIRouter(prefix="/api/v1/icu/beds/{bed}")
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/responses")
async def listed(
    request: Request,
    bed: str,
    principal: Someone,
    since: Annotated[str | None, Query(alias="from")] = None,
    until: Annotated[str | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """Changes between two moments (the last 24 h where none are named), at most 7 days, with what
    the signals did afterwards; "followed by" says nothing about a cause."""
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    now, words = web.clock.now_us(), words_of(language_of(request))
    end = moment(until) or now
    start = moment(since) or end - store.SPAN_US
    if not 0 <= end - start <= 7 * store.SPAN_US:
        raise MessageError("bad_time", "`from` lies before `to`, by at most 7 days")
    place = place_of(request, unit, bed)
    await note_reading(request, principal, unit, "read_responses", place.patient_id or bed)
    found = []
    if place.patient_id:
        found = await store.found(web.database, principal, bed, place.patient_id, start, end, now)
    return {"bed": bed, "from": iso(start), "to": iso(end), **views.as_json(found, words)}
