"""On duty: people sign on for the beds of a unit, and see what they are called for.

A sign-on is committed in PostgreSQL and told to the unit, which then needs PostgreSQL no more.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops import events
from hospital_ops.access import Permission, Principal, Role, require
from hospital_ops.database import DatabaseGone
from hospital_ops.errors import MessageError, NotFound
from icu import calls
from icu.rules import ROWS
from icu.staff import store
from streams.shard import hospital_of
from web.auth import signed_in, web_of
from web.boards import IcuBoard
from web.language import language_of
from web.pages import page_of
from web.views import duty as views

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
HOURS_USUAL, HOURS_MOST = 12, 24
# What one may sign on as; a physician is never the nurse who is called.
POSTS_OF: Final = {
    Role.NURSE: (calls.NURSE, calls.CHARGE),
    Role.TRIAGE_NURSE: (calls.NURSE, calls.CHARGE),
    Role.ICU_PHYSICIAN: (calls.PHYSICIAN,),
    Role.ED_PHYSICIAN: (calls.PHYSICIAN,),
}


@router.get("/api/v1/icu/units/{unit}/duty")
async def listed(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """Who is on duty now."""
    _board(request, unit, principal, Permission.SEE_BOARD)
    web = web_of(request)
    people = await store.on_duty(web.database, principal, unit, web.clock.now_us())
    return {"unit": unit, "on_duty": people}


@router.put("/api/v1/icu/units/{unit}/duty")
async def sign_on(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """Signs on: `{"post","beds","second","hours"}`; it ends by itself after the hours."""
    sent = events.parse_json(await request.body())
    if not isinstance(sent, dict):
        raise MessageError("not_an_object", "send one JSON object")
    beds, second = sent.get("beds", []), sent.get("second", [])
    hours = sent.get("hours", HOURS_USUAL)
    if not isinstance(hours, int) or isinstance(hours, bool):
        raise MessageError("bad_hours", f"`hours` is a whole number up to {HOURS_MOST}")
    if not all(
        isinstance(named, list) and all(isinstance(b, str) for b in named)
        for named in (beds, second)
    ):
        raise MessageError("bad_beds", "`beds` and `second` are lists of beds of this unit")
    return await _sign_on(request, unit, principal, str(sent.get("post")), beds, second, hours)


@router.delete("/api/v1/icu/units/{unit}/duty")
async def sign_off(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """Goes off duty now."""
    return await _sign_on(request, unit, principal, "", [], [], 0)


@router.get("/api/v1/icu/units/{unit}/alarm-settings")
async def settings(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """What the unit has set for its alarms; version 0: the table's figures hold."""
    _board(request, unit, principal, Permission.ADMINISTER)
    found = await store.site(web_of(request).database, principal, unit)
    row = ROWS["map_low"]
    return found or {
        "version": 0,
        "reminder_s": row["reminder_s"],
        "physician_s": row["escalate_physician_s"],
    }


@router.put("/api/v1/icu/units/{unit}/alarm-settings")
async def set_settings(request: Request, unit: str, principal: Someone) -> dict[str, Any]:
    """Sets `{"reminder_s","physician_s","version"}` for the unit, within the table's range."""
    _board(request, unit, principal, Permission.ADMINISTER)
    sent = events.parse_json(await request.body())
    figures = sent if isinstance(sent, dict) else {}
    web = web_of(request)
    await store.set_site(
        web.database,
        principal,
        unit,
        reminder_s=_figure(figures, "reminder_s", calls.REMINDER_S),
        physician_s=_figure(figures, "physician_s", calls.PHYSICIAN_S),
        version=_figure(figures, "version", (0, 1 << 30)),
        at=web.clock.now_us(),
    )
    return await settings(request, unit, principal)


def _figure(sent: dict[str, Any], name: str, allowed: tuple[int, int]) -> int:
    number, (least, most) = sent.get(name), allowed
    if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
        raise MessageError("out_of_range", f"`{name}` is a whole number of {least} to {most}")
    return number


@router.get("/icu/{unit}/duty")
async def page(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """Who is on duty, one's own sign-on, and what one is called for."""
    board = _board(request, unit, principal, Permission.SEE_PATIENT)
    web, now = web_of(request), web_of(request).clock.now_us()
    frame = web.renderer.frame(language_of(request), now)
    try:
        people = await store.on_duty(web.database, principal, unit, now)
        away = False
    except DatabaseGone:
        people, away = [], True
    made = page_of(
        request,
        principal,
        frame.words.t("duty.title", unit=board.unit.name),
        unit,
        unit_name=board.unit.name,
    )
    text = web.renderer.fill(
        "duty.html",
        page=made,
        away=away,
        people=[views.person(one, board.whole(board.cells), frame) for one in people],
        mine=next((one for one in people if one["who"] == principal.actor), None),
        posts=POSTS_OF.get(principal.role, ()),
        beds=board.whole(board.cells),
        hours=HOURS_USUAL,
        most=HOURS_MOST,
        called=views.called(board.cells.values(), principal.actor, frame),
    )
    return HTMLResponse(text)


@router.get("/icu/{unit}/duty/calls")
async def my_calls(request: Request, unit: str, principal: Someone) -> HTMLResponse:
    """What one is called for now."""
    board = _board(request, unit, principal, Permission.SEE_PATIENT)
    web = web_of(request)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    called = views.called(board.cells.values(), principal.actor, frame)
    text = web.renderer.fill("_calls.html", w=frame.words, unit=unit, called=called)
    return HTMLResponse(text)


@router.post("/icu/{unit}/duty")
async def press(
    request: Request,
    unit: str,
    principal: Someone,
    post: Annotated[str, Form(max_length=16)] = "",
    beds: Annotated[list[str] | None, Form()] = None,
    second: Annotated[list[str] | None, Form()] = None,
    hours: Annotated[str, Form(max_length=2)] = "",
) -> Response:
    """Signs on, or off where no post is named."""
    length = int(hours) if hours.isdecimal() else HOURS_USUAL
    await _sign_on(request, unit, principal, post, beds or [], second or [], length if post else 0)
    return RedirectResponse(f"/icu/{unit}/duty", status_code=303)


async def _sign_on(
    request: Request,
    unit: str,
    principal: Principal,
    post: str,
    beds: list[Any],
    second: list[Any],
    hours: int,
) -> dict[str, Any]:
    _board(request, unit, principal, Permission.SILENCE_ALARM)
    web, posts = web_of(request), POSTS_OF.get(principal.role, ())
    if not posts:
        raise NotFound("Nurses and physicians go on duty.")
    known = {place.bed for place in web.places.beds_of(unit)}
    if hours and post not in posts:
        raise MessageError("bad_post", f"`post` is one of {', '.join(posts)}")
    if not 0 <= hours <= HOURS_MOST:
        raise MessageError("bad_hours", f"`hours` is a whole number up to {HOURS_MOST}")
    if any(bed not in known for bed in [*beds, *second]):
        raise MessageError("bad_beds", "`beds` and `second` are beds of this unit")
    nurse = post == calls.NURSE
    return await store.sign_on(
        web.database,
        principal,
        unit,
        post=post or posts[0],
        beds=beds if nurse else [],
        second=[bed for bed in second if bed not in beds] if nurse else [],
        hours=hours,
        at=web.clock.now_us(),
    )


def _board(request: Request, unit: str, principal: Principal, permission: Permission) -> IcuBoard:
    require(principal, permission, hospital_of(unit), unit)
    feed = web_of(request).feed(unit)
    if not isinstance(feed, IcuBoard):
        raise NotFound("This does not exist, or it is not within your units.")
    return feed
