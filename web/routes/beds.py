"""The page of a bed, and its stored curves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from hospital_ops.access import Permission, Principal
from hospital_ops.errors import NotFound
from web import store
from web.auth import signed_in, web_of
from web.boards import IcuBoard
from web.language import language_of
from web.pages import look_of, units_of
from web.reading import moment, note_reading, unit_of_bed
from web.state import Web
from web.views import bedpage
from web.whereabouts import curves

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
BINARY = "application/octet-stream"


@router.get("/icu/beds/{bed}")
async def page(request: Request, bed: str, principal: Someone) -> HTMLResponse:
    """One bed with its values and its live curves."""
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    feed = web.feed(unit)
    if not isinstance(feed, IcuBoard):
        raise NotFound("This does not exist, or it is not within your units.")
    await note_reading(request, principal, unit, "read_bed", bed)
    beds = {cell.bed: cell for cell in feed.whole(feed.cells)}
    language = language_of(request)
    text = bedpage.render(
        web.renderer,
        language,
        cell=beds[bed],
        beds=beds,
        head=feed.head,
        unit=unit,
        rev=feed.rev,
        now_us=web.clock.now_us(),
        **look_of(request),
        user=principal.actor,
        demo=web.demo,
        units=units_of(web, principal),
    )
    return HTMLResponse(text)


@router.get("/api/v1/icu/beds/{bed}/waveforms")
async def waveforms(
    request: Request,
    bed: str,
    principal: Someone,
    code: str | None = None,
    since: Annotated[str | None, Query(alias="from")] = None,
    until: Annotated[str | None, Query(alias="to")] = None,
    stay: bool = False,
) -> StreamingResponse:
    """The stored pieces of a bed's curves, oldest first: newline-delimited JSON, or the frames of
    docs/waveforms.md where `Accept: application/octet-stream` asks for them.

    With `stay` those of whoever lies there now alone, also from an earlier bed of the same stay.
    """
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    start, end = moment(since), moment(until)
    await note_reading(request, principal, unit, "read_waveforms", bed)
    binary = BINARY in request.headers.get("accept", "")
    pieces = (
        _of_stay(web, principal, bed, code, (start, end), binary)
        if stay and start is not None and end is not None
        else store.waveforms(web.database, principal.scope, bed, code, start, end, binary=binary)
    )
    # The first row is asked for before the answer begins, so that a fault has its own status.
    first = await anext(pieces, None)

    async def parts() -> AsyncIterator[bytes]:
        if first is not None:
            yield first
            async for piece in pieces:
                yield piece

    return StreamingResponse(parts(), media_type=BINARY if binary else "application/x-ndjson")


async def _of_stay(
    web: Web,
    principal: Principal,
    bed: str,
    code: str | None,
    ends: tuple[int, int],
    binary: bool,
) -> AsyncIterator[bytes]:
    here, wide, parts = await curves.of_stay(web.database, principal.scope, bed, *ends)
    for part in parts:
        whose = here.patient_id if part.theirs else None
        stored = store.waveforms(
            web.database, wide, part.bed, code, part.first, part.past, binary=binary, whose=whose
        )
        async for piece in stored:
            yield piece
