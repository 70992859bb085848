"""Stored curves at any width: what a page draws a day from."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from hospital_ops.access import Permission, Principal
from hospital_ops.clock import SECOND, iso
from hospital_ops.curves.columns import columns
from hospital_ops.curves.export import export, written
from hospital_ops.errors import MessageError
from web.auth import signed_in, web_of
from web.quota import EXPORTS
from web.reading import moment, note_reading, unit_of_bed
from web.whereabouts import curves as theirs

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
LONGEST_US = 31 * 86_400 * SECOND
EXPORT_MOST_US: Final = 2 * 3600 * SECOND


@router.get("/api/v1/icu/beds/{bed}/waveforms/columns")
async def wide(
    request: Request,
    bed: str,
    principal: Someone,
    code: Annotated[str, Query(max_length=64)],
    since: Annotated[str, Query(alias="from")],
    until: Annotated[str, Query(alias="to")],
    width: Annotated[int, Query(ge=1, le=4096)] = 1200,
) -> dict[str, Any]:
    """The lowest and highest value of each of `width` columns of a stored curve, at most 31 days.

    The finest step is a second; shorter ranges are read as pieces (`.../waveforms`).
    """
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    start, end = moment(since), moment(until)
    if start is None or end is None or not start < end <= start + LONGEST_US:
        raise MessageError("bad_range", "`from` lies before `to`, at most 31 days")
    await note_reading(request, principal, unit, "read_waveforms", bed)
    found = await columns(web.database, principal.scope, bed, code, start, end, width)
    return {"from": iso(start), "to": iso(end), "width": width, "curves": found}


@router.get("/api/v1/icu/beds/{bed}/waveforms/export")
async def as_file(
    request: Request,
    bed: str,
    principal: Someone,
    form: Annotated[Literal["wfdb", "edf"], Query(alias="format")],
    since: Annotated[str, Query(alias="from")],
    until: Annotated[str, Query(alias="to")],
    stay: bool = False,
) -> Response:
    """The stored curves of a bed for other programs, at most two hours, without a name.

    With `stay` those of whoever lies there now, also from an earlier bed of the same stay.
    One file at a time and 20 in ten minutes for one person; 429 with `Retry-After` beyond.
    """
    web = web_of(request)
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    start, end = moment(since), moment(until)
    if start is None or end is None or not start < end <= start + EXPORT_MOST_US:
        raise MessageError("bad_range", "`from` lies before `to`, at most two hours at a time")
    start, end = start // SECOND * SECOND, -(-end // SECOND) * SECOND
    detail = f"{form} {iso(start)} {iso(end)}"
    with web.quotas.one(EXPORTS, principal.actor, web.clock.now_us()):
        await note_reading(request, principal, unit, "export_waveforms", bed, detail)
        if stay:
            here, own = await theirs.pieces(web.database, principal.scope, bed, start, end)
            found = [
                (curve._replace(patient_id=str(here.patient_id or "") or None), each)
                for curve, each in own
            ]
            made = await asyncio.to_thread(written, found, bed, form, start, end)
        else:
            made = await export(web.database, principal.scope, bed, form, start, end)
    return Response(
        made.data,
        media_type=made.media,
        headers={
            "Content-Disposition": f'attachment; filename="{made.name}"',
            "Cache-Control": "no-store",
        },
    )
