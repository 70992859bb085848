"""The alarms of a bed as a panel of its page: why they ring, who took them on, two buttons."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from hospital_ops import wire
from hospital_ops.access import Permission, Principal, allows
from hospital_ops.board import BedCell
from hospital_ops.clock import SECOND
from hospital_ops.errors import NotFound
from icu.alarms import PAUSE_MAX_US
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.language import language_of
from web.reading import unit_of_bed
from web.routes.alarms import act_on, done_to, find
from web.views import alarmpanel

router = APIRouter(prefix="/icu/beds/{bed}/alarms")
Someone = Annotated[Principal, Depends(signed_in)]
SHOWN_WITHIN_S: Final = 1.0  # of an act; the panel asks again anyway


@router.get("")
async def panel(request: Request, bed: str, principal: Someone, have: str = "") -> HTMLResponse:
    """The panel, or 204 for a page that has just this; the page has noted the reading."""
    unit = unit_of_bed(request, bed, principal, Permission.SEE_PATIENT)
    await _receipts(request, unit, bed, principal)
    return _panel(request, unit, bed, principal, have)


@router.post("/{alarm}/{act}")
async def act(request: Request, bed: str, alarm: str, act: str, principal: Someone) -> HTMLResponse:
    """Acknowledges an alarm or its whole story, or pauses for as long as anybody may."""
    if act not in ("acknowledge", "acknowledge_story", "pause"):
        raise NotFound("An alarm can be acknowledged or paused.")
    unit, cell, _ = find(request, bed, alarm, principal, Permission.SILENCE_ALARM)
    feed = web_of(request).feed(unit)
    rev = feed.rev if feed else 0
    seen = alarmpanel.seen_of(str((await request.form()).get("seen", "")))
    if act == "acknowledge_story":
        for each in alarmpanel.story_of(cell, alarm):
            if each.id in seen:  # what has joined the story since was on no screen
                await act_on(
                    request, unit, bed, each.id, principal, "acknowledge", 0, seen[each.id]
                )
    elif act == "acknowledge":
        await act_on(request, unit, bed, alarm, principal, act, 0, seen.get(alarm, 0))
    else:
        await act_on(request, unit, bed, alarm, principal, act, PAUSE_MAX_US // SECOND)
    if feed is not None:
        await feed.news(rev, SHOWN_WITHIN_S)
    return _panel(request, unit, bed, principal)


async def _receipts(request: Request, unit: str, bed: str, principal: Principal) -> None:
    """Whoever was called and looks has read the call; the page has noted the reading itself."""
    web = web_of(request)
    feed = web.feed(unit)
    cell = feed.cells.get(bed) if feed else None
    if not isinstance(cell, BedCell):
        return
    unread: list[tuple[wire.Entry, bytes]] = [
        (done_to(web, unit, bed, alarm.id, principal, "read", 0), b"")
        for alarm in cell.alarms
        for call in alarm.called
        if call.who == principal.actor and not call.read_at
    ]
    if unread:
        await web.appender.append_many(unit, unread)


def _panel(
    request: Request, unit: str, bed: str, principal: Principal, have: str = ""
) -> HTMLResponse:
    web = web_of(request)
    feed, frame = web.feed(unit), web.renderer.frame(language_of(request), web.clock.now_us())
    cell = feed.cells.get(bed) if feed else None
    found = alarmpanel.rows(cell, frame) if isinstance(cell, BedCell) else []
    digest = alarmpanel.digest(found)
    if have == digest:
        return HTMLResponse(status_code=204)
    text = web.renderer.fill(
        "_bed_alarms.html",
        w=frame.words,
        digest=digest,
        bed=bed,
        rows=found,
        may_silence=allows(principal, Permission.SILENCE_ALARM, hospital_of(unit), unit),
        longest=frame.words.since(PAUSE_MAX_US / SECOND),
    )
    return HTMLResponse(text)
