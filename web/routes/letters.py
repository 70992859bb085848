"""What could not be used: whose it was and why, its bytes for whoever may, another try."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from hospital_ops.access import Permission, Principal, allows, require
from hospital_ops.errors import Conflict
from hospital_ops.letters import store
from hospital_ops.letters.store import Key
from streams import retrying
from streams.retrying import Retrying
from web.auth import signed_in, web_of
from web.language import language_of
from web.pages import units_of
from web.state import Web
from web.views import letters as views
from web.views.page import Page
from web.words import words_of

router = APIRouter(prefix="/feeds/letters")
Someone = Annotated[Principal, Depends(signed_in)]
Name = Annotated[str, Form(max_length=200)]


@router.get("")
async def page(request: Request, principal: Someone, source: str = "", code: str = "") -> Response:
    """The newest letters, of one sender and code where they are named; never their bytes."""
    _may_look(principal)
    web = web_of(request)
    async with web.database.transaction(principal.scope) as connection:
        rows = await store.listed(connection, source, code)
    frame = web.renderer.frame(language_of(request), web.clock.now_us())
    html = web.renderer.fill(
        "letters.html",
        page=_page(request, web, principal, "letters.title"),
        letters=[views.line(row, frame) for row in rows],
        source=source,
        code=code,
        may_try=_may_try(principal),
    )
    return HTMLResponse(html)


@router.get("/{unit}/{stream}/{entry_id}")
async def letter(
    request: Request, principal: Someone, unit: str, stream: str, entry_id: str
) -> Response:
    """One letter with its bytes: whole for whoever may see patients there, else their form."""
    _may_look(principal)
    web, key = web_of(request), Key(unit, stream, entry_id)
    now = web.clock.now_us()
    async with web.database.transaction(principal.scope) as connection:
        row = await store.letter(connection, key)
        tries = await store.tries(connection, key)
        whole = allows(principal, Permission.SEE_PATIENT, principal.hospital)
        how = "whole" if whole else "shape"
        await store.was_read(connection, principal.scope, key, how, now)
    frame = web.renderer.frame(language_of(request), now)
    html = web.renderer.fill(
        "letter.html",
        page=_page(request, web, principal, "letters.one"),
        letter=views.letter(row, tries, frame, whole=whole),
        may_try=_may_try(principal),
    )
    return HTMLResponse(html)


@router.post("/again")
async def again(
    request: Request,
    principal: Someone,
    unit: Name,
    stream: Name,
    entry_id: Name,
    number: Annotated[int, Form(ge=0)],
) -> Response:
    """Tries one letter once more; `number` is how many tries its page has shown."""
    require(principal, Permission.ADMINISTER, principal.hospital)
    web, key = web_of(request), Key(unit, stream, entry_id)
    now = web.clock.now_us()
    await retrying.again(web.database, principal.scope, _retrying(web), key, number, now)
    return RedirectResponse(f"/feeds/letters/{'/'.join(key)}", status_code=303)


@router.post("/all")
async def all_again(
    request: Request, principal: Someone, source: Name = "", code: Name = ""
) -> Response:
    """Tries all that wait of a sender and code, the oldest first, at most a hundred."""
    require(principal, Permission.ADMINISTER, principal.hospital)
    web = web_of(request)
    async with web.database.transaction(principal.scope) as connection:
        waiting = await store.waiting(connection, source, code)
    for key in waiting:
        now = web.clock.now_us()
        with suppress(Conflict):  # somebody else has it in hand
            await retrying.again(web.database, principal.scope, _retrying(web), key, None, now)
    about = urlencode({"source": source, "code": code})
    return RedirectResponse(f"/feeds/letters?{about}", status_code=303)


def _retrying(web: Web) -> Retrying:
    return Retrying(web.appender, web.projections, web.intake, web.clock)


def _may_try(principal: Principal) -> bool:
    return allows(principal, Permission.ADMINISTER, principal.hospital)


def _may_look(principal: Principal) -> None:
    """Who connects devices, and who answers for privacy; others do not know the page."""
    if not allows(principal, Permission.READ_AUDIT, principal.hospital):
        require(principal, Permission.ADMINISTER, principal.hospital)


def _page(request: Request, web: Web, principal: Principal, title: str) -> Page:
    words = words_of(language_of(request))
    return Page(
        words=words,
        title=words.t(title),
        user=principal.actor,
        demo=web.demo,
        units=tuple(units_of(web, principal)),
    )
