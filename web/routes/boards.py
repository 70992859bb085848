"""The boards as JSON, and the stored measurements of a bed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from hospital_ops import wire
from hospital_ops.access import Permission, Principal, require
from hospital_ops.clock import from_iso
from hospital_ops.errors import MessageError, NotFound
from streams.shard import hospital_of
from web import store
from web.auth import signed_in, web_of

router = APIRouter(prefix="/api/v1")
Someone = Annotated[Principal, Depends(signed_in)]


@router.get("/boards/{unit}")
async def board(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """The snapshot of a board with its `rev`."""
    require(principal, Permission.SEE_BOARD, hospital_of(unit), unit)
    feed = web_of(request).feed(unit)
    if feed is None:
        raise NotFound("This does not exist, or it is not within your units.")
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
    unit = web.places.unit_of_bed(bed)
    if unit is None:
        raise NotFound("This does not exist, or it is not within your units.")
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    start, end = _moment(since), _moment(until)
    await web.appender.append(
        unit,
        wire.Audited(
            unit=unit,
            at=web.clock.now_us(),
            actor=principal.actor,
            role=principal.role,
            action="read_measurements",
            subject=bed,
        ),
    )
    # The first row is asked for before the answer begins, so that a fault has its own status.
    rows = store.measurements(web.database, principal.scope, bed, code, start, end)
    first = await anext(rows, None)

    async def lines() -> AsyncIterator[bytes]:
        if first is not None:
            yield first
            async for line in rows:
                yield line

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return from_iso(text.replace(" ", "+"))
    except ValueError as error:
        raise MessageError("bad_time", "`from` and `to` are ISO 8601 with a zone") from error
