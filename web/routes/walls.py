"""Wall screens: a screen shows a code, an administrator enters it, the screen opens its board."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops import accounts
from hospital_ops.access import Permission, Principal, require
from hospital_ops.errors import NotFound
from streams.pairing import CODE_LIFE_S, Pairing
from streams.shard import hospital_of
from web.auth import check_origin, signed_in, web_of
from web.language import language_of
from web.views.page import Page
from web.words import words_of

router = APIRouter()
Someone = Annotated[Principal, Depends(signed_in)]
COOKIE = "pairing"


@router.get("/wall")
async def page(request: Request) -> HTMLResponse:
    """The screen's first page: one button."""
    return _page(request, "")


@router.post("/wall")
async def begin(request: Request) -> HTMLResponse:
    """Shows a code and waits for somebody to enter it."""
    check_origin(request)
    web = web_of(request)
    code, secret = await Pairing(web.appender.pipe).begin()
    answer = _page(request, code)
    answer.set_cookie(
        COOKIE,
        f"{code}.{secret}",
        max_age=CODE_LIFE_S,
        httponly=True,
        secure=web.secure,
        samesite="strict",
    )
    return answer


@router.get("/wall/paired")
async def paired(request: Request) -> Response:
    """204 until the code was entered; then the session, and where to go."""
    web = web_of(request)
    code, _, secret = request.cookies.get(COOKIE, "").partition(".")
    given = await Pairing(web.appender.pipe).take(code, secret) if secret else None
    if given is None:
        return Response(status_code=204)
    unit, token = given
    known = web.places.units.get(unit)
    kind = known.kind if known else "icu"
    answer = Response(status_code=200, headers={"HX-Redirect": f"/{kind}/{unit}?mode=wall"})
    answer.delete_cookie(COOKIE)
    answer.set_cookie(
        web.cookie_name,
        token,
        max_age=round(web.limits.wallboard_h * 3600),
        httponly=True,
        secure=web.secure,
        samesite="strict",
        path="/",
    )
    return answer


@router.post("/devices/walls")
async def pair(
    request: Request,
    principal: Someone,
    code: Annotated[str, Form(max_length=16)],
    unit: Annotated[str, Form(max_length=64)],
) -> Response:
    """Pairs the screen that shows `code` with a unit of the administrator's hospital."""
    web = web_of(request)
    require(principal, Permission.ADMINISTER, hospital_of(unit), unit)
    if not web.places.has_unit(unit):
        raise NotFound("There is no such unit.")
    pairing = Pairing(web.appender.pipe)
    typed = code.replace(" ", "")
    if not typed.isdecimal() or not await pairing.waits(typed):
        raise NotFound("No screen shows this code now: begin again at the screen.")
    now = web.clock.now_us()
    made = await accounts.pair_wall(web.database, principal, unit, now, web.limits)
    await web.projections.admit(replace(made.principal, mode=web.mode), now)
    await pairing.give(typed, made.token, unit)
    return RedirectResponse("/devices", status_code=303)


def _page(request: Request, code: str) -> HTMLResponse:
    web, words = web_of(request), words_of(language_of(request))
    page = Page(words=words, title=words.t("wall.title"), demo=web.demo)
    shown = f"{code[:4]} {code[4:]}" if code else ""
    return HTMLResponse(web.renderer.fill("wall.html", page=page, code=shown))
