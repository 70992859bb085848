"""Stored curves at any width: what a page draws a day from."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from hospital_ops.access import Permission, Principal
from hospital_ops.clock import SECOND, iso
from hospital_ops.curves.columns import columns
from hospital_ops.errors import MessageError
from web.auth import signed_in, web_of
from web.reading import moment, note_reading, unit_of_bed

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
LONGEST_US = 31 * 86_400 * SECOND


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
