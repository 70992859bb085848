"""Signing in and out, for people by a form and for machines by JSON."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from hospital_ops import accounts, events
from hospital_ops.access import Principal
from hospital_ops.accounts import SignInRefused
from hospital_ops.errors import MessageError
from web.auth import check_origin, credentials, signed_in, web_of
from web.language import language_of

router = APIRouter()


@router.post("/api/v1/session")
async def open_session(request: Request) -> JSONResponse:
    """A token for machines; 401 with one sentence for any wrong name or password."""
    web = web_of(request)
    body = events.parse_json(await request.body())
    name, password = (body.get(k) if isinstance(body, dict) else None for k in ("name", "password"))
    if not isinstance(name, str) or not isinstance(password, str):
        raise MessageError("no_name", 'send {"name": ..., "password": ...}')
    found = await _sign_in(request, name, password)
    return JSONResponse({"token": found.token, "role": found.principal.role, "mode": web.mode})


@router.delete("/api/v1/session")
async def close_session(
    request: Request, principal: Annotated[Principal, Depends(signed_in)]
) -> Response:
    """Ends the session that asks; its sockets close within 5 s."""
    web = web_of(request)
    await web.projections.dismiss(principal)
    await accounts.sign_out(web.database, principal, web.clock.now_us())
    return Response(status_code=204)


@router.get("/sign-in")
async def sign_in_page(request: Request, next: str = "/") -> Response:
    """The form."""
    web = web_of(request)
    page = web.renderer.sign_in_page(language_of(request), next_url=_local(next), demo=web.demo)
    return HTMLResponse(page)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1024)],
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Opens a session and goes on to where one wanted to go."""
    web, language = web_of(request), language_of(request)
    check_origin(request)
    try:
        found = await _sign_in(request, name, password)
    except SignInRefused as error:
        page = web.renderer.sign_in_page(
            language, error=str(error), next_url=_local(next), demo=web.demo
        )
        return HTMLResponse(page, status_code=401)
    answer = RedirectResponse(_local(next), status_code=303)
    answer.set_cookie(
        web.cookie_name,
        found.token,
        httponly=True,
        secure=web.secure,
        samesite="strict",
        path="/",
    )
    return answer


@router.post("/sign-out")
async def sign_out(
    request: Request, principal: Annotated[Principal, Depends(signed_in)]
) -> Response:
    """Ends the session of this browser."""
    web = web_of(request)
    await web.projections.dismiss(principal)
    await accounts.sign_out(web.database, principal, web.clock.now_us())
    answer = RedirectResponse("/sign-in", status_code=303)
    answer.delete_cookie(web.cookie_name, path="/", secure=web.secure, httponly=True)
    return answer


async def _sign_in(request: Request, name: str, password: str) -> accounts.SignedIn:
    web = web_of(request)
    address = request.client.host if request.client else ""
    found = await accounts.sign_in(web.database, name, password, address, web.clock, web.limits)
    old = credentials(request)
    if old is not None and old.by_cookie:  # a new id at every sign-in: no fixation
        known = await web.projections.principal(old.token, web.clock.now_us())
        if known is not None:
            await web.projections.dismiss(known)
    await web.projections.admit(replace(found.principal, mode=web.mode), web.clock.now_us())
    return found


def _local(target: str) -> str:
    """Only a path of ours may follow a sign-in."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc or not target.startswith("/") or target.startswith("//"):
        return "/"
    return "/" if "\\" in target else target
