"""The boards as JSON, and the stored measurements of a bed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from hospital_ops.access import Permission, Principal, require
from hospital_ops.errors import NotFound
from streams.shard import hospital_of
from web import store
from web.auth import signed_in, web_of
from web.feed import JSON
from web.reading import moment, note_reading, unit_of_bed
from web.routes.past import board_at

router = APIRouter(prefix="/api/v1")
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/boards/{unit}")
async def board(
    request: Request, unit: str, principal: Someone, at: str | None = None
) -> dict[str, Any]:
    """The snapshot of a board with its `rev`; with `at`, as it was at that past second."""
    require(principal, Permission.SEE_BOARD, hospital_of(unit), unit)
    then = moment(at)
    if then is not None:
        past = await board_at(request, principal, unit, then)
        if past is None:
            raise NotFound("Nothing is kept of what this board showed then.")
        return past.snapshot_json()
    feed = web_of(request).feed(unit)
    if feed is None:
        raise NotFound("This does not exist, or it is not within your units.")
    feed.used(JSON)  # a socket may follow from this revision
    return feed.snapshot_json()


@router.get("/icu/beds/{bed}/measurements")
async def measurements(
    request: Request,
    bed: str,
    principal: Someone,
    code: str | None = None,
    since: Annotated[str | None, Query(alias="from")] = None,
    until: Annotated[str | None, Query(alias="to")] = None,
) -> StreamingResponse:
    """Every stored measurement of a bed as newline-delimited JSON, oldest first."""
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    start, end = moment(since), moment(until)
    await note_reading(request, principal, unit, "read_measurements", bed)
    # The first row is asked for before the answer begins, so that a fault has its own status.
    rows = store.measurements(web.database, principal.scope, bed, code, start, end)
    first = await anext(rows, None)

    async def lines() -> AsyncIterator[bytes]:
        if first is not None:
            yield first
            async for line in rows:
                yield line

    return StreamingResponse(lines(), media_type="application/x-ndjson")
