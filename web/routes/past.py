"""The time machine: any board or bed at any past second, as it could be seen then."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from hospital_ops.access import Permission, Principal, require
from hospital_ops.clock import SECOND, ManualClock, from_datetime, iso
from hospital_ops.errors import MessageError, NotFound
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.boards import MAKE, Feed
from web.language import language_of
from web.pages import units_of
from web.past import store
from web.reading import NOT_HERE, note_reading
from web.views import past as views

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
NOT_YET = "This second has not been stored yet: ask again in a moment."
BEFORE_US = 60 * SECOND  # where a page begins that names no moment


@router.get("/icu/{unit}/past")
@router.get("/ed/{unit}/past")
async def page(
    request: Request, unit: str, principal: Someone, at: str = "", bed: str = ""
) -> Response:
    """The page with its slider, at the second that was asked for; a minute ago otherwise."""
    web, wanted = web_of(request), _wanted(request, unit, principal, at, bed)
    board = await board_at(request, principal, unit, wanted.at_us, bed)
    language = language_of(request)
    text = views.page(
        web.renderer, language, wanted, board,
        user=principal.actor, demo=web.demo, units=units_of(web, principal),
    )  # fmt: skip
    return HTMLResponse(text)


@router.get("/icu/{unit}/past/frame")
@router.get("/ed/{unit}/past/frame")
async def frame(
    request: Request, unit: str, principal: Someone, at: str, bed: str = ""
) -> HTMLResponse:
    """What stood there at one second, for a page that plays."""
    web, wanted = web_of(request), _wanted(request, unit, principal, at, bed)
    board = await board_at(request, principal, unit, wanted.at_us, bed)
    return HTMLResponse(views.fragment(web.renderer, language_of(request), wanted, board))


async def board_at(
    request: Request, principal: Principal, unit: str, moment: int, bed: str = ""
) -> Feed | None:
    """The board of a unit as it was; None where nothing is kept of that time.

    Raises MessageError for a second that has not come, or has not been stored yet.
    """
    web = web_of(request)
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    known = web.places.units.get(unit)
    if known is None or (bed and web.places.unit_of_bed(bed) != unit):
        raise NotFound(NOT_HERE)
    if moment > web.clock.now_us():
        raise MessageError("bad_time", "`at` is a second that has passed")
    await note_reading(request, principal, unit, "read_past", bed or unit, iso(moment))
    if not await store.is_stored(web.database, principal.scope, unit, moment):
        raise MessageError("not_yet", NOT_YET)
    seen = await store.seen(web.database, principal.scope, unit, moment)
    if seen is None:
        return None
    clock = ManualClock(moment)
    board = MAKE[known.kind](web.redis_url, known, web.places, web.renderer, clock)
    board.become(seen.rev, seen.cells)
    return board


def _wanted(request: Request, unit: str, principal: Principal, at: str, bed: str) -> views.Wanted:
    web = web_of(request)
    require(principal, Permission.SEE_PATIENT, hospital_of(unit), unit)
    known = web.places.units.get(unit)
    if known is None:
        raise NotFound(NOT_HERE)
    now = web.clock.now_us()
    zone = web.renderer.frame("en", now).zone
    return views.Wanted(
        unit=unit,
        kind=known.kind,
        name=known.name,
        bed=bed,
        at_us=_moment(at, zone) if at else (now - BEFORE_US) // SECOND * SECOND,
        now_us=now,
    )


def _moment(text: str, zone: tzinfo) -> int:
    """A moment as a page's field writes it (local time), or ISO 8601 with a zone."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise MessageError("bad_time", "`at` is ISO 8601") from error
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))
